/**
 * A long prompt is read while other sessions decode and read short prompts, which interrupt it again and
 * again. Every session must get the ids that it gets alone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { EngineFailedError, type Session } from "../../inference/index.ts";
import { type LocalEngine, openLocalEngine } from "../../inference/local/local-engine.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";

const CONTEXT = 3072;
const promptOf = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, i) => (i * 31 + seed * 17 + ((i * seed) % 7)) % TINY.vocab);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-interleaving-"));
  makeRandomModel(folder, TINY, 5);
});

afterAll(() => rmSync(folder, { recursive: true }));

async function open(threads: number, uninterruptedMs: number): Promise<LocalEngine> {
  const checkpoint = openCheckpoint(folder);
  try {
    // Each prompt is to be computed each time.
    const tuning = { uninterruptedMs, sharesPrefixes: false };
    const options = { contextLength: CONTEXT, threads, tuning };
    return await openLocalEngine(checkpoint, options);
  } finally {
    checkpoint.close();
  }
}

async function generate(session: Session, seed: number, count: number): Promise<number[]> {
  const sampling = { temperature: 1, topP: 1, seed };
  const ids: number[] = [];
  for await (const id of session.generate({ maxTokens: count, stopIds: new Set(), sampling })) {
    ids.push(id);
  }
  return ids;
}

/** What a session says after a prompt. */
async function answer(engine: LocalEngine, length: number, seed: number): Promise<number[]> {
  const session = await engine.createSession();
  try {
    await session.sync(promptOf(length, seed));
    return await generate(session, seed, 24);
  } finally {
    await session.close();
  }
}

describe.each([1, 2, 3])("with %i threads", (threads) => {
  test("sessions that interrupt each other get the ids that each gets alone", async () => {
    const asks = [
      [2900, 1],
      [2000, 2],
      [300, 3],
      [40, 4],
      [1, 5],
      [130, 6],
    ] as const;
    const engine = await open(threads, 0);
    try {
      const alone: number[][] = [];
      for (const [length, seed] of asks) alone.push(await answer(engine, length, seed));
      const together = await Promise.all(
        asks.map(([length, seed]) => answer(engine, length, seed)),
      );
      expect(together).toEqual(alone);
    } finally {
      await engine.close();
    }
  });
});

test("at random moments, with sessions that are aborted and closed in the middle", async () => {
  const engine = await open(2, 0);
  const ask = fc.record({
    length: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 600, max: 2500 })),
    seed: fc.integer({ min: 1, max: 4 }),
    waitMs: fc.integer({ min: 0, max: 30 }),
    leavesAfterMs: fc.option(fc.integer({ min: 0, max: 60 })),
  });
  const expected = new Map<string, number[]>();
  try {
    const property = fc.asyncProperty(
      fc.array(ask, { minLength: 2, maxLength: 6 }),
      async (asks) => {
        for (const { length, seed } of asks) {
          const key = `${length} ${seed}`;
          if (!expected.has(key)) expected.set(key, await answer(engine, length, seed));
        }
        await Promise.all(
          asks.map(async ({ length, seed, waitMs, leavesAfterMs }) => {
            await new Promise((resolve) => setTimeout(resolve, waitMs));
            const want = expected.get(`${length} ${seed}`);
            if (leavesAfterMs === null) {
              expect(await answer(engine, length, seed)).toEqual(want);
              return;
            }
            const session = await engine.createSession();
            const signal = AbortSignal.timeout(leavesAfterMs);
            try {
              await session.sync(promptOf(length, seed), { signal });
            } catch (error) {
              if (!signal.aborted) throw error;
            }
            // What was computed is a beginning of the prompt, as good as computed alone.
            await session.sync(promptOf(length, seed));
            expect(await generate(session, seed, 24)).toEqual(want);
            await session.close();
          }),
        );
      },
    );
    await fc.assert(property, { numRuns: 25 });
  } finally {
    await engine.close();
  }
}, 60_000);

test("an engine that is closed while a prompt is interrupted ends all of it with an error", async () => {
  const engine = await open(2, 0);
  const ends = [2900, 2800, 60, 50].map((length, seed) => answer(engine, length, seed + 1));
  const settled = Promise.allSettled(ends);
  await new Promise((resolve) => setTimeout(resolve, 15));
  await engine.close();
  for (const end of await settled) {
    if (end.status === "rejected") expect(end.reason).toBeInstanceOf(EngineFailedError);
  }
  await expect(engine.createSession()).rejects.toThrow(EngineFailedError);
});
