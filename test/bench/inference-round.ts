/**
 * One round of the inference benchmark, in a process of its own: `node inference-round.ts SETTINGS`
 * (JSON) prints what it measured as JSON.
 */
import { readFileSync } from "node:fs";
import {
  type EngineStatistics,
  type KernelTime,
  openModel,
  type Precision,
  type SessionStatistics,
} from "../../inference/index.ts";
import { LocalEngine } from "../../inference/local/local-engine.ts";
import type { TranscriptSegment } from "./make-transcript.ts";
import { randomIds } from "./random-ids.ts";

/** Prompt of the first-token figure. */
const SHORT_PROMPT = 16;

export type Settings = {
  readonly model: string | undefined;
  readonly prompt: number;
  readonly generate: number;
  readonly threads: number | undefined;
  /** Bytes; experts beyond are paged. */
  readonly memory: number | undefined;
  readonly precision: Precision;
  readonly seed: number;
  /** Sessions that are decoded together, for `batch_decode_tps`; 0: not measured. */
  readonly batch: number;
  readonly replay: boolean;
  readonly profile: boolean;
};

export type Round = {
  readonly load_s: number;
  readonly prefill_tps: number;
  readonly decode_tps: number;
  /** From the start of the process to the first token of a 16-token prompt. */
  readonly first_token_s: number;
  /** Peak of the whole process; its threads are its only children. */
  readonly rss_mb: number;
};

/** What some rounds measure as well. */
export type Extras = {
  /** What `first_token_s` is made of. */
  readonly first_token: {
    /** Starting Node, and importing. */
    readonly start_s: number;
    readonly open_s: number;
    /** Of all threads while opening: repacking is the user's, reading and first touching pages the system's. */
    readonly open_cpu_s: { readonly user: number; readonly system: number };
    /** What was not in the page cache any more. */
    readonly open_disk_mb: number;
    readonly prompt_s: number;
  };
  /** Where experts are paged: up to the end of what is always measured. */
  readonly experts?: EngineStatistics["experts"];
  /** Tokens per second of all sessions together. */
  readonly batch_decode_tps?: number;
  /** Ids that were sampled from bounds of the logits, and the logits that were computed for them. */
  readonly screened?: SessionStatistics["screened"];
  readonly replay?: Replay;
  /** Per token of the prompt, of decoding alone, and of decoding several sessions together. */
  readonly profile?: Readonly<Partial<Record<"prefill" | "decode" | "batch", TokenProfile>>>;
};

/** Of one token, on the leading thread: milliseconds and calls of each kernel. */
type TokenProfile = {
  readonly token_ms: number;
  readonly kernels: Readonly<Record<string, { readonly ms: number; readonly calls: number }>>;
  /** Sampling, and what the kernels' callers do. */
  readonly other_ms: number;
};

type Replay = {
  readonly tokens: number;
  readonly plain_s: number;
  readonly speculative_s: number;
  /** Plain over speculative time. */
  readonly ratio: number;
  readonly forwards: number;
  readonly drafted: number;
  readonly accepted: number;
};

async function round(settings: Settings): Promise<Round & Extras> {
  const { model, threads, precision, prompt, generate, seed } = settings;
  const { memory: memoryLimit, profile } = settings;
  const startedAt = Date.now() - process.uptime() * 1000;
  const opening = performance.now();
  const before = process.resourceUsage();
  const { engine } = await openModel(model, { threads, precision, memoryLimit, profile });
  if (!(engine instanceof LocalEngine)) throw new Error("This model is not computed here.");
  const load_s = seconds(opening);
  const after = process.resourceUsage();
  const sampling = { temperature: 0, topP: 1, seed: 0 };
  const options = { stopIds: new Set<number>(), sampling, speculation: false };
  const ids = randomIds(prompt + SHORT_PROMPT, engine.vocabSize, seed);

  const prompting = performance.now();
  const short = await engine.createSession();
  await short.sync(ids.slice(0, SHORT_PROMPT));
  for await (const _ of short.generate({ ...options, maxTokens: 1 }));
  const first_token_s = (Date.now() - startedAt) / 1000;
  const prompt_s = seconds(prompting);
  await short.close();

  const session = await engine.createSession();
  await engine.takeProfile();
  const prefilling = performance.now();
  await session.sync(ids.slice(SHORT_PROMPT));
  // The last token of a prompt is computed with the first one sampled.
  for await (const _ of session.generate({ ...options, maxTokens: 1 }));
  const prefill_s = seconds(prefilling);
  const prefill_tps = prompt / prefill_s;
  const prefillTimes = await engine.takeProfile();
  const decoding = performance.now();
  for await (const _ of session.generate({ ...options, maxTokens: generate }));
  const decode_s = seconds(decoding);
  const decode_tps = generate / decode_s;
  const decodeTimes = await engine.takeProfile();
  const { screened } = session.statistics;
  await session.close();

  const { experts } = engine.statistics;
  const { batch } = settings;
  const batch_decode_tps = batch > 0 ? await decodeTogether(engine, settings) : undefined;
  const batchTimes = await engine.takeProfile();
  const extras: Extras = {
    first_token: {
      start_s: first_token_s - load_s - prompt_s,
      open_s: load_s,
      open_cpu_s: {
        user: (after.userCPUTime - before.userCPUTime) / 1e6,
        system: (after.systemCPUTime - before.systemCPUTime) / 1e6,
      },
      // Of 512 bytes.
      open_disk_mb: (after.fsRead - before.fsRead) / 2048,
      prompt_s,
    },
    ...(experts !== undefined && { experts }),
    ...(batch_decode_tps !== undefined && { batch_decode_tps }),
    ...(screened !== undefined && { screened }),
    ...(profile && {
      profile: {
        prefill: perToken(prefillTimes, prompt, prefill_s * 1000),
        decode: perToken(decodeTimes, generate, decode_s * 1000),
        ...(batch_decode_tps !== undefined && {
          batch: perToken(
            batchTimes,
            batch * generate,
            (batch * generate * 1000) / batch_decode_tps,
          ),
        }),
      },
    }),
    ...(settings.replay && { replay: await replay(engine) }),
  };
  await engine.close();
  const rss_mb = process.resourceUsage().maxRSS / 1024;
  return { load_s, prefill_tps, decode_tps, first_token_s, rss_mb, ...extras };
}

function perToken(times: readonly KernelTime[], tokens: number, wallMs: number): TokenProfile {
  const kernels = times.map(({ name, ms, calls }) => [
    name,
    { ms: Number((ms / tokens).toPrecision(4)), calls: Number((calls / tokens).toPrecision(4)) },
  ]);
  const known = times.reduce((sum, { ms }) => sum + ms, 0);
  return {
    token_ms: wallMs / tokens,
    kernels: Object.fromEntries(kernels),
    other_ms: (wallMs - known) / tokens,
  };
}

async function decodeTogether(engine: LocalEngine, settings: Settings): Promise<number> {
  const { batch, generate, seed } = settings;
  const sessions = await Promise.all(Array.from({ length: batch }, () => engine.createSession()));
  const sampling = { temperature: 0, topP: 1, seed: 0 };
  for (const [index, session] of sessions.entries()) {
    await session.sync(randomIds(SHORT_PROMPT, engine.vocabSize, seed + 1 + index));
  }
  await engine.takeProfile();
  const decoding = performance.now();
  await Promise.all(
    sessions.map(async (session) => {
      const options = { maxTokens: generate, stopIds: new Set<number>(), sampling };
      for await (const _ of session.generate({ ...options, speculation: false }));
    }),
  );
  const tps = (batch * generate) / seconds(decoding);
  await Promise.all(sessions.map((session) => session.close()));
  return tps;
}

/** The model's own words of transcript.json, decoded with and without drafts; the rest is prefilled. */
async function replay(engine: LocalEngine): Promise<Replay> {
  const text = readFileSync(new URL("./transcript.json", import.meta.url), "utf8");
  const { segments } = JSON.parse(text) as { segments: readonly TranscriptSegment[] };
  const times = { plain: 0, speculative: 0 };
  let tokens = 0;
  let statistics = { forwards: 0, drafted: 0, accepted: 0 };
  for (const kind of ["plain", "speculative"] as const) {
    const session = await engine.createSession();
    tokens = 0;
    for (const segment of segments) {
      // A small vocabulary has other ids; what repeats itself still does.
      const ids = segment.ids.map((id) => id % engine.vocabSize);
      if (!segment.generated) {
        await session.sync([...session.tokens, ...ids]);
        continue;
      }
      const from = performance.now();
      await session.replay(ids, kind === "speculative");
      times[kind] += seconds(from);
      tokens += ids.length;
    }
    statistics = session.statistics;
    await session.close();
  }
  const { plain: plain_s, speculative: speculative_s } = times;
  return { tokens, plain_s, speculative_s, ratio: plain_s / speculative_s, ...statistics };
}

function seconds(from: number): number {
  return (performance.now() - from) / 1000;
}

console.log(JSON.stringify(await round(JSON.parse(process.argv[2] ?? "{}"))));
