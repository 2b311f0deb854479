/** The model of a server as a command uses it: a real server, a real socket. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadO200kHarmony } from "../../../harmony/vocabulary/index.ts";
import { Agent } from "../../../runtime/agent/agent.ts";
import { HarmonyModel } from "../../../runtime/model/harmony-model.ts";
import { SharedModel } from "../../../runtime/server/shared/shared-model.ts";
import { PATHS } from "../../../runtime/server/shared/wire.ts";
import { Thread } from "../../../runtime/thread/thread.ts";
import type { Tool } from "../../../tools/index.ts";
import { type Reply, type ServedModel, type ServeOptions, serve } from "./serve.ts";
import { SteppedEngine } from "./stepped-engine.ts";

const tokenizer = loadO200kHarmony();
const MODEL = "gpt-oss:20b";

let folder: string;
let servers: ServedModel[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "shared-"));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await server.close();
  rmSync(folder, { recursive: true });
});

async function shared(
  replies: readonly Reply[],
  options: ServeOptions = {},
): Promise<{ readonly server: ServedModel; readonly model: SharedModel }> {
  const socketPath = join(folder, "s.sock");
  const server = await serve(replies, { socketPath, ...options });
  servers.push(server);
  return { server, model: await SharedModel.open({ socketPath, model: MODEL, tokenizer }) };
}

const add: Tool = {
  recipient: "functions.add",
  description: "Adds.",
  inputSchema: {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "number" } },
    required: ["a", "b"],
  },
  timeoutMs: 1000,
  execute: (input) => {
    const { a, b } = input as { a: number; b: number };
    return Promise.resolve(String(a + b));
  },
};

const REPLIES = [
  '<|channel|>analysis<|message|>Add.<|end|><|start|>assistant<|channel|>commentary to=functions.add <|constrain|>json<|message|>{"a":2,"b":3}<|call|>',
  "<|channel|>final<|message|>It is 5.<|return|>",
];
const date = "2026-11-29";

test("a turn with a tool has the prompts and the log that it has without a server", async () => {
  const { server, model } = await shared(REPLIES);
  const ask = async (used: SharedModel | HarmonyModel) => {
    const agent = new Agent({ model: used, tools: [add], date, sampling: { seed: 1 } });
    const thread = Thread.create();
    const { output } = await agent.run(thread, "What is 2 + 3?").result;
    const { steps } = { steps: thread.state.transcript.map(({ message }) => message) };
    return { output, steps };
  };
  const there = await ask(model);
  const other = await serve(REPLIES);
  servers.push(other);
  const here = await ask(new HarmonyModel({ engine: other.engine, tokenizer }));
  expect(there).toEqual(here);
  expect(there.output).toBe("It is 5.");
  expect(server.prompts()).toEqual(other.prompts());
});

test("what is aborted here ends there, with what was sampled", async () => {
  const engine = new SteppedEngine(
    [REPLIES[0]].map((text) => tokenizer.encodeWithSpecials(text!)),
    {
      contextLength: 4096,
    },
  );
  const { model, server } = await shared([], { engine });
  engine.allow(5);
  const abort = new AbortController();
  const agent = new Agent({ model, date });
  const run = agent.run(Thread.create(), "Go.", {
    signal: abort.signal,
    onEvent: (event) => {
      if (event.type === "item.delta") abort.abort(new Error("enough"));
    },
  });
  const { status } = await run.result;
  expect(status).toBe("cancelled");
  expect(engine.sampled).toBeLessThan(10);
  expect(server.context.admission.running).toBe(0);
});

test("a prompt that is too long is refused as the model itself refuses it", async () => {
  const { model } = await shared([], { modelContext: 200 });
  const { error } = await new Agent({ model, date }).run(Thread.create(), "word ".repeat(400))
    .result;
  expect(error).toMatchObject({ code: "CHORALE_PROMPT_TOO_LONG", option: "contextLength" });
});

test("a failure of the engine is told with its words", async () => {
  const { model } = await shared([new Error("the disk is on fire")]);
  const { error } = await new Agent({ model, date }).run(Thread.create(), "Go.").result;
  expect(error?.message).toContain("the disk is on fire");
});

test("its paths are closed to the port", async () => {
  const { server } = await shared([]);
  for (const path of Object.values(PATHS)) {
    const answer = await server.post(path, { model: MODEL });
    expect([path, answer.status]).toEqual([path, 403]);
  }
});

test("a server that is gone fails the turn", async () => {
  const { model, server } = await shared(REPLIES);
  await server.close();
  const { error, status } = await new Agent({ model, date }).run(Thread.create(), "Go.").result;
  expect(status).toBe("failed");
  expect(error?.message).toContain("does not answer any more");
});
