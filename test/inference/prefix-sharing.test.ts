/** Sessions of one engine that begin alike share the pages of keys and values of that. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import type { Session } from "../../inference/index.ts";
import { type LocalEngine, openLocalEngine } from "../../inference/local/local-engine.ts";
import { PrefixTree } from "../../inference/local/prefix-tree.ts";
import { KV_PAGE } from "../../inference/wasm/kernels.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";

const CONTEXT = 640;
/** Three beginnings; the second and third leave the first one within a page and at its end. */
const stem = (kind: number): number[] =>
  Array.from({ length: CONTEXT }, (_, i) => {
    const isOwn = (kind === 1 && i >= KV_PAGE + 20) || (kind === 2 && i >= 2 * KV_PAGE);
    return (i * 31 + (isOwn ? kind * 13 : 0)) % TINY.vocab;
  });

let folder: string;
let sharing: LocalEngine;
let separate: LocalEngine;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chorale-sharing-"));
  makeRandomModel(folder, TINY, 9);
  sharing = await open(true);
  separate = await open(false);
});

afterAll(async () => {
  await sharing.close();
  await separate.close();
  rmSync(folder, { recursive: true });
});

async function open(sharesPrefixes: boolean): Promise<LocalEngine> {
  const checkpoint = openCheckpoint(folder);
  try {
    return await openLocalEngine(checkpoint, {
      contextLength: CONTEXT,
      prefillChunk: 32,
      threads: 1,
      tuning: { sharesPrefixes },
    });
  } finally {
    checkpoint.close();
  }
}

async function generate(session: Session, count: number, seed: number): Promise<number[]> {
  const ids: number[] = [];
  const sampling = { temperature: 1, topP: 1, seed };
  for await (const id of session.generate({ maxTokens: count, stopIds: new Set(), sampling })) {
    ids.push(id);
  }
  return ids;
}

describe("a session that begins as another one", () => {
  test("computes what is its own, within a page as well; the other one may be closed", async () => {
    const engine = await open(true);
    const first = await engine.createSession();
    expect(await first.sync(stem(0).slice(0, 200))).toEqual({ reused: 0, computed: 200 });
    const second = await engine.createSession();
    // Three pages are whole; the fourth is the first session's alone.
    expect(await second.sync(stem(0).slice(0, 300))).toEqual({ reused: 192, computed: 108 });
    await first.close();
    const third = await engine.createSession();
    expect(await third.sync(stem(1).slice(0, 100))).toEqual({ reused: 84, computed: 16 });
    expect(third.tokens).toEqual(stem(1).slice(0, 100));
    await engine.close();
  });

  test("takes its pages once", async () => {
    const engine = await open(true);
    const prompt = stem(0).slice(0, 330);
    const sessions = [];
    for (let i = 0; i < 4; i++) {
      const session = await engine.createSession();
      await session.sync(prompt);
      sessions.push(session);
    }
    const one = sessions[0]!.cacheByteLength / Math.ceil(330 / KV_PAGE);
    const held = engine.statistics.residentBytes["cache"];
    // Five whole pages together, and each session's last one.
    expect(held).toBe((5 + 4) * one);
    await engine.close();
  });

  test("what two sessions computed at the same time is kept once", async () => {
    const engine = await open(true);
    const sessions = [await engine.createSession(), await engine.createSession()];
    await Promise.all(sessions.map((session) => session.sync(stem(0).slice(0, 129))));
    const ids = await Promise.all(sessions.map((session) => generate(session, 40, 3)));
    expect(ids[0]).toEqual(ids[1]);
    await engine.close();
  });
});

test("pages that no session uses any more are those of one context at most", async () => {
  const engine = await open(true);
  for (let kind = 0; kind < 12; kind++) {
    const session = await engine.createSession();
    const ids = stem(0).map((id, index) => (index === 0 ? kind : id));
    await session.sync(ids.slice(0, 600));
    await session.close();
  }
  const session = await engine.createSession();
  await session.sync([1, 2]);
  const page = session.cacheByteLength;
  const contexts = engine.statistics.residentBytes["cache"]! / page / (CONTEXT / KV_PAGE);
  expect(contexts).toBeLessThanOrEqual(2);
  await engine.close();
});

type Action =
  | {
      readonly type: "sync";
      readonly session: number;
      readonly kind: number;
      readonly length: number;
    }
  | { readonly type: "generate"; readonly session: number; readonly count: number }
  | { readonly type: "rewind"; readonly session: number; readonly part: number }
  | { readonly type: "close"; readonly session: number };

const session = fc.integer({ min: 0, max: 3 });
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    type: fc.constant("sync"),
    session,
    kind: fc.integer({ min: 0, max: 2 }),
    length: fc.integer({ min: 1, max: 400 }),
  }),
  fc.record({ type: fc.constant("generate"), session, count: fc.integer({ min: 1, max: 90 }) }),
  fc.record({
    type: fc.constant("rewind"),
    session,
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ type: fc.constant("close"), session }),
);

test("whatever sessions do, each has the ids that it has without the others", async () => {
  const property = fc.asyncProperty(fc.array(action, { maxLength: 14 }), async (actions) => {
    const pairs = new Map<number, { shared: Session; alone: Session }>();
    for (const [seed, step] of actions.entries()) {
      const pair = pairs.get(step.session) ?? {
        shared: await sharing.createSession(),
        alone: await separate.createSession(),
      };
      pairs.set(step.session, pair);
      const { shared, alone } = pair;
      if (step.type === "sync") {
        const ids = stem(step.kind).slice(0, step.length);
        await shared.sync(ids);
        await alone.sync(ids);
      } else if (step.type === "rewind") {
        const length = Math.floor(step.part * shared.tokens.length);
        shared.rewind(length);
        alone.rewind(length);
      } else if (step.type === "close") {
        await shared.close();
        await alone.close();
        pairs.delete(step.session);
      } else if (shared.tokens.length > 0 && shared.tokens.length < CONTEXT - 90) {
        expect(await generate(shared, step.count, seed)).toEqual(
          await generate(alone, step.count, seed),
        );
      }
      expect(shared.tokens).toEqual(alone.tokens);
    }
    for (const { shared, alone } of pairs.values()) {
      await shared.close();
      await alone.close();
    }
  });
  await fc.assert(property, { numRuns: 40 });
}, 60_000);

describe("the tree", () => {
  /** Ids whose pages differ in one of their ids. */
  const idsOf = (branches: readonly number[]): number[] =>
    branches.flatMap((branch) => Array.from({ length: KV_PAGE }, (_, i) => (i === 9 ? branch : i)));
  const path = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 4 });

  test("finds the longest beginning that was added and not given up", () => {
    fc.assert(
      fc.property(
        fc.array(path, { maxLength: 8 }),
        fc.array(path, { maxLength: 4 }),
        (added, asked) => {
          const tree = new PrefixTree();
          const pageOf = new Map<string, number>();
          let next = 0;
          const keyOf = (branches: readonly number[]): string => branches.join("");
          for (const branches of added) {
            const own = branches.map(() => next++);
            const kept = tree.add(idsOf(branches), own);
            for (const [index, page] of kept.entries()) {
              const key = keyOf(branches.slice(0, index + 1));
              expect(page).toBe(pageOf.get(key) ?? own[index]);
              pageOf.set(key, page);
            }
            for (const page of [...kept].reverse()) tree.leave(page);
          }
          expect(tree.unused).toBe(pageOf.size);
          for (const branches of asked) {
            const known = branches.map((_, index) =>
              pageOf.get(keyOf(branches.slice(0, index + 1))),
            );
            const whole = known.includes(undefined) ? known.indexOf(undefined) : known.length;
            expect(tree.find(idsOf(branches)).pages).toEqual(known.slice(0, whole));
          }
          // A page goes before the one that it follows.
          const parents = new Map(
            [...pageOf].map(([key, page]) => [page, pageOf.get(key.slice(0, -1))]),
          );
          const gone = new Set<number>();
          for (let page = tree.evict(1); page.length > 0; page = tree.evict(1)) {
            gone.add(page[0]!);
            const parent = parents.get(page[0]!);
            if (parent !== undefined) expect(gone.has(parent)).toBe(false);
          }
          expect(gone.size).toBe(pageOf.size);
        },
      ),
    );
  });

  test("keeps what is used", () => {
    const tree = new PrefixTree();
    tree.add(idsOf([0, 1]), [10, 11]);
    tree.leave(11);
    expect(tree.evict(5)).toEqual([11]);
    expect(tree.has(10)).toBe(true);
    expect(tree.leave(99)).toBe(false);
  });
});
