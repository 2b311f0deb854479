import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import {
  CheckpointError,
  InsufficientMemoryError,
  InvalidRequestError,
  openModel,
  type Precision,
  type TokenEngine,
} from "../../inference/index.ts";
import { type LocalEngineOptions, openLocalEngine } from "../../inference/local/local-engine.ts";
import { ExpertSlots } from "../../inference/model/expert-slots.ts";
import { kvCacheBytes, planKvLayout } from "../../inference/model/kv-layout.ts";
import {
  bankBytes,
  MAX_LOGIT_COLUMNS,
  type ModelPlan,
  planModel,
} from "../../inference/model/plan.ts";
import { FORMS, makeGguf } from "../fixtures/make-gguf-model.ts";
import {
  type ModelSize,
  randomWeights,
  TINY,
  writeOriginalModel,
} from "../fixtures/make-tiny-model.ts";
import { openFiles } from "../fixtures/open-files.ts";

/** Its experts are larger than the staging areas of all threads, which paging needs beside them. */
const SIZE: ModelSize = {
  ...TINY,
  hidden: 128,
  intermediate: 96,
  experts: 12,
  expertsPerToken: 3,
  swigluLimit: 7,
};
const GREEDY = { temperature: 0, topP: 1, seed: 0 };
const PROMPT = Array.from({ length: 24 }, (_, i) => (i * 31 + 7) % SIZE.vocab);
const COLUMNS = 16;
const CONTEXT = 200;

let folder = "";
let gguf = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-paging-"));
  const weights = randomWeights(SIZE, 9);
  writeOriginalModel(folder, SIZE, weights);
  gguf = join(folder, "model.gguf");
  writeFileSync(gguf, makeGguf(SIZE, weights, FORMS.llamaCppQ8));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("slots", () => {
  test("the least recently used expert makes room", () => {
    const slots = new ExpertSlots(2, 5);
    const use = (...experts: number[]): number[] => {
      const wave = slots.choose(experts);
      slots.fill(wave);
      return wave.loads.map(({ expert }) => expert);
    };
    expect(use(1, 2)).toEqual([1, 2]);
    expect(use(1)).toEqual([]);
    expect(use(3)).toEqual([3]);
    expect(slots.slotOf(2)).toBe(-1);
    expect(use(1)).toEqual([]);
    expect(use(2)).toEqual([2]);
    expect(slots.slotOf(3)).toBe(-1);
  });

  test("whatever is asked: each expert once, no slot twice, what is there first", () => {
    const steps = fc.array(fc.uniqueArray(fc.nat(8), { minLength: 1 }), { maxLength: 30 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        steps,
        fc.infiniteStream(fc.boolean()),
        (count, wanted, broken) => {
          const slots = new ExpertSlots(count, 9);
          const held = new Map<number, number>();
          for (const experts of wanted) {
            const needed = [...experts];
            const computed: number[] = [];
            while (needed.length > 0) {
              const before = [...needed];
              const wave = slots.choose(needed);
              expect(wave.experts.length).toBeGreaterThan(0);
              expect(wave.experts.length).toBeLessThanOrEqual(count);
              const resident = before.filter((expert) => [...held.values()].includes(expert));
              expect(wave.experts.slice(0, resident.length).toSorted()).toEqual(
                resident.toSorted(),
              );
              for (const { slot } of wave.loads) held.delete(slot);
              // Broken off while loading: nothing of the wave is there afterwards.
              if (broken.next().value && wave.loads.length > 0) break;
              slots.fill(wave);
              for (const { slot, expert } of wave.loads) held.set(slot, expert);
              computed.push(...wave.experts);
              for (const expert of wave.experts)
                expect(held.get(slots.slotOf(expert))).toBe(expert);
            }
            expect(new Set(computed).size).toBe(computed.length);
            for (let expert = 0; expert < 9; expert++) {
              const place = [...held].find(([, inSlot]) => inSlot === expert)?.[0] ?? -1;
              expect(slots.slotOf(expert)).toBe(place);
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

async function open(path: string, options: LocalEngineOptions): Promise<TokenEngine> {
  const checkpoint = openCheckpoint(path);
  try {
    return await openLocalEngine(checkpoint, {
      contextLength: CONTEXT,
      prefillChunk: COLUMNS,
      ...options,
    });
  } finally {
    checkpoint.close();
  }
}

async function generate(engine: TokenEngine, count: number): Promise<number[]> {
  const session = await engine.createSession();
  await session.sync(PROMPT);
  const ids: number[] = [];
  const options = { maxTokens: count, stopIds: new Set<number>(), sampling: GREEDY };
  for await (const id of session.generate(options)) ids.push(id);
  await session.close();
  return ids;
}

/** Opens with a memory limit that leaves so many slots per layer. */
async function openWithSlots(
  path: string,
  slots: number,
  options: { precision: Precision; threads: number },
): Promise<TokenEngine> {
  const checkpoint = openCheckpoint(path);
  const planWith = (memoryLimit: number): ModelPlan =>
    planModel(checkpoint, { ...options, columns: COLUMNS, screenSeed: 1, memoryLimit });
  let limit = bankBytes(planWith(1));
  while (Math.min(...planWith(limit).layers.map(({ gateUp }) => gateUp.length)) < slots) {
    limit += 1000;
  }
  checkpoint.close();
  const layout = planKvLayout(checkpoint.config, {
    contextLength: CONTEXT,
    columns: COLUMNS,
    sessions: Math.min(COLUMNS, MAX_LOGIT_COLUMNS),
    threads: options.threads,
    type: options.precision === "int8" ? "i16" : "f32",
  });
  return open(path, { ...options, memoryLimit: limit + kvCacheBytes(layout, CONTEXT) });
}

describe("with and without paging the ids are the same", () => {
  test.each([
    ["the original layout", "exact", 1, 2, () => folder],
    ["the original layout", "int8", 3, 1, () => folder],
    ["GGUF", "int8", 2, 3, () => gguf],
  ] as const)(
    "%s, %s, %i slots per layer, %i threads",
    async (_name, precision, slots, threads, path) => {
      const whole = await open(path(), { precision });
      expect(whole.statistics?.experts).toBeUndefined();
      const expected = await generate(whole, 12);
      await whole.close();
      const engine = await openWithSlots(path(), slots, { precision, threads });
      expect(await generate(engine, 12)).toEqual(expected);
      const { experts } = engine.statistics ?? expect.unreachable();
      if (experts === undefined) expect.unreachable();
      const { hits, misses, hitRate, bytesRead } = experts;
      expect(misses).toBeGreaterThan(slots * SIZE.layers.length);
      expect(hitRate).toBeCloseTo(hits / (hits + misses), 12);
      const expertBytes = (3 * SIZE.hidden * SIZE.intermediate * 17) / 32;
      expect(bytesRead).toBe(misses * expertBytes);
      // What is in memory now is used again.
      expect(await generate(engine, 12)).toEqual(expected);
      expect(engine.statistics?.experts?.hits).toBeGreaterThan(hits);
      await engine.close();
    },
  );
});

describe("the limit", () => {
  test("holds for all that is planned, and is used up", () => {
    const checkpoint = openCheckpoint(gguf);
    const options = { precision: "int8", threads: 2, columns: COLUMNS, screenSeed: 1 } as const;
    const whole = planModel(checkpoint, options);
    const least = planModel(checkpoint, { ...options, memoryLimit: 1 });
    expect(whole.paged).toBe(false);
    expect(bankBytes(least)).toBeLessThan(bankBytes(whole));
    expect(least.layers.map((layer) => layer.gateUp.length)).toEqual([1, 1]);
    const expert = whole.resident.experts / (SIZE.layers.length * SIZE.experts);
    for (let limit = bankBytes(least); limit < bankBytes(whole); limit += 7_777) {
      const plan = planModel(checkpoint, { ...options, memoryLimit: limit });
      expect(plan.paged).toBe(true);
      expect(bankBytes(plan)).toBeLessThanOrEqual(limit);
      const slots = plan.layers.reduce((sum, layer) => sum + layer.gateUp.length, 0);
      const full = slots === SIZE.layers.length * SIZE.experts - 1;
      expect(full || bankBytes(plan) + 1.1 * expert + 1024 > limit).toBe(true);
    }
    expect(planModel(checkpoint, { ...options, memoryLimit: bankBytes(whole) }).paged).toBe(false);
    checkpoint.close();
  });

  test("is used up where fewer experts need fewer banks, of which each has a scratch area", () => {
    const checkpoint = openCheckpoint(gguf);
    const layers = 12;
    const deep = {
      ...checkpoint,
      config: { ...checkpoint.config, layers },
      layers: Array.from({ length: layers }, () => checkpoint.layers[0] ?? expect.unreachable()),
    };
    const planWith = (memoryLimit: number): ModelPlan => {
      const options = { precision: "int8", threads: 2, columns: COLUMNS, screenSeed: 1 } as const;
      return planModel(deep, { ...options, screenSeed: 1, memoryLimit, maxBankBytes: 1_900_000 });
    };
    const whole = planWith(Number.POSITIVE_INFINITY);
    const least = planWith(1);
    expect(least.banks.length).toBeLessThan(whole.banks.length - 1);
    const slotsOf = (plan: ModelPlan): number =>
      plan.layers.reduce((sum, { gateUp }) => sum + gateUp.length, 0);
    const step = (bankBytes(whole) - bankBytes(least)) / 40;
    for (let limit = bankBytes(least); limit < bankBytes(whole); limit += step) {
      const plan = planWith(limit);
      expect(bankBytes(plan)).toBeLessThanOrEqual(limit);
      // What is known to fit is what is found.
      expect(slotsOf(planWith(bankBytes(plan)))).toBe(slotsOf(plan));
    }
    checkpoint.close();
  });

  test("that is too small, or none, is refused", async () => {
    const small = openModel(gguf, { memoryLimit: 100_000 });
    await expect(small).rejects.toThrow(InsufficientMemoryError);
    await expect(small).rejects.toThrow(
      /one expert of each layer in memory, needs [\d.]+ MiB .* have 97.7 KiB/,
    );
    for (const memoryLimit of [0, -1, Number.NaN]) {
      await expect(openModel(gguf, { memoryLimit })).rejects.toThrow(InvalidRequestError);
    }
  });
});

test("a file that shrinks under a paging engine ends the generation, not the process", async () => {
  const path = join(folder, "shrinks.gguf");
  copyFileSync(gguf, path);
  const engine = await openWithSlots(path, 1, { precision: "int8", threads: 2 });
  const expected = await generate(engine, 5);
  truncateSync(path, 1000);
  await expect(generate(engine, 5)).rejects.toThrow(CheckpointError);
  await expect(generate(engine, 5)).rejects.toThrow(/ffn_.*cut short/);
  // The same file again: the engine goes on where it can.
  writeFileSync(path, readFileSync(gguf));
  expect(await generate(engine, 5)).toEqual(expected);
  await engine.close();
  expect(openFiles(path)).toEqual([]);
});
