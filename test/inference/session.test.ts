import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import {
  ContextOverflowError,
  InsufficientMemoryError,
  InvalidRequestError,
  type Session,
} from "../../inference/index.ts";
import { type LocalEngine, openLocalEngine } from "../../inference/local/local-engine.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";

const GREEDY = { temperature: 0, topP: 1, seed: 0 };
const WARM = { temperature: 1.3, topP: 0.95, seed: 7 };
const PROMPT = Array.from({ length: 150 }, (_, i) => (i * 31 + 7) % TINY.vocab);
const CONTEXT = 400;

let folder: string;
let engine: LocalEngine;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chorale-session-"));
  makeRandomModel(folder, TINY, 3);
  engine = await open();
});

afterAll(async () => {
  await engine?.close();
  rmSync(folder, { recursive: true });
});

async function open(
  options: Parameters<typeof openLocalEngine>[1] = {},
  model = folder,
): Promise<LocalEngine> {
  const checkpoint = openCheckpoint(model);
  try {
    return await openLocalEngine(checkpoint, {
      contextLength: CONTEXT,
      prefillChunk: 16,
      ...options,
      // What a session computes is told by its own steps; see prefix-sharing.test.ts.
      tuning: { sharesPrefixes: false, ...options.tuning },
    });
  } finally {
    checkpoint.close();
  }
}

type Options = Partial<Parameters<Session["generate"]>[0]>;

async function generate(session: Session, maxTokens: number, options: Options = {}) {
  const ids: number[] = [];
  const run = session.generate({ maxTokens, stopIds: new Set(), sampling: GREEDY, ...options });
  for (;;) {
    const next = await run.next();
    if (next.done) return { ids, reason: next.value };
    ids.push(next.value);
  }
}

/** What a fresh session says after `prompt`. */
async function fresh(prompt: readonly number[], count: number, options: Options = {}) {
  const session = await engine.createSession();
  await session.sync(prompt);
  const { ids } = await generate(session, count, options);
  await session.close();
  return ids;
}

describe("sync", () => {
  test("computes what is new and keeps the common prefix", async () => {
    const session = await engine.createSession();
    expect(await session.sync(PROMPT)).toEqual({ reused: 0, computed: 150 });
    expect(await session.sync(PROMPT)).toEqual({ reused: 150, computed: 0 });
    expect(await session.sync([...PROMPT, 1, 2])).toEqual({ reused: 150, computed: 2 });
    expect(await session.sync([...PROMPT.slice(0, 90), 5])).toEqual({ reused: 90, computed: 1 });
    expect(session.tokens).toEqual([...PROMPT.slice(0, 90), 5]);
    expect(await session.sync([])).toEqual({ reused: 0, computed: 0 });
    expect(session.tokens).toEqual([]);
    await session.close();
  });

  test("however a timeline came about, it goes on in the same way", async () => {
    const target = [...PROMPT.slice(0, 100), 3, 1, 4];
    const expected = await fresh(target, 40);
    const session = await engine.createSession();
    await session.sync(PROMPT);
    await generate(session, 50);
    await session.sync(target.slice(0, 70));
    await generate(session, 3, { sampling: WARM });
    await session.sync(target);
    expect((await generate(session, 40)).ids).toEqual(expected);
    // The ids of a generation are kept: only what follows them is new.
    const next = [...target, ...expected, 9, 8];
    expect(await session.sync(next)).toEqual({ reused: next.length - 2, computed: 2 });
    expect((await generate(session, 20)).ids).toEqual(await fresh(next, 20));
    await session.close();
  });

  test("reports progress up to all that was new", async () => {
    const session = await engine.createSession();
    await session.sync(PROMPT.slice(0, 33));
    const seen: { done: number; total: number }[] = [];
    await session.sync(PROMPT, { onProgress: (progress) => seen.push(progress) });
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.every((progress) => progress.total === 117)).toBe(true);
    expect(seen.map((progress) => progress.done)).toEqual(
      seen.map((progress) => progress.done).sort((a, b) => a - b),
    );
    expect(seen.at(-1)?.done).toBeGreaterThanOrEqual(116);
    await session.close();
  });

  test("aborted between chunks: the timeline is a valid prefix, and goes on from there", async () => {
    const session = await engine.createSession();
    const abort = new AbortController();
    const syncing = session.sync(PROMPT, {
      signal: abort.signal,
      onProgress: () => abort.abort(new Error("enough")),
    });
    await expect(syncing).rejects.toThrow("enough");
    const { length } = session.tokens;
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThan(150);
    expect(session.tokens).toEqual(PROMPT.slice(0, length));
    expect((await generate(session, 10)).ids).toEqual(await fresh(PROMPT.slice(0, length), 10));
    await session.close();
  });

  test("refuses ids that the model does not have and more tokens than fit", async () => {
    const session = await engine.createSession();
    await session.sync([1, 2, 3]);
    for (const id of [TINY.vocab, -1, 1.5, Number.NaN]) {
      await expect(session.sync([1, id])).rejects.toThrow(InvalidRequestError);
    }
    const long = Array.from({ length: CONTEXT + 1 }, () => 1);
    await expect(session.sync(long)).rejects.toThrow(ContextOverflowError);
    expect(session.tokens).toEqual([1, 2, 3]);
    expect(await session.sync(long.slice(1))).toEqual({ reused: 1, computed: CONTEXT - 1 });
    await session.close();
  });
});

describe("generate", () => {
  test("ends with a stop id, which is yielded and kept", async () => {
    const ids = await fresh(PROMPT, 60);
    const stop = ids[45] ?? expect.unreachable();
    const session = await engine.createSession();
    await session.sync(PROMPT);
    const result = await generate(session, 60, { stopIds: new Set([stop]) });
    const expected = ids.slice(0, ids.indexOf(stop) + 1);
    expect(result).toEqual({ ids: expected, reason: "stop" });
    expect(session.tokens).toEqual([...PROMPT, ...expected]);
    await session.close();
  });

  test("ends when the context is full, and says so", async () => {
    const session = await engine.createSession();
    await session.sync(PROMPT);
    const result = await generate(session, 10_000);
    expect(result.reason).toBe("context");
    expect(session.tokens.length).toBe(CONTEXT);
    expect(await generate(session, 5)).toEqual({ ids: [], reason: "context" });
    await session.close();
  });

  test("ends with length; none at all is a length, too", async () => {
    const session = await engine.createSession();
    await session.sync([1]);
    expect(await generate(session, 0)).toEqual({ ids: [], reason: "length" });
    expect(await generate(session, 3)).toMatchObject({ reason: "length" });
    expect(session.tokens.length).toBe(4);
    await session.close();
  });

  test("one long run, several short ones and one that was broken off give the same ids", async () => {
    for (const sampling of [GREEDY, WARM]) {
      const whole = await fresh(PROMPT, 100, { sampling });
      const session = await engine.createSession();
      await session.sync(PROMPT);
      const ids: number[] = [];
      for (const count of [1, 32, 7])
        ids.push(...(await generate(session, count, { sampling })).ids);
      for await (const id of session.generate({ maxTokens: 99, stopIds: new Set(), sampling })) {
        ids.push(id);
        if (ids.length === 55) break;
      }
      expect(session.tokens.length).toBe(150 + 55);
      ids.push(...(await generate(session, 45, { sampling })).ids);
      expect(ids).toEqual(whole);
      await session.close();
    }
  });

  test("a seed decides; another one decides otherwise", async () => {
    const ids = await fresh(PROMPT, 50, { sampling: WARM });
    expect(await fresh(PROMPT, 50, { sampling: WARM })).toEqual(ids);
    expect(await fresh(PROMPT, 50, { sampling: { ...WARM, seed: 8 } })).not.toEqual(ids);
    expect(ids).not.toEqual(await fresh(PROMPT, 50));
  });

  test("any number of threads and both builds of the kernels give the same ids", async () => {
    const prompt = PROMPT.slice(0, 50);
    const ids = await fresh(prompt, 20, { sampling: WARM });
    for (const options of [
      { threads: 2 },
      { threads: 3, tuning: { kernels: "baseline" } } as const,
    ]) {
      const other = await open(options);
      const session = await other.createSession();
      await session.sync(prompt);
      expect((await generate(session, 20, { sampling: WARM })).ids).toEqual(ids);
      await other.close();
    }
  });

  test("weights and cache in several memories give the same ids", async () => {
    const prompt = PROMPT.slice(0, 90);
    const ids = await fresh(prompt, 20, { sampling: WARM });
    const other = await open({ tuning: { maxBankBytes: (1 << 20) + (1 << 16) }, threads: 2 });
    const session = await other.createSession();
    await session.sync(prompt);
    expect((await generate(session, 20, { sampling: WARM })).ids).toEqual(ids);
    await other.close();
  });

  test("aborted: the reason is thrown, and the timeline holds what was yielded", async () => {
    const session = await engine.createSession();
    await session.sync(PROMPT);
    const abort = new AbortController();
    const ids: number[] = [];
    const run = async (): Promise<void> => {
      const options = { maxTokens: 200, stopIds: new Set<number>(), sampling: GREEDY };
      for await (const id of session.generate({ ...options, signal: abort.signal })) {
        ids.push(id);
        if (ids.length === 5) abort.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    expect(session.tokens).toEqual([...PROMPT, ...ids]);
    expect(ids.length).toBe(5);
    expect((await generate(session, 10)).ids).toEqual((await fresh(PROMPT, 15)).slice(5));
    await session.close();
  });

  test("refuses what means nothing", async () => {
    const session = await engine.createSession();
    await expect(generate(session, 1)).rejects.toThrow(/empty timeline/);
    await session.sync([1]);
    await expect(generate(session, -1)).rejects.toThrow(InvalidRequestError);
    for (const sampling of [
      { ...GREEDY, temperature: -1 },
      { ...GREEDY, temperature: Number.NaN },
      { ...GREEDY, topP: 0 },
      { ...GREEDY, topP: 1.1 },
      { ...GREEDY, seed: 0.5 },
      { ...GREEDY, seed: -1 },
    ]) {
      await expect(generate(session, 1, { sampling })).rejects.toThrow(InvalidRequestError);
    }
    expect(session.tokens).toEqual([1]);
    await session.close();
  });
});

describe("several sessions", () => {
  test("over one set of weights, side by side, do not disturb each other", async () => {
    const prompts = [PROMPT, PROMPT.slice(3, 40), [5]];
    const expected = [];
    for (const prompt of prompts) expected.push(await fresh(prompt, 70));
    const together = await Promise.all(prompts.map((prompt) => fresh(prompt, 70)));
    expect(together).toEqual(expected);
  });

  test("one operation at a time on each; none after closing", async () => {
    const session = await engine.createSession();
    await session.sync([1, 2, 3]);
    const syncing = session.sync(PROMPT);
    await expect(session.sync([1])).rejects.toThrow(/another operation/);
    expect(() => session.rewind(0)).toThrow(/another operation/);
    await syncing;
    expect(() => session.rewind(151)).toThrow(/accepted: 0 … 150/);
    await session.close();
    await session.close();
    await expect(session.sync([1])).rejects.toThrow(/closed/);
  });

  test("a closed engine says so, whatever is asked of it", async () => {
    const other = await open();
    const session = await other.createSession();
    await session.sync([1, 2, 3]);
    const running = expect(generate(session, 300)).rejects.toThrow(/engine was closed/);
    await other.close();
    await running;
    await expect(session.sync([5, 6])).rejects.toThrow(/engine was closed/);
    await expect(other.createSession()).rejects.toThrow(/is closed/);
    await other.close();
  });
});

describe("the memory of sessions", () => {
  const PAGE_TOKENS = 64;

  test("is taken by pages as tokens come, and given back as they are cut", async () => {
    const other = await open();
    const session = await other.createSession();
    expect(session.cacheByteLength).toBe(0);
    await session.sync(PROMPT.slice(0, 1));
    expect(session.cacheByteLength).toBe(0);
    await session.sync(PROMPT.slice(0, 2));
    const page = session.cacheByteLength;
    expect(page).toBeGreaterThan(0);
    await session.sync(PROMPT);
    expect(session.cacheByteLength).toBe(3 * page);
    const run = session.generate({
      maxTokens: 240,
      stopIds: new Set(),
      sampling: GREEDY,
      // Drafts may need more at once.
      speculation: false,
    });
    for (let length = PROMPT.length + 1; !(await run.next()).done; length++) {
      const pages = session.cacheByteLength / page;
      expect(pages).toBeGreaterThanOrEqual(Math.ceil((length - 1) / PAGE_TOKENS));
      expect(pages).toBeLessThanOrEqual(Math.ceil((length + 31) / PAGE_TOKENS));
    }
    expect(session.cacheByteLength).toBe(Math.ceil(390 / PAGE_TOKENS) * page);
    session.rewind(65);
    expect(session.cacheByteLength).toBe(2 * page);
    await session.close();
    await other.close();
  });

  test("is used again by the next ones, whose ids are those of fresh memory", async () => {
    const other = await open();
    const cache = (): number => other.statistics.residentBytes["cache"] ?? 0;
    const first = await other.createSession();
    await first.sync(Array.from({ length: CONTEXT }, (_, i) => (i * 17 + 3) % TINY.vocab));
    const full = cache();
    await first.close();
    for (let i = 0; i < 20; i++) {
      const prompts = [PROMPT, PROMPT.slice(0, 70 + i), PROMPT.slice(i, 40)];
      const sessions = await Promise.all(prompts.map(() => other.createSession()));
      for (const [index, session] of sessions.entries()) {
        const prompt = prompts[index] ?? expect.unreachable();
        await session.sync(prompt);
        if (i % 7 > 0) continue;
        expect((await generate(session, 12)).ids).toEqual(await fresh(prompt, 12));
      }
      for (const session of sessions) await session.close();
    }
    expect(cache()).toBe(full);
    await other.close();
  });

  test("opening and closing sessions does not grow the process", async () => {
    const size = { ...TINY, heads: 8, kvHeads: 2, headDim: 32 };
    const wide = mkdtempSync(join(tmpdir(), "chorale-session-"));
    makeRandomModel(wide, size, 3);
    const other = await open({ contextLength: 2048, prefillChunk: 512 }, wide);
    rmSync(wide, { recursive: true });
    const prompt = Array.from({ length: 400 }, (_, i) => i % size.vocab);
    let early = 0;
    for (let i = 0; i < 200; i++) {
      const session = await other.createSession();
      await session.sync(prompt);
      await session.close();
      if (i === 50) early = process.memoryUsage.rss();
    }
    // With shared memories of its own for each session it is more than 200 MB.
    expect(process.memoryUsage.rss() - early).toBeLessThan(60 << 20);
    await other.close();
  });

  test("that is not there is said before anything is computed; the session goes on", async () => {
    const other = await open({ tuning: { maxBankBytes: (1 << 20) + (1 << 16) } });
    const sessions = [];
    let refused: unknown;
    while (refused === undefined && sessions.length < 1000) {
      const session = await other.createSession();
      sessions.push(session);
      refused = await session.sync(PROMPT).then(
        () => undefined,
        (error: unknown) => error,
      );
    }
    expect(refused).toBeInstanceOf(InsufficientMemoryError);
    expect(sessions.length).toBeGreaterThan(2);
    const [first, last] = [sessions[0], sessions.at(-1)];
    expect(last?.tokens).toEqual([]);
    // What another one gives back is enough.
    await first?.close();
    expect(await last?.sync(PROMPT)).toEqual({ reused: 0, computed: 150 });
    expect((await generate(last ?? expect.unreachable(), 5)).ids).toEqual(await fresh(PROMPT, 5));
    await other.close();
  });
});

describe("closing a session at work", () => {
  test("ends a sync; what others compute is not disturbed", async () => {
    const expected = await fresh(PROMPT, 30);
    const session = await engine.createSession();
    const syncing = expect(session.sync(PROMPT)).rejects.toThrow(/session is closed/);
    const beside = fresh(PROMPT, 30);
    await session.close();
    await syncing;
    expect(await beside).toEqual(expected);
    await expect(session.sync(PROMPT)).rejects.toThrow(InvalidRequestError);
  });

  test("ends a generation, also one whose ids are not asked for any more", async () => {
    const expected = await fresh(PROMPT, 60);
    for (const taken of [1, 5, 33]) {
      const session = await engine.createSession();
      await session.sync(PROMPT);
      const run = session.generate({ maxTokens: 200, stopIds: new Set(), sampling: GREEDY });
      for (let i = 0; i < taken; i++) await run.next();
      await session.close();
      // Its pages are another session's now.
      const beside = fresh(PROMPT, 60);
      await expect(run.next()).rejects.toThrow(/session is closed/);
      expect(await beside).toEqual(expected);
    }
  });
});

test("after a sync that was aborted, the next one computes only the rest", async () => {
  const session = await engine.createSession();
  const abort = new AbortController();
  const onProgress = ({ done }: { done: number }): void => {
    if (done >= 48) abort.abort(new Error("enough"));
  };
  await expect(session.sync(PROMPT, { signal: abort.signal, onProgress })).rejects.toThrow(
    "enough",
  );
  const { length } = session.tokens;
  expect(length).toBeGreaterThanOrEqual(48);
  expect(await session.sync(PROMPT)).toEqual({ reused: length, computed: 150 - length });
  expect((await generate(session, 10)).ids).toEqual(await fresh(PROMPT, 10));
  await session.close();
});
