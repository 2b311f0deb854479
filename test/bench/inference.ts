/**
 * `bench inference [--model PATH] [--prompt N] [--generate N] [--threads N] [--precision P] [--rounds N]`
 *
 * Each round is a process of its own that opens the model, fills a prompt of random ids and samples
 * greedily on; so load time and resident memory are those of a fresh start. Medians are reported.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openModel, type Precision } from "../../inference/index.ts";
import type { Bench } from "./main.ts";

/** Prompt of the first-token figure. */
const SHORT_PROMPT = 16;

type Settings = {
  readonly model: string | undefined;
  readonly prompt: number;
  readonly generate: number;
  readonly threads: number | undefined;
  readonly precision: Precision;
  readonly seed: number;
};

type Round = {
  readonly load_s: number;
  readonly prefill_tps: number;
  readonly decode_tps: number;
  /** From the start of the process to the first token of a 16-token prompt. */
  readonly first_token_s: number;
  readonly rss_mb: number;
};

export const bench: Bench = async (args) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: "string" },
      prompt: { type: "string", default: "512" },
      generate: { type: "string", default: "64" },
      threads: { type: "string" },
      precision: { type: "string", default: "int8" },
      rounds: { type: "string", default: "5" },
      seed: { type: "string", default: "1" },
    },
  });
  const settings: Settings = {
    model: values.model,
    prompt: Number(values.prompt),
    generate: Number(values.generate),
    threads: values.threads === undefined ? undefined : Number(values.threads),
    precision: values.precision === "exact" ? "exact" : "int8",
    seed: Number(values.seed),
  };
  const rounds: Round[] = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    rounds.push(await roundInChild(settings));
    console.error(`round ${i + 1}: ${JSON.stringify(rounds[i])}`);
  }
  const medianOf = (key: keyof Round): number => median(rounds.map((round) => round[key]));
  return {
    ...settings,
    model: settings.model ?? "embedded",
    threads: settings.threads ?? "auto",
    rounds: rounds.length,
    load_s: medianOf("load_s"),
    prefill_tps: medianOf("prefill_tps"),
    decode_tps: medianOf("decode_tps"),
    first_token_s: medianOf("first_token_s"),
    rss_mb: medianOf("rss_mb"),
  };
};

async function roundInChild(settings: Settings): Promise<Round> {
  const started = Date.now();
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), JSON.stringify({ ...settings, started })],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`The round's process ended with exit code ${code}.`);
  return JSON.parse(printed) as Round;
}

async function round(settings: Settings & { readonly started: number }): Promise<Round> {
  const { model, threads, precision, prompt, generate } = settings;
  const opening = performance.now();
  const { engine } = await openModel(model, { threads, precision });
  const load_s = (performance.now() - opening) / 1000;
  const sampling = { temperature: 0, topP: 1, seed: settings.seed };
  const ids = randomIds(prompt + SHORT_PROMPT, engine.vocabSize, settings.seed);

  const short = await engine.createSession();
  await short.sync(ids.slice(0, SHORT_PROMPT));
  for await (const _ of short.generate({ maxTokens: 1, stopIds: new Set(), sampling }));
  const first_token_s = (Date.now() - settings.started) / 1000;
  await short.close();

  const session = await engine.createSession();
  const prefilling = performance.now();
  await session.sync(ids.slice(SHORT_PROMPT));
  // The last token of a prompt is computed with the first one sampled.
  for await (const _ of session.generate({ maxTokens: 1, stopIds: new Set(), sampling }));
  const decoding = performance.now();
  for await (const _ of session.generate({ maxTokens: generate, stopIds: new Set(), sampling }));
  const ended = performance.now();
  await session.close();
  await engine.close();
  return {
    load_s,
    prefill_tps: (prompt * 1000) / (decoding - prefilling),
    decode_tps: (generate * 1000) / (ended - decoding),
    first_token_s,
    rss_mb: process.resourceUsage().maxRSS / 1024,
  };
}

/** Ids of a linear congruential generator (Numerical Recipes' constants): the same for every engine. */
function randomIds(count: number, vocabSize: number, seed: number): number[] {
  let state = seed >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * vocabSize);
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const value = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return Number(value.toPrecision(4));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(await round(JSON.parse(process.argv[2] ?? "{}"))));
}
