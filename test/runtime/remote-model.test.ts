/** Chorale's own server as an engine: the agent here, the tokens there. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ScriptedEngine } from "../../inference/index.ts";
import type { HarmonyModel } from "../../runtime/index.ts";
import { loadModel, loadRemoteModel, runAgent } from "../../runtime/index.ts";
import { DEFAULTS } from "../../runtime/server/configuration.ts";
import { engineSource } from "../../runtime/server/models/engine-source.ts";
import { startServer } from "../../runtime/server/server.ts";
import { stressRemoteThreads } from "../stress/remote-threads.ts";
import { FACTS, says, serve } from "./server/serve.ts";

it("answers as the model in the same process does, token by token", async () => {
  await using local = await loadModel();
  // The server closes the model that it is given.
  const served = await loadModel();
  await using server = await serve([], { source: { open: async () => served } });
  await using model = await loadRemoteModel([`chorale://127.0.0.1:${new URL(server.url).port}`]);
  expect(model.vocabulary).toBe(local.vocabulary);
  const idsOf = async (one: HarmonyModel): Promise<readonly number[]> => {
    const { ids } = await one.complete(
      {
        threadId: "one",
        prompt: one.tokenizer.encodeWithSpecials("<|start|>user<|message|>Hello"),
        maxTokens: 48,
        stopIds: new Set(),
        allowedIds: null,
        sampling: { seed: 3, temperature: 0.7, topP: 1 },
        topLogprobs: null,
        signal: new AbortController().signal,
      },
      async () => {},
    );
    return ids;
  };
  const ids = await idsOf(model);
  expect(ids).toHaveLength(48);
  expect(ids).toEqual(await idsOf(local));
  const prompt = "What is 12 * 34? Answer at once.";
  const { output } = await runAgent({ model, prompt, sampling: { temperature: 0 } });
  expect(output).toBe(
    (await runAgent({ model: local, prompt, sampling: { temperature: 0 } })).output,
  );
});

it("holds conversations at once over servers whose connections are cut", async () => {
  const report = await stressRemoteThreads({ threads: 6, turns: 2, cuts: 0.6, seed: 2 });
  expect(report).toMatchObject({ turns: 12, most_at_once: 6, problems: [] });
  expect(report.cut).toBeGreaterThan(0);
});

it("goes on with the ids that a server samples, special tokens included", async () => {
  const answer =
    "<|channel|>analysis<|message|>Easy 🙂.<|end|><|start|>assistant<|channel|>final<|message|>漢字<|return|>";
  const engine = new ScriptedEngine([...probeReplies(), says(answer)]);
  await using server = await serve([], { engine });
  await using model = await loadRemoteModel([server.url]);
  const { output, usage } = await runAgent({ model, prompt: "Write two characters." });
  expect(output).toBe("漢字");
  expect(usage.output_tokens).toBe(says(answer).length);
});

it("puts its Harmony in front of a server that knows ids alone", async () => {
  const answer = "<|channel|>final<|message|>Hello.<|return|>";
  const engine = new ScriptedEngine([...probeReplies(), says(answer)]);
  await using behind = await serve([], { engine });
  const source = await engineSource(() => loadRemoteModel([behind.url]));
  await using front = await startServer({
    configuration: { ...DEFAULTS, port: 0 },
    source,
    note: () => {},
  });
  const response = await fetch(`${front.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: FACTS.name, messages: [{ role: "user", content: "Hi" }] }),
  });
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
  expect(choices[0]?.message.content).toBe("Hello.");
});

it.skipIf(process.platform === "win32")(
  "takes a key from a file that nobody else reads",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "chorale-key-"));
    try {
      const keyFile = join(folder, "key");
      writeFileSync(keyFile, "sk-one\n");
      chmodSync(keyFile, 0o644);
      await expect(loadRemoteModel(["chorale://127.0.0.1:1"], { keyFile })).rejects.toThrow(
        /may be read by others \(mode 644\); accepted: chmod 600/,
      );
      chmodSync(keyFile, 0o600);
      await using server = await serve([], {
        engine: new ScriptedEngine(probeReplies()),
        keys: ["sk-one"],
      });
      await using model = await loadRemoteModel([server.url], { keyFile });
      expect(model.engine.servers[0]?.kind).toBe("Chorale");
      await expect(loadRemoteModel([server.url], { apiKey: "sk-two", env: {} })).rejects.toThrow(
        /answers \/v1\/models with 401/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

/** What a scripted engine says while a client finds out what the server can do. */
function probeReplies(): number[][] {
  return [[7, 8], [5]];
}
