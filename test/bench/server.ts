/**
 * What the server adds to a run, on loopback with a model that takes no time: the time of a request beside that of
 * the same run without HTTP, and the time of a token.
 */
import { parseArgs } from "node:util";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { Agent, HarmonyModel, Thread } from "../../runtime/index.ts";
import { DEFAULTS } from "../../runtime/server/configuration.ts";
import { findByName } from "../../runtime/server/models/model-source.ts";
import { startServer } from "../../runtime/server/server.ts";
import { FACTS } from "../runtime/server/serve.ts";
import { EndlessEngine } from "../stress/endless-engine.ts";
import type { Bench } from "./bench.ts";
import { median } from "./median.ts";

const tokenizer = loadO200kHarmony();
const words = (count: number): string =>
  `<|channel|>final<|message|>${"word ".repeat(count)}<|return|>`;

/** Tokens of the long answers. */
const LONG = 2000;
const ROUNDS = 10;

export const bench: Bench = async (args) => {
  const { values } = parseArgs({ args, options: { requests: { type: "string" } } });
  const requests = Number(values.requests ?? 400);
  const short = tokenizer.encodeWithSpecials(words(1));
  const long = tokenizer.encodeWithSpecials(words(LONG));
  const engine = new EndlessEngine((tokens) =>
    tokenizer.decode(tokens).includes("Write long.") ? long : short,
  );
  const model = new HarmonyModel({ engine, tokenizer });
  const agent = new Agent({ model });
  await using server = await startServer({
    configuration: { ...DEFAULTS, port: 0, keepAliveMs: Number.POSITIVE_INFINITY },
    source: {
      list: async () => [FACTS],
      find: async (name) => findByName([FACTS], name),
      defaultContext: () => 8192,
      open: async () => model,
    },
  });
  const direct = async (prompt: string): Promise<number> => {
    const startedAt = performance.now();
    const { error } = await agent.run(Thread.create(), prompt).result;
    if (error !== undefined) throw error;
    return performance.now() - startedAt;
  };
  const overHttp = async (path: string, body: object): Promise<number> => {
    const startedAt = performance.now();
    const response = await fetch(server.url + path, { method: "POST", body: JSON.stringify(body) });
    await response.text();
    if (response.status !== 200) throw new Error(`${path} answers ${response.status}`);
    return performance.now() - startedAt;
  };
  const chat = (content: string, stream: boolean): object => ({
    model: FACTS.name,
    messages: [{ role: "user", content }],
    stream,
  });
  const figures: Record<string, unknown> = {};
  // The first ones load and compile.
  for (let n = 0; n < 50; n++) {
    await direct("Hi");
    await overHttp("/v1/chat/completions", chat("Hi", false));
    await overHttp("/api/chat", chat("Hi", true));
  }
  const runs: number[] = [];
  const paths = { chat_completions: "/v1/chat/completions", ollama_chat: "/api/chat" } as const;
  const times = { chat_completions: [] as number[], ollama_chat: [] as number[] };
  for (let n = 0; n < requests; n++) {
    runs.push(await direct("Hi"));
    for (const name of ["chat_completions", "ollama_chat"] as const) {
      times[name].push(await overHttp(paths[name], chat("Hi", false)));
    }
  }
  const run = median(runs);
  figures["run_ms"] = rounded(run);
  for (const name of ["chat_completions", "ollama_chat"] as const) {
    figures[name] = {
      added_ms_median: rounded(median(times[name]) - run),
      added_ms_p95: rounded(percentile(times[name], 0.95) - run),
    };
  }
  console.error(`${requests} requests`);
  const longRuns: number[] = [];
  const longTimes = { chat_completions: [] as number[], ollama_chat: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    longRuns.push(await direct("Write long."));
    for (const name of ["chat_completions", "ollama_chat"] as const) {
      longTimes[name].push(await overHttp(paths[name], chat("Write long.", true)));
    }
  }
  const perToken = (times: readonly number[]): number => (median(times) / LONG) * 1000;
  figures["run_us_per_token"] = rounded(perToken(longRuns));
  figures["streamed_added_us_per_token"] = {
    chat_completions: rounded(perToken(longTimes.chat_completions) - perToken(longRuns)),
    ollama_chat: rounded(perToken(longTimes.ollama_chat) - perToken(longRuns)),
  };
  return figures;
};

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
