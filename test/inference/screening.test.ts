/** Bounds instead of logits: that they hold, that they are close, and that no id depends on them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import type { GenerateOptions, Sampling } from "../../inference/index.ts";
import { type LocalEngine, openLocalEngine } from "../../inference/local/local-engine.ts";
import { bankBytes, planModel } from "../../inference/model/plan.ts";
import { spreadOf } from "../../inference/model/screen.ts";
import { gumbel, gumbelKey } from "../../inference/sampling/gumbel.ts";
import { sampleId } from "../../inference/sampling/sampler.ts";
import { tokenBitmask } from "../../inference/sampling/token-bitmask.ts";
import {
  Q8_OFFSET,
  Q8_RECORD_BYTES,
  SCREEN_DITHERS,
  SCREEN_RECORD_BYTES,
  SCREEN_TERMS_BYTES,
} from "../../inference/wasm/kernels.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { BUILDS, KernelMemory, randomFloats } from "./kernel-memory.ts";
import { logitRow } from "./logit-rows.ts";

const BLOCK = 32;

/** The same dither in every run: with one in thirty, the five likeliest of a random model want too many logits once. */
const screenSeed = 7;

describe.each(BUILDS)("the %s kernels", (build) => {
  const memory = new KernelMemory(build);
  const { kernels } = memory;

  /** Products of random weights with random activations, and their bounds for a spread. */
  const screened = (rows: number, blocks: number, seed: number, spreads: readonly number[]) => {
    memory.reset();
    const random = randomNumbers(seed);
    const groups = Math.ceil(rows / 8);
    const w = memory.put(randomFloats(rows * blocks * BLOCK, random));
    const records = memory.reserve(groups * blocks * Q8_RECORD_BYTES);
    kernels.q8_pack(w, records, rows, blocks);
    const dithers = Uint8Array.from({ length: blocks * BLOCK }, () => random() * SCREEN_DITHERS);
    const dither = memory.put(dithers);
    const copy = memory.reserve(groups * blocks * SCREEN_RECORD_BYTES);
    kernels.screen_pack(records, dither, copy, groups, blocks);

    const x = memory.put(randomFloats(blocks * BLOCK, random));
    const q = memory.reserve(blocks * BLOCK);
    const words = memory.reserve(blocks * BLOCK * 2);
    const scales = memory.reserve(blocks * 4);
    const starts = memory.reserve(blocks * 4);
    kernels.quantise_i8(x, blocks, q, scales, starts, Q8_OFFSET, words);
    const terms = memory.reserve(blocks * SCREEN_TERMS_BYTES);
    kernels.screen_terms(q, scales, dither, blocks, terms);
    const y = memory.result(rows);
    kernels.q8_matmul_i8(records, rows, blocks, q, words, scales, starts, 0, 1, 0, y, rows);
    const bounds = spreads.map((spread) => {
      const out = memory.result(rows);
      kernels.screen_bounds(copy, rows, blocks, q, terms, spread, out);
      return memory.floats(out, rows);
    });
    return { products: memory.floats(y, rows), bounds };
  };

  test("bound every product, by as many deviations of the copy's error as they are told", () => {
    const [rows, blocks] = [1003, 12];
    const spread = spreadOf(rows, blocks * BLOCK);
    const errors: number[] = [];
    for (let seed = 1; seed <= 8; seed++) {
      const { products, bounds } = screened(rows, blocks, seed, [0, 1, spread]);
      const [estimates, units, upper] = bounds;
      for (const [row, product] of products.entries()) {
        const estimate = estimates?.[row] ?? Number.NaN;
        errors.push((product - estimate) / ((units?.[row] ?? Number.NaN) - estimate));
        expect(upper?.[row]).toBeGreaterThan(product);
      }
    }
    // Errors spread over -8 … 8 have the variance 24; 8,000 of them stay within some 4 deviations.
    const variance = errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length;
    expect(variance).toBeGreaterThan(22);
    expect(variance).toBeLessThan(26);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(5.5 * Math.sqrt(24));
    expect(spread).toBeGreaterThan(8 * Math.sqrt(24));
  });

  test("call what is not a number infinite", () => {
    memory.reset();
    const copy = memory.reserve(SCREEN_RECORD_BYTES);
    const terms = memory.put(Float32Array.of(Number.NaN, 0, 1));
    const out = memory.result(3);
    kernels.screen_bounds(copy, 3, 1, memory.reserve(BLOCK), terms, 40, out);
    expect([...memory.floats(out, 3)]).toEqual([Infinity, Infinity, Infinity]);
  });

  const numbers = fc.array(
    fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(NaN, Infinity, -Infinity)),
    { minLength: 1, maxLength: 70 },
  );

  test("find the largest number and all from some number on", () => {
    fc.assert(
      fc.property(numbers, fc.constantFrom(-Infinity, -3, 0, 2.5, Infinity), (values, least) => {
        memory.reset();
        const address = memory.put(Float32Array.from(values));
        const real = values.filter((value) => value > -Infinity);
        const top = Math.max(...real, -Infinity);
        const nan = values.findIndex(Number.isNaN);
        const largest = real.length === 0 ? 0 : values.indexOf(top);
        const first = nan === -1 ? largest : nan;
        expect(kernels.largest(address, values.length)).toBe(first);
        const found = memory.reserve(values.length * 4);
        const count = kernels.at_least(address, values.length, least, found);
        const ids = new Uint32Array(memory.bytes(found, count * 4).buffer);
        const expected = [...values.keys()].filter((id) => (values[id] ?? 0) >= least);
        expect([...ids]).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test("bound the sum of a number and its noise closely", () => {
    const count = 4099;
    const random = randomNumbers(5);
    for (const [temperature, seed] of [
      [1, 3],
      [0.01, 2 ** 40],
      [100, 9],
    ] as const) {
      memory.reset();
      const values = randomFloats(count, random, 10);
      values.set([NaN, -Infinity, Infinity], 7);
      const out = memory.result(count);
      const key = gumbelKey(seed, 77);
      const least = -5;
      const { first, second } = key;
      const address = memory.put(values);
      kernels.gumbel_bounds(address, count, temperature, least, first, second, out);
      const bounds = memory.floats(out, count);
      for (const [id, value] of values.entries()) {
        const bound = bounds[id] ?? NaN;
        const drawn = gumbel(key, id);
        if (!(value >= least)) expect(bound).toBe(-Infinity);
        else if (value === Infinity) expect(bound).toBe(Infinity);
        else {
          const sum = value + temperature * drawn;
          expect(bound).toBeGreaterThanOrEqual(sum);
          // Where the noise is large enough to win, the bound is close.
          if (drawn > 3) expect(bound).toBeLessThan(sum + 0.13 * temperature + 1e-4);
        }
      }
    }
  });
});

test("sampling from bounds gives the id that the logits give, or asks for them", () => {
  const count = 400;
  const sampling = fc.record({
    temperature: fc.constantFrom(0, 0, 1e-40, 0.3, 1, 4),
    topP: fc.constantFrom(1, 1, 0.7),
    topK: fc.constantFrom(0, 0, 1, 3, 20, 300),
    seed: fc.maxSafeNat(),
    minP: fc.constantFrom(0, 0.2, 1),
    repetitionPenalty: fc.constantFrom(1, 1.5, 0.5),
    presencePenalty: fc.constantFrom(0, 0.5, -0.5),
  });
  let enough = 0;
  fc.assert(
    fc.property(
      sampling,
      fc.integer(),
      fc.uniqueArray(fc.nat(count - 1), { maxLength: 40 }),
      fc.constantFrom(0, 0, 0, 1 / 8, 1),
      (settings, seed, timeline, masked) => {
        const random = randomNumbers(seed);
        // Many ties, some of them at the top.
        const unit = random() < 0.5 ? 0.5 : 2;
        const logits = Float32Array.from({ length: count }, () => Math.round(random() * 24) * unit);
        const slack = random() < 0.3 ? 0 : 1.5 * unit * random();
        const bounds = logits.map((logit) => logit + slack * random());
        if (random() < 0.05) bounds[Math.floor(random() * count)] = Infinity;
        const allowed = [...logits.keys()].filter(() => random() > masked);
        const context = {
          timeline,
          position: timeline.length,
          allowed: allowed.length === 0 || masked === 0 ? [] : [tokenBitmask(count, allowed)],
        };
        const expected = sampleId(logitRow(logits), settings, context);
        const row = logitRow(bounds, logits);
        const found = sampleId(row, settings, context);
        if (found === undefined) return;
        enough++;
        expect(found).toBe(expected);
        expect(row.computed).toBeGreaterThan(0);
      },
    ),
    { numRuns: 1500 },
  );
  expect(enough).toBeGreaterThan(300);
});

describe("a model whose unembedding is screened", () => {
  const SIZE = { ...TINY, vocab: 3001 };
  const PROMPT = Array.from({ length: 30 }, (_, i) => (i * 311 + 7) % SIZE.vocab);
  let folder: string;
  let plain: LocalEngine;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "chorale-screening-"));
    makeRandomModel(folder, SIZE, 5);
    plain = await open(1, Number.POSITIVE_INFINITY);
  });

  afterAll(async () => {
    await plain?.close();
    rmSync(folder, { recursive: true });
  });

  async function open(threads: number, minScreenedWeights: number): Promise<LocalEngine> {
    const checkpoint = openCheckpoint(folder);
    try {
      const tuning = { minScreenedWeights, screenSeed };
      const options = { contextLength: 256, prefillChunk: 16, threads, tuning };
      return await openLocalEngine(checkpoint, options);
    } finally {
      checkpoint.close();
    }
  }

  const base: Sampling = { temperature: 1, topP: 1, seed: 7 };
  const even = tokenBitmask(
    SIZE.vocab,
    Array.from({ length: SIZE.vocab / 2 }, (_, i) => 2 * i),
  );
  const requests: readonly Partial<GenerateOptions>[] = [
    { sampling: { ...base, temperature: 0 } },
    { sampling: base },
    { sampling: { ...base, seed: 8, temperature: 0.2, minP: 0.1 } },
    { sampling: { ...base, temperature: 0.5, repetitionPenalty: 1.3, frequencyPenalty: 0.2 } },
    { sampling: { ...base, temperature: 0 }, sampleableIds: even },
    { sampling: { ...base, topK: 5 } },
    { sampling: { ...base, topK: 5, topP: 0.8, minP: 0.01, presencePenalty: 0.5 } },
    { sampling: { ...base, topP: 0.9 } },
    { sampling: { ...base, temperature: 0 }, speculation: "always" },
  ];

  async function generate(engine: LocalEngine, options: Partial<GenerateOptions>) {
    const session = await engine.createSession();
    await session.sync(PROMPT);
    const ids: number[] = [];
    const run = session.generate({
      maxTokens: 60,
      stopIds: new Set(),
      sampling: base,
      speculation: false,
      ...options,
    });
    for await (const id of run) ids.push(id);
    const { screened } = session.statistics;
    await session.close();
    return { ids, screened };
  }

  test.each([1, 2, 3])("gives the same ids, with %i threads", async (threads) => {
    const engine = await open(threads, 0);
    for (const [index, options] of requests.entries()) {
      const expected = await generate(plain, options);
      expect(expected.screened).toBeUndefined();
      const found = await generate(engine, options);
      expect(found.ids).toEqual(expected.ids);
      if (index === 0 || index === 1 || index === 5) {
        expect(found.screened?.ids).toBe(60);
        expect(found.screened?.logits).toBeLessThan((60 * SIZE.vocab) / 20);
      }
    }
    await engine.close();
  });

  test("does without its copy where memory is short, before it pages", () => {
    const checkpoint = openCheckpoint(folder);
    const options = { precision: "int8", threads: 1, columns: 16, screenSeed } as const;
    const full = planModel(checkpoint, options);
    const screened = planModel(checkpoint, { ...options, minScreenedWeights: 0 });
    expect(screened.head.screen).toBeDefined();
    for (const memoryLimit of [bankBytes(screened) - 1, bankBytes(full), bankBytes(full) - 1]) {
      const plan = planModel(checkpoint, {
        ...options,
        minScreenedWeights: 0,
        memoryLimit,
      });
      expect(plan.head.screen).toBeUndefined();
      expect(plan.paged).toBe(memoryLimit < bankBytes(full));
    }
    checkpoint.close();
  });

  test("names its copy among what it holds", async () => {
    const screened = await open(1, 0);
    const copy = (3008 / 8) * (SIZE.hidden / BLOCK) * SCREEN_RECORD_BYTES;
    const bytes = (engine: LocalEngine): number =>
      engine.statistics.residentBytes["unembedding"] ?? 0;
    expect(bytes(screened)).toBe(bytes(plain) + copy);
    expect(screened.bytesPerToken).toBe(
      plain.bytesPerToken - (copy / SCREEN_RECORD_BYTES) * (Q8_RECORD_BYTES - SCREEN_RECORD_BYTES),
    );
    await screened.close();
  });
});
