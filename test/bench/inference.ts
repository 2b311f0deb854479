/**
 * `bench inference [--model PATH] [--prompt N] [--generate N] [--threads N] [--precision P]
 *   [--memory SIZE] [--rounds N] [--seed N] [--batch N] [--replay] [--prefix N] [--turn N] [--peer]
 *   [--profile]`
 * `bench inference --kernels [--rounds N]`
 * `bench inference --compare NAME,NAME… [--model PATH] [--threads N] [--rounds N] [--generate N]
 *   [--context N] [--batch N] [--seed N]`
 *
 * Each round is a process of its own that opens the model, fills a prompt of random ids and samples
 * greedily on; so load time and resident memory are those of a fresh start, with the file in the page
 * cache as far as there is room: it is read before each round. Medians are reported.
 *
 * `--batch N` also decodes N sessions together, `--replay` decodes an agent's transcript with and
 * without speculation, `--profile` says where the time of a token goes. `--prefix N` starts two processes
 * with the same first N tokens, the second of which finds them stored; `--turn N` takes a second turn on
 * a session of N tokens. `--peer` runs node-llama-cpp on
 * the same file, in turn with us, since both at once may not fit.
 *
 * `--compare` measures pairs of which both sides take turns in one process: threads, chunk, context,
 * batch, columns, replay, interleave; see `inference-compare.ts`. `--kernels` measures the two that take the time.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { demoModelPath } from "../../inference/index.ts";
import type { Bench } from "./bench.ts";
import { COMPARISONS, type CompareSettings, type Comparison } from "./inference-compare.ts";
import type { Reuse } from "./inference-reuse.ts";
import type { Extras, Round, Settings } from "./inference-round.ts";
import { median, rounded } from "./median.ts";
import { checkPeer } from "./peer-round.ts";

const KEYS = ["load_s", "prefill_tps", "decode_tps", "first_token_s", "rss_mb"] as const;

export const bench: Bench = async (args) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: "string" },
      prompt: { type: "string", default: "512" },
      generate: { type: "string" },
      threads: { type: "string" },
      memory: { type: "string" },
      precision: { type: "string", default: "int8" },
      rounds: { type: "string" },
      seed: { type: "string", default: "1" },
      batch: { type: "string" },
      context: { type: "string", default: "8192" },
      compare: { type: "string" },
      kernels: { type: "boolean", default: false },
      prefix: { type: "string", default: "0" },
      turn: { type: "string", default: "0" },
      replay: { type: "boolean", default: false },
      peer: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
    },
  });
  if (values.kernels) {
    const rounds = count("rounds", values.rounds ?? "9", 1);
    return { rounds, kernels: await roundInChild<object>("inference-kernels.ts", { rounds }) };
  }
  if (values.compare !== undefined) {
    return comparisons({
      model: values.model,
      threads: values.threads === undefined ? undefined : count("threads", values.threads, 1),
      seed: count("seed", values.seed, 0),
      rounds: count("rounds", values.rounds ?? "7", 1),
      generate: count("generate", values.generate ?? "16", 1),
      context: count("context", values.context, 1),
      batch: count("batch", values.batch ?? "8", 1),
      compare: values.compare.split(",").map(comparisonNamed),
    });
  }
  const settings: Settings = {
    model: values.model,
    prompt: count("prompt", values.prompt, 1),
    generate: count("generate", values.generate ?? "64", 1),
    threads: values.threads === undefined ? undefined : count("threads", values.threads, 1),
    memory: values.memory === undefined ? undefined : byteSize(values.memory),
    precision: values.precision === "exact" ? "exact" : "int8",
    seed: count("seed", values.seed, 0),
    batch: count("batch", values.batch ?? "0", 0),
    replay: values.replay,
    profile: values.profile,
  };
  const { vocabSize, files } = factsOf(settings.model ?? demoModelPath);
  if (values.peer) checkPeer();
  const rounds = count("rounds", values.rounds ?? (values.peer ? "3" : "5"), 1);
  const ours: (Round & Extras)[] = [];
  const peers: Round[] = [];
  for (let i = 0; i < rounds; i++) {
    await readThrough(files);
    // What takes longer than the round itself is measured once.
    const isLast = i === rounds - 1;
    const extras = { batch: isLast ? settings.batch : 0, replay: isLast && settings.replay };
    const own = { ...settings, ...extras, profile: false };
    ours.push(await roundInChild("inference-round.ts", own));
    console.error(`round ${i + 1}: ${JSON.stringify(ours[i])}`);
    if (!values.peer) continue;
    await readThrough(files);
    peers.push(await roundInChild("peer-round.ts", { ...settings, vocabSize, model: files[0] }));
    console.error(`peer, round ${i + 1}: ${JSON.stringify(peers[i])}`);
  }
  // Measuring costs time, so this round does not count.
  const profiled: Partial<Extras> = settings.profile
    ? await roundInChild("inference-round.ts", { ...settings, replay: false })
    : {};
  const prefix = await storedPrefix(settings, count("prefix", values.prefix, 0));
  const turn = await secondTurn(settings, count("turn", values.turn, 0));
  const own = medians(ours);
  const last: Partial<Extras> = ours.at(-1) ?? {};
  const peer = medians(peers);
  return {
    ...settings,
    model: settings.model ?? "embedded",
    threads: settings.threads ?? "auto",
    rounds,
    ...own,
    ...(last.batch_decode_tps !== undefined && {
      batch_decode_tps: rounded(last.batch_decode_tps),
      batch_ratio: rounded(last.batch_decode_tps / own.decode_tps),
    }),
    first_token: last.first_token,
    ...(last.experts !== undefined && { experts: last.experts }),
    ...(last.screened !== undefined && { screened: last.screened }),
    ...(settings.replay && { replay: last.replay }),
    ...(prefix !== undefined && { prefix }),
    ...(turn !== undefined && { turn }),
    ...(settings.profile && { profile: profiled.profile }),
    ...(values.peer && {
      peer,
      ratio: {
        prefill: rounded(own.prefill_tps / peer.prefill_tps),
        decode: rounded(own.decode_tps / peer.decode_tps),
      },
    }),
  };
};

async function comparisons(settings: CompareSettings): Promise<Record<string, unknown>> {
  const found = await roundInChild<object>("inference-compare.ts", settings);
  return { ...settings, model: settings.model ?? "embedded", measured: found };
}

function comparisonNamed(name: string): Comparison {
  const found = COMPARISONS.find((known) => known === name);
  if (found !== undefined) return found;
  throw new Error(`--compare has ${JSON.stringify(name)}; accepted: ${COMPARISONS.join(", ")}.`);
}

/** The first token of a process without and with its prompt's prefix in the store. */
async function storedPrefix(settings: Settings, tokens: number): Promise<object | undefined> {
  if (tokens === 0) return undefined;
  const store = mkdtempSync(join(tmpdir(), "chorale-bench-"));
  try {
    const run = (): Promise<Reuse> =>
      roundInChild("inference-reuse.ts", { ...settings, kind: "prefix", tokens, store });
    const computed = await run();
    const stored = await run();
    const ratio = rounded(computed.first_token_s / stored.first_token_s);
    return { tokens, computed, stored, ratio };
  } finally {
    rmSync(store, { recursive: true, force: true });
  }
}

async function secondTurn(settings: Settings, tokens: number): Promise<object | undefined> {
  if (tokens === 0) return undefined;
  const turn = { ...settings, kind: "turn", tokens, store: undefined };
  return { tokens, ...(await roundInChild<Reuse>("inference-reuse.ts", turn)) };
}

function count(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${flag} is ${JSON.stringify(text)}; accepted: an integer from ${least}.`);
}

/** `8G`: powers of 1,024. */
function byteSize(text: string): number {
  const [, digits, unit = ""] = /^(\d+)([KMG]?)$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * 1024 ** ["", "K", "M", "G"].indexOf(unit);
  throw new Error(`--memory is ${JSON.stringify(text)}; accepted: bytes, or like 8G.`);
}

function factsOf(model: string): { vocabSize: number; files: readonly string[] } {
  const checkpoint = openCheckpoint(model);
  checkpoint.close();
  const { embedding, unembedding, norm, layers } = checkpoint;
  const tensors = [embedding, unembedding, norm, ...layers.map(({ attnNorm }) => attnNorm)];
  const files = [...new Set(tensors.map(({ path }) => path))];
  return { vocabSize: checkpoint.config.vocab, files };
}

/** Brings files into the page cache. */
async function readThrough(files: readonly string[]): Promise<void> {
  for (const file of files) {
    for await (const _ of createReadStream(file, { highWaterMark: 4 << 20 }));
  }
}

async function roundInChild<T>(script: string, settings: object): Promise<T> {
  const path = fileURLToPath(new URL(`./${script}`, import.meta.url));
  const child = spawn(process.execPath, [path, JSON.stringify(settings)], {
    stdio: ["ignore", "pipe", "inherit"],
    // As the launcher does: what Node makes of the files is kept from one start to the next.
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "chorale-bench-compiled") },
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`The process of a round ended with exit code ${code}.`);
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "") as T;
}

function medians(rounds: readonly Round[]): Round {
  const entries = KEYS.map((key) => [key, median(rounds.map((round) => round[key]))]);
  return Object.fromEntries(entries) as Round;
}
