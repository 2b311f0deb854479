/**
 * `bench agent [--steps N] [--runs N]`: what the loop and the log cost beside the model. A step is one
 * sampling of a scripted engine with a call of a tool that does nothing; the store is a SQLite file. Then: what
 * a second turn computes of a long conversation, and what many runs in one process leave behind.
 */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { ScriptedEngine } from "../../inference/index.ts";
import {
  Agent,
  HarmonyModel,
  type LogEntry,
  loadModel,
  MemoryThreadStore,
  SqliteThreadStore,
  Thread,
} from "../../runtime/index.ts";
import { defineTool, type Tool } from "../../tools/index.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";
import type { Bench } from "./bench.ts";

const DEMO_TOKENIZER = fileURLToPath(
  new URL("../../inference/demo/tokenizer.json", import.meta.url),
);
const DEMO_VOCABULARY = 4104;
const tokenizer = loadO200kHarmony();
const CALL = tokenizer.encodeWithSpecials(
  '<|channel|>analysis<|message|>Next.<|end|><|start|>assistant<|channel|>commentary to=functions.noop <|constrain|>json<|message|>{"x":1}<|call|>',
);
const ANSWER = tokenizer.encodeWithSpecials("<|channel|>final<|message|>Done.<|return|>");
let calls = 0;
const noop = defineTool({
  name: "noop",
  description: "Does nothing.",
  parameters: { type: "object", properties: { x: { type: "integer" } } },
  // Another result each time: a call that gives the same one again and again is a loop, and is cut back.
  execute: () => `ok ${calls++}`,
}) as Tool;

export const bench: Bench = async (args) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      steps: { type: "string", default: "300" },
      runs: { type: "string", default: "1000" },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), "chorale-bench-agent-"));
  try {
    const steps = await measureSteps(join(folder, "threads.sqlite"), Number(values.steps));
    console.error(`steps: ${JSON.stringify(steps)}`);
    const turn = await measureSecondTurn(join(folder, "model"));
    console.error(`second turn: ${JSON.stringify(turn)}`);
    const growth = await measureGrowth(Number(values.runs));
    console.error(`growth: ${JSON.stringify(growth)}`);
    return {
      ...steps,
      second_turn: turn,
      growth,
      goals: { step_overhead_ms: 2, append_p95_ms: 1, growth: 0.1 },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Time of a step that is not the engine's: it plays its script in no time. */
async function measureSteps(path: string, steps: number): Promise<Record<string, number>> {
  await using store = new SqliteThreadStore(path);
  const appends: number[] = [];
  const timed = Object.assign(Object.create(store) as SqliteThreadStore, {
    append: async (threadId: string, entry: LogEntry) => {
      const startedAt = performance.now();
      await store.append(threadId, entry);
      appends.push(performance.now() - startedAt);
    },
  });
  const engine = new ScriptedEngine([...Array<number[]>(steps - 1).fill(CALL), ANSWER]);
  const agent = new Agent({
    model: new HarmonyModel({ engine, tokenizer }),
    tools: [noop],
    maxSteps: steps + 1,
  });
  // V8 compiles what is used often only then.
  const warmUp = new ScriptedEngine([...Array<number[]>(50).fill(CALL), ANSWER]);
  await new Agent({
    model: new HarmonyModel({ engine: warmUp, tokenizer }),
    tools: [noop],
    maxSteps: 60,
  }).run(Thread.create(), "Hello").result;
  const startedAt = performance.now();
  const thread = Thread.create({ store: timed });
  const { status } = await agent.run(thread, "Hello").result;
  if (status !== "completed") throw new Error(`the run ended as ${status}`);
  const overhead = (performance.now() - startedAt) / steps;
  return {
    steps,
    step_overhead_ms: round(overhead),
    append_p50_ms: round(quantile(appends, 0.5)),
    append_p95_ms: round(quantile(appends, 0.95)),
    tokens_at_the_end: engine.requests.at(-1)?.tokens.length ?? 0,
  };
}

/** A random model of the demo's vocabulary reads 4,000 tokens, then a short second question. */
async function measureSecondTurn(folder: string): Promise<Record<string, number | null>> {
  makeRandomModel(folder, { ...TINY, vocab: DEMO_VOCABULARY }, 7);
  copyFileSync(DEMO_TOKENIZER, join(folder, "tokenizer.json"));
  await using model = await loadModel(folder);
  const agent = new Agent({
    model,
    maxTokens: 1,
    sampling: { temperature: 0, seed: 1 },
  });
  const thread = agent.thread();
  const first = await agent.run(thread, "one two three ".repeat(490)).result;
  const second = await agent.run(thread, "And how many are different?").result;
  const cached = second.usage.cached_input_tokens - first.usage.cached_input_tokens;
  const input = second.usage.input_tokens - first.usage.input_tokens;
  return {
    first_input_tokens: first.usage.input_tokens,
    first_prefill_ms: first.timing.prefill_ms,
    second_input_tokens: input,
    second_computed_tokens: input - cached,
    second_prefill_ms: second.timing.prefill_ms,
  };
}

/** Resident memory behind many runs of the embedded model, 16 at a time. */
async function measureGrowth(runs: number): Promise<Record<string, number>> {
  await using model = await loadModel();
  const agent = new Agent({ model, maxTokens: 8, sampling: { temperature: 0, seed: 1 } });
  const seen: Record<string, number> = {};
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started < runs) {
      started++;
      if (started === 50 || started === 200) seen[`behind_${started}_mib`] = residentMib();
      await agent.run(Thread.create({ store: new MemoryThreadStore() }), "Hello").result;
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  const last = residentMib();
  const settled = seen["behind_50_mib"] ?? last;
  return { runs, ...seen, last_mib: last, growth: round(last / settled - 1) };
}

const residentMib = (): number => Math.round(process.memoryUsage().rss / 2 ** 20);

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
