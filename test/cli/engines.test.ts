/** Engines elsewhere: real `chorale serve` processes compute the tokens, one of which is killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, loadRemoteModel, type RemoteModel } from "../../runtime/index.ts";
import { type ChoraleOptions, chorale, launcher } from "./chorale.ts";

let root = "";
const running: ChildProcess[] = [];

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chorale-engines-"));
});
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

const env = (): NodeJS.ProcessEnv => ({ XDG_RUNTIME_DIR: "", HOME: root });
const options = (): ChoraleOptions => ({ home: join(root, "home"), env: env() });

/** @returns the URL that the server says that it listens at */
async function serving(
  ...args: string[]
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [launcher, "serve", "--listen", "127.0.0.1:0", ...args], {
    env: { ...process.env, ...env(), CHORALE_HOME: join(root, "home") },
    stdio: ["ignore", "ignore", "pipe"],
  });
  running.push(child);
  let said = "";
  for await (const text of child.stderr.setEncoding("utf8")) {
    said += text;
    const [, url] = /serving .* at (http:\S+) \(Ollama\)/.exec(said) ?? [];
    if (url === undefined) continue;
    child.stderr.resume();
    return { url, child };
  }
  throw new Error(`ended: ${said}`);
}

const PROMPT = "<|start|>user<|message|>Tell me something<|end|>";

function completed({
  model,
  onToken,
}: {
  readonly model: RemoteModel | Awaited<ReturnType<typeof loadModel>>;
  readonly onToken?: (count: number) => void;
}): Promise<readonly number[]> {
  let count = 0;
  return model
    .complete(
      {
        threadId: "one",
        prompt: model.tokenizer.encodeWithSpecials(PROMPT),
        maxTokens: 400,
        stopIds: new Set(),
        allowedIds: null,
        sampling: { temperature: 0, topP: 1, seed: 1 },
        topLogprobs: null,
        signal: new AbortController().signal,
      },
      async () => onToken?.(++count),
    )
    .then(({ ids }) => ids);
}

test("a generation goes on elsewhere when the process that computes it is killed", async () => {
  const servers = await Promise.all([serving(), serving()]);
  const notes: string[] = [];
  await using model = await loadRemoteModel(
    servers.map(({ url }) => url),
    { onNote: (note) => notes.push(note) },
  );
  const ids = await completed({
    model,
    onToken: (count) => {
      if (count !== 40) return;
      const busy = model.engine.servers.findIndex(({ active }) => active > 0);
      servers[busy]?.child.kill("SIGKILL");
    },
  });
  await using local = await loadModel();
  expect(ids).toHaveLength(400);
  expect(ids).toEqual(await completed({ model: local }));
  expect(notes.join("\n")).toMatch(/; 127\.0\.0\.1:\d+ goes on\./);
});

test("commands use an engine, serve puts itself in front of one, and engines tells of it", async () => {
  const { url } = await serving();
  const ran = await chorale(["run", "--engine", url, "What can you do?"], options());
  expect({ code: ran.code, stderr: ran.stderr }).toMatchObject({ code: 0 });
  expect(ran.stdout).toContain("help");
  const front = await serving("--engine", url);
  const answer = await fetch(`${front.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({
      model: "chorale-demo",
      messages: [{ role: "user", content: "What can you do?" }],
      temperature: 0,
    }),
  });
  expect(await answer.json()).toMatchObject({
    choices: [{ finish_reason: "stop", message: { content: expect.stringContaining("help") } }],
  });
  const listed = await chorale(["engines", "list", "--engine", url, "--json"], options());
  expect(JSON.parse(listed.stdout)).toMatchObject({ kind: "Chorale", model: "chorale-demo" });
  const tested = await chorale(["engines", "test", url, "127.0.0.1:1"], options());
  expect(tested.code).toBe(1);
  expect(tested.stdout).toMatch(/takes token ids: yes[\s\S]*32 tokens, the first after \d+ ms/);
  expect(tested.stdout).toMatch(/127\.0\.0\.1:1 {2}cannot be used: Cannot reach the engine/);
});

test("what cannot be used is said, with the status of its kind", async () => {
  const none = await chorale(["run", "--engine", "127.0.0.1:1", "Hello"], options());
  expect(none).toMatchObject({ code: 6, stdout: "" });
  expect(none.stderr).toMatch(/Cannot reach the engine 127\.0\.0\.1:1/);
  const strange = await chorale(["run", "--engine", "ftp://host", "Hello"], options());
  expect(strange.stderr).toMatch(/is no address of an engine; accepted/);
  expect(strange.code).toBe(2);
  expect((await chorale(["engines", "test"], options())).code).toBe(2);
});

test("a server is measured beside the model here, and its probabilities held against it", async () => {
  const { url } = await serving();
  const measured = await chorale(
    [
      ...["bench", "--engine", url, "--engine", "127.0.0.1:1", "--json"],
      ...["--prompt", "20", "--generate", "24", "--rounds", "1"],
    ],
    options(),
  );
  expect(measured.code).toBe(1);
  const { engines } = JSON.parse(measured.stdout) as { engines: Record<string, unknown>[] };
  expect(engines).toMatchObject([
    { address: null, name: "chorale-demo", ok: true, agreement: null },
    { address: url, ok: true, kind: "Chorale", agreement: { sameAnswers: 4, questions: 4 } },
    { address: "127.0.0.1:1", ok: false, problem: expect.stringMatching(/Cannot reach/) },
  ]);
  expect(engines[1]?.["decode_tps"]).toBeGreaterThan(0);

  const ids = join(root, "ids.json");
  writeFileSync(ids, JSON.stringify([[40, 41, 42], [300]]));
  const compare = ["models", "compare", "--engine", url];
  const same = await chorale([...compare, "-f", ids, "--text", "One, two", "--json"], options());
  expect(same.code).toBe(0);
  expect(JSON.parse(same.stdout)).toMatchObject({ texts: 3, agrees: true, max: 0, changed: [] });
  // Rounded products are another thing, which the tolerance decides about.
  const rounded = [...compare, "--precision", "int8", "--tolerance"];
  const strict = await chorale([...rounded, "0"], options());
  expect(strict.code).toBe(1);
  expect(strict.stdout).toMatch(/They do not agree: accepted are/);
  const { mean, changed } = JSON.parse(
    (await chorale([...rounded, "0", "--json"], options())).stdout,
  ) as { mean: number; changed: { gap: number }[] };
  const needed = Math.max(mean, ...changed.map(({ gap }) => gap));
  expect((await chorale([...rounded, String(0.99 * needed)], options())).code).toBe(1);
  expect((await chorale([...rounded, String(1.01 * needed)], options())).code).toBe(0);
  writeFileSync(ids, '[1, "two"]');
  const strange = await chorale([...compare, "-f", ids], options());
  expect(strange.code).toBe(2);
  expect(strange.stderr).toMatch(/is a JSON list, but not one of token ids; accepted/);
});
