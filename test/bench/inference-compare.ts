/**
 * Comparisons whose two sides take turns in one process, so that a machine that is now faster, now slower
 * is the same for both: `node inference-compare.ts SETTINGS` (JSON) prints what it measured as JSON.
 *
 * - `threads`: one thread and two, on a random model that fits in the processor's cache
 * - `chunk`: prefill in steps of 128 tokens and of 512; takes the memory of two engines
 * - `context`: decoding with much behind it, and with little
 * - `batch`: several sessions decoded together, and one alone
 * - `columns`: what a pass takes for one and more tokens, by kernel
 * - `replay`: an agent's transcript, JSON that is changed here and there, and prose, with drafts and without
 * - `interleave`: a long prompt is read while a session decodes and a short prompt comes, and each alone
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { demoModelPath, openModel } from "../../inference/index.ts";
import { LocalEngine, openLocalEngine } from "../../inference/local/local-engine.ts";
import type { LocalSession } from "../../inference/local/session.ts";
import { type ModelSize, makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";
import type { TranscriptSegment } from "./make-transcript.ts";
import { median, rounded } from "./median.ts";
import { randomIds } from "./random-ids.ts";

export const COMPARISONS = [
  "threads",
  "chunk",
  "context",
  "batch",
  "columns",
  "replay",
  "interleave",
] as const;
export type Comparison = (typeof COMPARISONS)[number];

export type CompareSettings = {
  readonly model: string | undefined;
  readonly threads: number | undefined;
  readonly seed: number;
  readonly rounds: number;
  /** Tokens of one turn of one side. */
  readonly generate: number;
  /** Length of the long context. */
  readonly context: number;
  /** Sessions that are decoded together. */
  readonly batch: number;
  readonly compare: readonly Comparison[];
};

/** Tokens per second of both sides, medians of the rounds, and the median of the rounds' ratios. */
type Sides = { readonly base: number; readonly other: number; readonly ratio: number };

const SHORT_PROMPT = 16;
const CONTEXT_ROOM = 1024;
/** More than transcript.json has. */
const TRANSCRIPT_ROOM = 3072;
/** 21 MB of weights, of which a token reads 14. */
const CACHE_SIZED: ModelSize = {
  ...TINY,
  hidden: 1024,
  intermediate: 1024,
  heads: 16,
  kvHeads: 2,
  headDim: 64,
  experts: 4,
  expertsPerToken: 2,
  vocab: 2048,
  window: 128,
};
const CACHE_SIZED_PROMPT = 256;
const CACHE_SIZED_TOKENS = 128;
/** Tokens of the prompt that comes while a long one is read, and most that are decoded meanwhile. */
const SHORT_REQUEST = 64;
const DECODED_MEANWHILE = 900;
const COLUMNS = [1, 2, 4, 8];
const CHUNKS = [128, 512] as const;

async function compare(settings: CompareSettings): Promise<Record<string, unknown>> {
  const { compare } = settings;
  const out: Record<string, unknown> = {};
  if (compare.includes("threads")) out["threads"] = await threads(settings);
  if (compare.includes("chunk")) out["chunk"] = await chunk(settings);
  if (compare.every((name) => name === "threads" || name === "chunk")) return out;
  const contextLength = Math.max(
    CONTEXT_ROOM,
    compare.includes("context") || compare.includes("interleave")
      ? settings.context + CONTEXT_ROOM
      : 0,
    compare.includes("replay") ? TRANSCRIPT_ROOM : 0,
  );
  const profile = compare.includes("columns");
  const engine = await open(settings.model, { threads: settings.threads, contextLength, profile });
  for (const [name, run] of [
    ["context", context],
    ["batch", batch],
    ["columns", columns],
    ["replay", replay],
    ["interleave", interleave],
  ] as const) {
    if (!compare.includes(name)) continue;
    out[name] = await run(engine, settings);
    console.error(`${name}: ${JSON.stringify(out[name])}`);
  }
  await engine.close();
  return out;
}

type OpenOptions = NonNullable<Parameters<typeof openModel>[1]>;

async function open(model: string | undefined, options: OpenOptions): Promise<LocalEngine> {
  const { engine } = await openModel(model, { precision: "int8", ...options });
  if (!(engine instanceof LocalEngine)) throw new Error("This model is not computed here.");
  return engine;
}

/** Both engines are open all the time; the one whose turn it is not sleeps. */
async function threads(settings: CompareSettings): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), "chorale-bench-"));
  try {
    makeRandomModel(folder, CACHE_SIZED, settings.seed);
    const one = await open(folder, { threads: 1 });
    const two = await open(folder, { threads: 2 });
    let prompts = 0;
    const prefills = async (engine: LocalEngine): Promise<number> => {
      const session = await engine.createSession();
      // Another prompt each time: what a session has computed, the next one need not.
      const ids = randomIds(CACHE_SIZED_PROMPT, engine.vocabSize, settings.seed + ++prompts);
      const took = await timed(async () => {
        await session.sync(ids);
        await generate(session, 1);
      });
      await session.close();
      return CACHE_SIZED_PROMPT / took;
    };
    const decodes = async (engine: LocalEngine): Promise<number> => {
      const session = await engine.createSession();
      await session.sync(randomIds(SHORT_PROMPT, engine.vocabSize, settings.seed));
      await generate(session, 8);
      const took = await timed(() => generate(session, CACHE_SIZED_TOKENS));
      await session.close();
      return CACHE_SIZED_TOKENS / took;
    };
    const rounds = 3 * settings.rounds;
    // Until the kernels' machine code is the optimised one.
    for (const engine of [one, two]) for (let i = 0; i < 3; i++) await prefills(engine);
    const out = {
      prefill: await inTurn(
        rounds,
        () => prefills(one),
        () => prefills(two),
      ),
      decode: await inTurn(
        rounds,
        () => decodes(one),
        () => decodes(two),
      ),
    };
    await one.close();
    await two.close();
    console.error(`threads: ${JSON.stringify(out)}`);
    return out;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same prompt of four short steps, or one long one. */
async function chunk(settings: CompareSettings): Promise<object> {
  const [short, long] = CHUNKS;
  const openWith = async (prefillChunk: number): Promise<LocalEngine> => {
    const checkpoint = openCheckpoint(settings.model ?? demoModelPath);
    const { threads } = settings;
    const contextLength = 2 * CONTEXT_ROOM;
    const tuning = { sharesPrefixes: false };
    const options = { threads, contextLength, prefillChunk, tuning };
    const engine = await openLocalEngine(checkpoint, options);
    checkpoint.close();
    return engine;
  };
  const engines = [await openWith(short), await openWith(long)] as const;
  const prefills = async (engine: LocalEngine): Promise<number> => {
    const session = await engine.createSession();
    const ids = randomIds(long + 1, engine.vocabSize, settings.seed);
    const took = await timed(() => session.sync(ids));
    await session.close();
    return long / took;
  };
  const [base, other] = engines;
  const sides = await inTurn(
    settings.rounds,
    () => prefills(base),
    () => prefills(other),
  );
  for (const engine of engines) await engine.close();
  console.error(`chunk: ${JSON.stringify(sides)}`);
  return sides;
}

/** What lies in the cache for the long context was not computed: time does not depend on it. */
async function context(engine: LocalEngine, settings: CompareSettings): Promise<object> {
  const short = await started(engine, settings.seed);
  const long = await engine.createSession();
  long.assume(randomIds(settings.context, engine.vocabSize, settings.seed));
  const decodes = async (session: LocalSession): Promise<number> =>
    settings.generate / (await timed(() => generate(session, settings.generate)));
  await generate(long, 2);
  const sides = await inTurn(
    settings.rounds,
    () => decodes(short),
    () => decodes(long),
  );
  await short.close();
  await long.close();
  return { tokens: settings.context, ...sides };
}

async function batch(engine: LocalEngine, settings: CompareSettings): Promise<object> {
  const alone = await started(engine, settings.seed);
  const together = await startedTogether(engine, settings);
  const steps = Math.max(4, settings.generate >> 1);
  const sides = await inTurn(
    settings.rounds,
    async () => settings.generate / (await timed(() => generate(alone, settings.generate))),
    async () =>
      (steps * together.length) /
      (await timed(() => Promise.all(together.map((session) => generate(session, steps))))),
  );
  for (const session of [alone, ...together]) await session.close();
  return { sessions: together.length, ...sides };
}

/** Milliseconds of a pass by number of tokens in it, on the leading thread, by kernel. */
async function columns(engine: LocalEngine, settings: CompareSettings): Promise<object> {
  const sessions = await startedTogether(engine, { ...settings, batch: Math.max(...COLUMNS) });
  const steps = Math.max(4, settings.generate >> 1);
  const passes = new Map(COLUMNS.map((count) => [count, new Map<string, number[]>()]));
  for (let round = 0; round < settings.rounds; round++) {
    for (const [count, times] of passes) {
      const now = sessions.slice(0, count);
      await engine.takeProfile();
      const took = await timed(() => Promise.all(now.map((session) => generate(session, steps))));
      const kernels = await engine.takeProfile();
      const known = kernels.reduce((sum, { ms }) => sum + ms, 0);
      for (const { name, ms } of [
        { name: "pass", ms: took * 1000 },
        ...kernels,
        { name: "other", ms: took * 1000 - known },
      ]) {
        times.set(name, [...(times.get(name) ?? []), ms / steps]);
      }
    }
  }
  for (const session of sessions) await session.close();
  const table = [...passes].map(([count, times]) => {
    const entries = [...times].map(([name, ms]) => [name, median(ms)] as const);
    return [count, Object.fromEntries(entries.filter(([, ms]) => ms >= 0.05))];
  });
  return { pass_ms_by_tokens: Object.fromEntries(table) };
}

/**
 * What is decoded both ways, one after the other: an agent's transcript, whose calls and answers quote what was read;
 * records of JSON that come again with changes; and prose, which quotes nothing.
 */
async function replay(engine: LocalEngine): Promise<object> {
  const text = readFileSync(new URL("./transcript.json", import.meta.url), "utf8");
  const { segments } = JSON.parse(text) as { segments: readonly TranscriptSegment[] };
  return {
    transcript: await replaySegments(engine, segments),
    json: await replaySegments(engine, jsonSegments()),
    prose: await replaySegments(engine, proseSegments()),
  };
}

/** Twelve records, and the same with another status and a price in every third. */
function jsonSegments(): readonly TranscriptSegment[] {
  const records = Array.from({ length: 12 }, (_, i) => ({
    id: 4810 + i * 7,
    name: `order ${i}`,
    status: "open",
    price: 19.5 + i,
  }));
  const changed = records.map((record, i) =>
    i % 3 === 0 ? { ...record, status: "closed", price: record.price + 1 } : record,
  );
  return segmentsOf(JSON.stringify(records), JSON.stringify(changed));
}

/** The beginning of the page about security: one part was read, the other is written. */
function proseSegments(): readonly TranscriptSegment[] {
  const page = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");
  const prose = page.replace(/^[|#].*$/gm, "").replace(/\s+/g, " ");
  return segmentsOf(prose.slice(0, 1500), prose.slice(1500, 3500));
}

function segmentsOf(read: string, written: string): readonly TranscriptSegment[] {
  const tokenizer = loadO200kHarmony();
  return [
    { generated: false, ids: [...tokenizer.encode(read)] },
    { generated: true, ids: [...tokenizer.encode(written)] },
  ];
}

/**
 * Times are processor time, of all threads: other work on the machine changes it less. A thread that waits for another one
 * spins for a while, so one thread says most.
 */
async function replaySegments(
  engine: LocalEngine,
  segments: readonly TranscriptSegment[],
): Promise<object> {
  const session = await engine.createSession();
  const times = { plain: 0, drafts: 0 };
  let counts = { forwards: 0, drafted: 0, accepted: 0 };
  let tokens = 0;
  const of: object[] = [];
  for (const [index, segment] of segments.entries()) {
    // A small vocabulary has other ids; what repeats itself still does.
    const ids = segment.ids.map((id) => id % engine.vocabSize);
    if (!segment.generated) {
      await session.sync([...session.tokens, ...ids]);
      continue;
    }
    const { length } = session.tokens;
    const took = { plain: 0, drafts: 0 };
    for (const kind of index % 4 === 1
      ? (["plain", "drafts"] as const)
      : (["drafts", "plain"] as const)) {
      session.rewind(length);
      const before = session.statistics;
      const from = process.cpuUsage();
      await session.replay(ids, kind === "drafts");
      const { user, system } = process.cpuUsage(from);
      took[kind] = (user + system) / 1e6;
      if (kind === "plain") continue;
      const { forwards, drafted, accepted } = session.statistics;
      counts = {
        forwards: counts.forwards + forwards - before.forwards,
        drafted: counts.drafted + drafted - before.drafted,
        accepted: counts.accepted + accepted - before.accepted,
      };
    }
    times.plain += took.plain;
    times.drafts += took.drafts;
    tokens += ids.length;
    of.push({ tokens: ids.length, ratio: rounded(took.plain / took.drafts) });
    console.error(`replay: ${JSON.stringify(of.at(-1))}`);
  }
  await session.close();
  const { plain, drafts } = times;
  return {
    tokens,
    plain_cpu_s: rounded(plain),
    drafts_cpu_s: rounded(drafts),
    ratio: rounded(plain / drafts),
    ...counts,
    segments: of,
  };
}

/** Seconds, but for the gaps: milliseconds between two ids of the session that decodes. */
async function interleave(engine: LocalEngine, settings: CompareSettings): Promise<object> {
  const { context, seed } = settings;
  let prompts = 0;
  const reads = async (tokens: number): Promise<number> => {
    // Another prompt each time: what a session has computed, the next one need not.
    const ids = randomIds(tokens, engine.vocabSize, seed + ++prompts);
    const session = await engine.createSession();
    const took = await timed(async () => {
      await session.sync(ids);
      await generate(session, 1);
    });
    await session.close();
    return took;
  };
  const alone = { long: await reads(context), short: await reads(SHORT_REQUEST) };
  const decoding = await started(engine, seed);
  const gaps: number[] = [];
  let ended = false;
  const decodes = async (): Promise<void> => {
    const sampling = { temperature: 0, topP: 1, seed: 0 };
    const options = { maxTokens: DECODED_MEANWHILE, stopIds: new Set<number>(), sampling };
    let last = performance.now();
    for await (const _ of decoding.generate(options)) {
      const now = performance.now();
      gaps.push(now - last);
      last = now;
      if (ended) return;
    }
  };
  const decoded = decodes();
  const [longTook, shortTook] = await Promise.all([
    reads(context).finally(() => {
      ended = true;
    }),
    // In the middle of the long prompt.
    delay((alone.long / 4) * 1000).then(() => reads(SHORT_REQUEST)),
  ]);
  await decoded;
  await decoding.close();
  gaps.sort((a, b) => a - b);
  return {
    long_tokens: context,
    short_tokens: SHORT_REQUEST,
    alone: { long_s: rounded(alone.long), short_s: rounded(alone.short) },
    together: { long_s: rounded(longTook), short_s: rounded(shortTook) },
    decoded: gaps.length,
    gap_ms: {
      median: rounded(median(gaps)),
      p99: rounded(gaps[Math.floor(gaps.length * 0.99)] ?? 0),
      longest: rounded(gaps.at(-1) ?? 0),
    },
  };
}

/** A session on which two tokens were generated. */
async function started(engine: LocalEngine, seed: number): Promise<LocalSession> {
  const session = await engine.createSession();
  await session.sync(randomIds(SHORT_PROMPT, engine.vocabSize, seed));
  await generate(session, 2);
  return session;
}

async function startedTogether(
  engine: LocalEngine,
  settings: CompareSettings,
): Promise<LocalSession[]> {
  const sessions: LocalSession[] = [];
  for (let i = 0; i < settings.batch; i++) {
    sessions.push(await started(engine, settings.seed + 1 + i));
  }
  return sessions;
}

async function generate(session: LocalSession, maxTokens: number): Promise<void> {
  const sampling = { temperature: 0, topP: 1, seed: 0 };
  const options = { maxTokens, stopIds: new Set<number>(), sampling, speculation: false };
  for await (const _ of session.generate(options));
}

/** Seconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

/** Each round has both sides, the one that begins changing. */
async function inTurn(
  rounds: number,
  base: () => Promise<number>,
  other: () => Promise<number>,
): Promise<Sides> {
  const found: { base: number; other: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const speeds = { base: 0, other: 0 };
    if (round % 2 === 0) speeds.base = await base();
    speeds.other = await other();
    if (round % 2 === 1) speeds.base = await base();
    found.push(speeds);
  }
  return {
    base: median(found.map((speeds) => speeds.base)),
    other: median(found.map((speeds) => speeds.other)),
    ratio: median(found.map((speeds) => speeds.other / speeds.base)),
  };
}

if (process.argv[2] !== undefined && import.meta.filename === process.argv[1]) {
  console.log(JSON.stringify(await compare(JSON.parse(process.argv[2]))));
}
