/** What may not change an id: drafts, company in a pass, the number of threads; and what must: masks. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { Drafter, findContinuation } from "../../inference/decoding/drafter.ts";
import { PassTimes } from "../../inference/decoding/pass-times.ts";
import { SharedDecodeState } from "../../inference/decoding/shared-decode-state.ts";
import {
  type GenerateOptions,
  InvalidRequestError,
  type Sampling,
  type Session,
  type TokenLogprobs,
  type TokenMatcher,
} from "../../inference/index.ts";
import { type LocalEngine, openLocalEngine } from "../../inference/local/local-engine.ts";
import { tokenBitmask } from "../../inference/sampling/token-bitmask.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";

const GREEDY: Sampling = { temperature: 0, topP: 1, seed: 0 };
const WARM: Sampling = { temperature: 0.4, topP: 0.95, seed: 7 };
const PENALISED: Sampling = { ...WARM, repetitionPenalty: 1.2, presencePenalty: 0.1, topK: 20 };
/** Ten ids again and again: a draft that quotes finds them. */
const PROMPT = Array.from({ length: 60 }, (_, i) => ((i % 10) * 31 + 7) % TINY.vocab);

const EVEN = tokenBitmask(
  TINY.vocab,
  Array.from({ length: TINY.vocab / 2 }, (_, i) => 2 * i),
);

let folder: string;
let engine: LocalEngine;
let pair: LocalEngine;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chorale-decoding-"));
  makeRandomModel(folder, TINY, 3);
  engine = await open(1);
  pair = await open(2);
});

afterAll(async () => {
  await engine?.close();
  await pair?.close();
  rmSync(folder, { recursive: true });
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function open(threads: number): Promise<LocalEngine> {
  const checkpoint = openCheckpoint(folder);
  try {
    return await openLocalEngine(checkpoint, { contextLength: 256, prefillChunk: 16, threads });
  } finally {
    checkpoint.close();
  }
}

type Options = Partial<GenerateOptions>;

async function collect(session: Session, maxTokens: number, options: Options): Promise<number[]> {
  const ids: number[] = [];
  const run = session.generate({ maxTokens, stopIds: new Set(), sampling: GREEDY, ...options });
  for await (const id of run) ids.push(id);
  return ids;
}

async function fresh(
  prompt: readonly number[],
  maxTokens: number,
  options: Options,
  on = engine,
): Promise<number[]> {
  const session = await on.createSession();
  await session.sync(prompt);
  const ids = await collect(session, maxTokens, options);
  expect(session.tokens).toEqual([...prompt, ...ids]);
  await session.close();
  return ids;
}

describe("speculation", () => {
  test("gives the same ids as without, greedy and drawn, on any number of threads", async () => {
    for (const sampling of [GREEDY, WARM, PENALISED]) {
      const plain = await fresh(PROMPT, 70, { sampling, speculation: false });
      expect(await fresh(PROMPT, 70, { sampling, speculation: "always" })).toEqual(plain);
      expect(await fresh(PROMPT, 70, { sampling, speculation: "always" }, pair)).toEqual(plain);
    }
  });

  test("ends at a stop id inside a draft, at the length and at the end of the context", async () => {
    const plain = await fresh(PROMPT, 196, { speculation: false });
    expect(plain.length).toBe(196);
    expect(await fresh(PROMPT, 1000, { speculation: "always" })).toEqual(plain);
    const stop = plain[40] ?? expect.unreachable();
    const stopped = await fresh(PROMPT, 196, { speculation: "always", stopIds: new Set([stop]) });
    expect(stopped).toEqual(plain.slice(0, plain.indexOf(stop) + 1));
    for (const length of [1, 2, 37]) {
      expect(await fresh(PROMPT, length, { speculation: "always" })).toEqual(
        plain.slice(0, length),
      );
    }
  });

  test("takes fewer passes for what repeats itself, and counts them", async () => {
    const repeated = PROMPT.slice(0, 40);
    const counts = [];
    for (const speculation of [false, "always"] as const) {
      const session = await engine.createSession();
      await session.sync(PROMPT);
      await session.replay(repeated, speculation);
      expect(session.tokens).toEqual([...PROMPT, ...repeated]);
      counts.push(session.statistics);
      // The cache is that of any other way to the same timeline.
      const next = await collect(session, 10, {});
      expect(next).toEqual(await fresh([...PROMPT, ...repeated], 10, {}));
      await session.close();
    }
    expect(counts[0]).toEqual({ forwards: 40, drafted: 0, accepted: 0 });
    const { forwards = 0, drafted = 0, accepted = 0 } = counts[1] ?? {};
    expect(accepted).toBe(drafted);
    expect(forwards).toBe(40 - accepted);
    expect(forwards).toBeLessThan(10);
  });

  test("looks up the longest match, the latest of several", () => {
    const timeline = Int32Array.of(1, 2, 3, 9, 8, 2, 3, 7, 5, 1, 2, 3, 0, 0);
    expect(findContinuation(timeline, 12, 2)?.at).toBe(3);
    expect(findContinuation(timeline, 12, 3)).toEqual({ at: 3, match: 3 });
    expect(findContinuation(timeline, 12, 4)).toBeUndefined();
    expect(findContinuation(timeline, 7, 2)?.at).toBe(3);
    expect(findContinuation(Int32Array.of(5, 5, 5, 5), 4, 2)?.at).toBe(3);
    expect(findContinuation(timeline, 1, 1)).toBeUndefined();
    expect(findContinuation(timeline, 0, 1)).toBeUndefined();
  });

  test("drafts become shorter where they do not come true, and longer again where they do", () => {
    // Twice the same ids, and then, at each place where they could come a third time, other ones.
    const once = Array.from({ length: 40 }, (_, i) => (i * 7) % 97);
    const timeline = Int32Array.from([...once, ...once, ...once]);
    const times = new PassTimes();
    times.learn(1, 100);
    const drafter = new Drafter(times);
    const drafted = (length: number): number => drafter.draft(timeline, length, 15).length;
    const first = drafted(60);
    expect(first).toBeGreaterThan(1);
    expect(drafter.draft(timeline, 60, first)).toEqual(once.slice(20, 20 + first));
    expect(drafted(60)).toBe(first);
    expect(drafter.draft(timeline, 60, 1).length).toBe(1);
    expect(drafter.draft(timeline, 60, 0)).toEqual([]);
    for (let i = 0; i < 60; i++) {
      timeline.set(once.slice(0, 24), 40);
      drafted(60);
      timeline.fill(99, 60);
      drafted(61);
    }
    timeline.set(once, 40);
    expect(drafted(60)).toBe(0);
    // What would have come true is seen without drafting it.
    for (let i = 0; i < 60; i++) {
      drafted(60);
      drafted(61);
    }
    expect(drafted(60)).toBeGreaterThan(first / 2);
  });

  test("there are no drafts before it is known what a pass without one takes", () => {
    const timeline = Int32Array.from(PROMPT);
    const times = new PassTimes();
    const drafter = new Drafter(times);
    expect(drafter.draft(timeline, 40, 15)).toEqual([]);
    expect(drafter.draft(timeline, 40, 15, { isAlways: true }).length).toBe(10);
    times.learn(1, 50);
    expect(drafter.draft(timeline, 40, 15).length).toBeGreaterThan(0);
  });

  test("drafts that cost more than they bring pause, longer each time until they have paid", () => {
    const timeline = Int32Array.from(PROMPT);
    const times = new PassTimes();
    times.learn(1, 50);
    const drafter = new Drafter(times);
    const isDrafting = (): boolean => drafter.draft(timeline, 40, 15).length > 0;
    const pause = (): number => {
      let passes = 0;
      while (!isDrafting()) passes++;
      return passes;
    };
    drafter.settle(2, 3);
    expect(isDrafting()).toBe(true);
    drafter.settle(0, 1.5);
    expect(pause()).toBe(32);
    drafter.settle(0, 3);
    expect(pause()).toBe(64);
    for (let i = 0; i < 8; i++) drafter.settle(3, 1);
    // Much that was gained may not be lost again.
    drafter.settle(0, 9);
    expect(pause()).toBe(32);
    for (let i = 0; i < 10; i++) {
      drafter.settle(0, 9);
      pause();
    }
    drafter.settle(0, 9);
    expect(pause()).toBe(1024);
  });

  test("passes are expected to take what they took, those with other numbers of ids in proportion", () => {
    const times = new PassTimes();
    times.learn(8, 400);
    expect(times.plainMs).toBeUndefined();
    for (let i = 0; i < 50; i++) times.learn(1, 50);
    expect(times.plainMs).toBeCloseTo(50);
    const expected = times.time(4);
    for (let i = 0; i < 50; i++) times.learn(4, 50 * 2 * expected);
    expect(times.time(4)).toBeCloseTo(2 * expected, 1);
    expect(times.time(2)).toBeCloseTo(2 * 1.85, 1);
    // No pass is expected to be shorter than one with a single id.
    for (let i = 0; i < 50; i++) times.learn(2, 1);
    expect(times.time(2)).toBe(1);
  });

  test("drafts are as long as they pay", () => {
    // Ids 40 … 47 have been at 10 … 17.
    const ids = Array.from({ length: 40 }, (_, i) => i);
    const timeline = Int32Array.from([...ids, ...ids.slice(10, 18)]);
    const drafterAt = (costPerId: number): Drafter => {
      const times = new PassTimes();
      times.learn(1, 100);
      for (let i = 0; i < 300; i++) {
        times.learn(2 + (i % 15), 100 * (1 + (1 + (i % 15)) * costPerId));
      }
      return new Drafter(times);
    };
    const lengthAt = (costPerId: number, others: number): number =>
      drafterAt(costPerId).draft(timeline, 48, 15, { others }).length;
    const [cheap, dear] = [lengthAt(0.05, 0), lengthAt(0.5, 0)];
    expect(cheap).toBeGreaterThan(dear);
    expect(dear).toBeGreaterThan(0);
    expect(lengthAt(1.5, 0)).toBe(0);
    // Beside others, the pass without a draft is worth more.
    expect(lengthAt(0.5, 7)).toBeLessThanOrEqual(dear);
  });
});

describe("several sessions at once", () => {
  const requests: readonly { prompt: readonly number[]; options: Options }[] = [
    { prompt: PROMPT, options: { speculation: "always" } },
    { prompt: PROMPT.slice(5, 30), options: { sampling: WARM } },
    { prompt: [5], options: { sampling: PENALISED, speculation: "always" } },
    {
      prompt: PROMPT,
      options: { matcher: { accept: () => {}, rollback: () => {}, mask: () => EVEN } },
    },
    { prompt: [9, 9, 9], options: { sampleableIds: EVEN } },
  ];

  test("are computed in one pass and get, bit for bit, what they get alone", async () => {
    const withLogprobs = async (on: LocalEngine, together: boolean) => {
      const one = async ({ prompt, options }: (typeof requests)[number]) => {
        const probabilities: TokenLogprobs[] = [];
        const logprobs = { top: 3, onLogprobs: (p: TokenLogprobs) => probabilities.push(p) };
        await fresh(prompt, 24, { ...options, logprobs }, on);
        return probabilities;
      };
      if (together) return Promise.all(requests.map(one));
      const results = [];
      for (const request of requests) results.push(await one(request));
      return results;
    };
    const alone = await withLogprobs(engine, false);
    const created = vi.spyOn(SharedDecodeState, "create");
    expect(await withLogprobs(engine, true)).toEqual(alone);
    expect(Math.max(...created.mock.calls.map(([sequences]) => sequences))).toBeGreaterThan(2);
    expect(await withLogprobs(pair, true)).toEqual(alone);
  });

  test("one that leaves, or is aborted, does not disturb the others", async () => {
    const expected = await fresh(PROMPT, 40, {});
    const leaves = async (): Promise<void> => {
      const session = await engine.createSession();
      await session.sync(PROMPT.slice(0, 20));
      let count = 0;
      for await (const _ of session.generate({
        maxTokens: 100,
        stopIds: new Set(),
        sampling: WARM,
      })) {
        if (++count === 5) break;
      }
      expect(session.tokens.length).toBe(25);
      // And it can go on at once.
      const rest = await collect(session, 10, { sampling: WARM });
      const whole = await fresh(PROMPT.slice(0, 20), 15, { sampling: WARM });
      expect(rest).toEqual(whole.slice(5));
      await session.close();
    };
    const isAborted = async (): Promise<void> => {
      const abort = new AbortController();
      const session = await engine.createSession();
      await session.sync(PROMPT);
      const run = session.generate({
        maxTokens: 100,
        stopIds: new Set(),
        sampling: GREEDY,
        signal: abort.signal,
      });
      await run.next();
      abort.abort(new Error("enough"));
      await expect(run.next()).rejects.toThrow("enough");
      await session.close();
    };
    const [first, second] = await Promise.all([
      fresh(PROMPT, 40, {}),
      fresh(PROMPT, 40, { speculation: "always" }),
      leaves(),
      isAborted(),
    ]);
    expect(first).toEqual(expected);
    expect(second).toEqual(expected);
  });

  test("more sessions than one pass takes all get their turn", async () => {
    const expected = await fresh([1, 2, 3], 12, {});
    const all = await Promise.all(Array.from({ length: 20 }, () => fresh([1, 2, 3], 12, {})));
    for (const ids of all) expect(ids).toEqual(expected);
  });
});

/** Gives masks by the ids since it was made, and writes down what it is told. */
class Recorder implements TokenMatcher {
  readonly ids: number[] = [];
  /** Lengths at which it was asked. */
  readonly asked: number[] = [];
  rolledBack = 0;
  readonly #maskOf: (ids: readonly number[]) => Uint32Array | null;

  constructor(maskOf: (ids: readonly number[]) => Uint32Array | null) {
    this.#maskOf = maskOf;
  }

  accept(id: number): void {
    expect(this.#maskOf(this.ids)?.[id >>> 5] ?? 0xffffffff).toSatisfy(
      (word: number) => (word & (1 << (id & 31))) !== 0,
    );
    this.ids.push(id);
  }

  rollback(count: number): void {
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(this.ids.length);
    this.ids.length -= count;
    this.rolledBack += count;
  }

  mask(): Uint32Array | null {
    this.asked.push(this.ids.length);
    return this.#maskOf(this.ids);
  }
}

describe("matchers", () => {
  test("only what they allow comes; they see each id before the next, and are asked once", async () => {
    for (const sampling of [GREEDY, { ...WARM, temperature: 5, topP: 1 }]) {
      const matcher = new Recorder(() => EVEN);
      const ids = await fresh(PROMPT, 40, { sampling, matcher });
      expect(ids.every((id) => id % 2 === 0)).toBe(true);
      expect(matcher.ids).toEqual(ids);
      expect(matcher.asked).toEqual(Array.from({ length: 40 }, (_, i) => i));
    }
  });

  test("that follow the ids force a sequence; null allows everything", async () => {
    const wanted = [90, 3, 3, 41, 95, 0];
    const matcher = new Recorder(({ length }) => {
      const next = wanted[length];
      return next === undefined ? null : tokenBitmask(TINY.vocab, [next]);
    });
    const ids = await fresh(PROMPT, 30, { matcher });
    const rest = await fresh([...PROMPT, ...wanted], 24, {});
    expect(ids).toEqual([...wanted, ...rest]);
  });

  test("drafts give the same ids, for any grammar, alone and beside others", async () => {
    const sampling = fc.constantFrom(GREEDY, WARM, { ...WARM, topP: 1, temperature: 2 });
    const grammar = fc.record({ seed: fc.nat(), shares: fc.constantFrom(2, 8, 30) });
    const property = fc.asyncProperty(sampling, grammar, async (sampling, { seed, shares }) => {
      // Whether an id may come depends on the two before it; now and then everything may.
      const maskOf = (ids: readonly number[]): Uint32Array | null => {
        const state = hash(seed, ids.at(-1) ?? -1, ids.at(-2) ?? -1);
        if (state % 5 === 0) return null;
        const allowed = Array.from({ length: TINY.vocab }, (_, id) => id);
        return tokenBitmask(
          TINY.vocab,
          allowed.filter((id) => hash(state, id, 0) % shares !== 0 || id === state % TINY.vocab),
        );
      };
      const plain = await fresh(PROMPT, 60, { sampling, matcher: new Recorder(maskOf) });
      for (const on of [engine, pair]) {
        const matcher = new Recorder(maskOf);
        const options = { sampling, matcher, speculation: "always" as const };
        const beside = fresh(PROMPT, 30, { sampling: WARM, speculation: "always" }, on);
        const [ids] = await Promise.all([fresh(PROMPT, 60, options, on), beside]);
        expect(ids).toEqual(plain);
        expect(matcher.ids).toEqual(plain);
        rolledBack += matcher.rolledBack;
      }
    });
    let rolledBack = 0;
    await fc.assert(property, { numRuns: 20 });
    expect(rolledBack).toBeGreaterThan(0);
  });

  test("a draft is computed as far as the masks allow it, and no further", async () => {
    const repeated = [...PROMPT.slice(0, 40)];
    const session = await engine.createSession();
    await session.sync(PROMPT);
    // What the prompt would go on with, up to the 20th id, which the grammar wants to be another.
    const matcher = new Recorder(({ length }) => {
      const next = length === 20 ? 1 : repeated[length];
      return tokenBitmask(TINY.vocab, next === undefined ? [0] : [next]);
    });
    const ids = await collect(session, 21, { matcher, speculation: "always" as const });
    expect(ids).toEqual([...repeated.slice(0, 20), 1]);
    const { forwards = 0, drafted = 0, accepted = 0 } = session.statistics;
    expect(drafted).toBeGreaterThan(0);
    expect(accepted).toBe(drafted);
    expect(forwards).toBe(21 - accepted);
    await session.close();
  });

  test("hold exactly the ids of the timeline, however the generation ends", async () => {
    const session = await engine.createSession();
    await session.sync(PROMPT);
    const matcher = new Recorder(() => EVEN);
    const held = () => {
      expect(matcher.ids).toEqual(session.tokens.slice(PROMPT.length));
    };
    const base = {
      stopIds: new Set<number>(),
      sampling: GREEDY,
      matcher,
      speculation: "always" as const,
    };
    let count = 0;
    for await (const _ of session.generate({ ...base, maxTokens: 50 })) {
      held();
      if (++count === 7) break;
    }
    held();
    const abort = new AbortController();
    const run = session.generate({ ...base, maxTokens: 50, signal: abort.signal });
    await run.next();
    abort.abort(new Error("enough"));
    await expect(run.next()).rejects.toThrow("enough");
    held();
    await collect(session, 40, base);
    held();
    // And the same matcher goes on where it stands.
    expect(matcher.ids.length).toBe(48);
    await session.close();
  });

  test("what one throws, or a mask that allows nothing, ends its generation; the session goes on", async () => {
    const session = await engine.createSession();
    await session.sync(PROMPT);
    const failsAt = (at: number, what: "accept" | "mask"): TokenMatcher => {
      let accepted = 0;
      return {
        accept: () => {
          if (what === "accept" && accepted === at) throw new RangeError("no rule");
          accepted++;
        },
        rollback: (count) => {
          accepted -= count;
        },
        mask: () => {
          if (what === "mask" && accepted === at) throw new RangeError("no rule");
          return null;
        },
      };
    };
    const came = (): number => session.tokens.length - PROMPT.length;
    await expect(collect(session, 30, { matcher: failsAt(3, "mask") })).rejects.toThrow("no rule");
    expect(came()).toBe(3);
    await expect(collect(session, 30, { matcher: failsAt(0, "mask") })).rejects.toThrow("no rule");
    await expect(collect(session, 30, { matcher: failsAt(2, "accept") })).rejects.toThrow(
      "no rule",
    );
    expect(came()).toBe(5);
    const nothing = new Recorder(() => new Uint32Array(3));
    await expect(collect(session, 30, { matcher: nothing })).rejects.toThrow(InvalidRequestError);
    const odd = EVEN.map((word) => ~word);
    const options = { matcher: new Recorder(() => EVEN), sampleableIds: odd };
    await expect(collect(session, 30, options)).rejects.toThrow(/allows no id/);
    expect(await collect(session, 10, {})).toEqual((await fresh(PROMPT, 15, {})).slice(5));
    await session.close();
  });

  test("one that fails does not hold up the sessions that are decoded beside it", async () => {
    const expected = await fresh(PROMPT, 60, {});
    for (const on of [engine, pair]) {
      const fails = async (at: number): Promise<void> => {
        const session = await on.createSession();
        await session.sync(PROMPT.slice(0, 20));
        const matcher = new Recorder((ids) => {
          if (ids.length === at) throw new RangeError(`no rule at ${at}`);
          return null;
        });
        const options = { matcher, speculation: "always" as const };
        await expect(collect(session, 60, options)).rejects.toThrow(`no rule at ${at}`);
        expect(session.tokens.length).toBe(20 + at);
        await session.close();
      };
      const [first, second] = await Promise.all([
        fresh(PROMPT, 60, {}, on),
        fresh(PROMPT, 60, { speculation: "always" }, on),
        fails(3),
        fails(17),
        fails(40),
      ]);
      expect(first).toEqual(expected);
      expect(second).toEqual(expected);
    }
  });
});

/** A number from 0 to 2^32 - 1 that looks random. */
function hash(...values: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const value of values) {
    state = Math.imul(state ^ value, 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return state >>> 0;
}

test("ids that may not be sampled never are, however flat the distribution", async () => {
  const sampleableIds = tokenBitmask(
    TINY.vocab,
    Array.from({ length: 40 }, (_, i) => i),
  );
  const sampling = { ...WARM, temperature: 50, topP: 1 };
  const ids = await fresh(PROMPT, 100, { sampling, sampleableIds });
  expect(Math.max(...ids)).toBeLessThan(40);
  expect(new Set(ids).size).toBeGreaterThan(20);
});

test("log probabilities are those of the model's logits, one report per id, before it", async () => {
  const [logits] = (await engine.logits(PROMPT)).slice(-1);
  const values = [...(logits ?? [])];
  const top = Math.max(...values);
  const normaliser = top + Math.log(values.reduce((sum, x) => sum + Math.exp(x - top), 0));
  const session = await engine.createSession();
  await session.sync(PROMPT);
  const reports: TokenLogprobs[] = [];
  const ids: number[] = [];
  const logprobs = { top: 2, onLogprobs: (report: TokenLogprobs) => reports.push(report) };
  const options = { maxTokens: 5, stopIds: new Set<number>(), sampling: GREEDY, logprobs };
  for await (const id of session.generate(options)) {
    ids.push(id);
    expect(reports.map((report) => report.id)).toEqual(ids);
  }
  const [first] = reports;
  expect(first?.logprob).toBeCloseTo((values[first?.id ?? 0] ?? 0) - normaliser, 9);
  expect(first?.top[0]).toEqual({ id: first?.id, logprob: first?.logprob });
  expect(first?.top.length).toBe(2);
  await session.close();
});

test("refuses requests that mean nothing", async () => {
  const session = await engine.createSession();
  await session.sync([1]);
  for (const options of [
    { sampling: { ...GREEDY, topK: -1 } },
    { sampling: { ...GREEDY, minP: 1.5 } },
    { sampling: { ...GREEDY, repetitionPenalty: 0 } },
    { sampling: { ...GREEDY, presencePenalty: Number.NaN } },
    { sampling: { ...GREEDY, frequencyPenalty: 1e9 } },
    { sampling: { ...GREEDY, penaltyWindow: 1.5 } },
    { sampleableIds: new Uint32Array(3) },
    { logprobs: { top: 21, onLogprobs: () => {} } },
  ]) {
    await expect(collect(session, 1, options)).rejects.toThrow(InvalidRequestError);
  }
  expect(session.tokens).toEqual([1]);
  await session.close();
});
