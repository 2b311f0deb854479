import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BrokenNumbersError, type Sampling } from "../../inference/index.ts";
import { expNeg, MAX_EXPONENT } from "../../inference/sampling/exponential.ts";
import { gumbel, gumbelKey } from "../../inference/sampling/gumbel.ts";
import { Logprobs } from "../../inference/sampling/logprobs.ts";
import { type SampleContext, sampleId } from "../../inference/sampling/sampler.ts";
import { hasId, tokenBitmask } from "../../inference/sampling/token-bitmask.ts";
import { logitRow } from "./logit-rows.ts";

const LOGITS = Float32Array.of(1, 3, 3, 2, -4);
const GREEDY: Sampling = { temperature: 0, topP: 1, seed: 0 };

/** The sampler changes its logits: each call gets a copy. */
function sample(
  logits: Float32Array,
  sampling: Partial<Sampling>,
  context: Partial<SampleContext> = {},
): number | undefined {
  return sampleId(
    logitRow(logits),
    { temperature: 1, topP: 1, seed: 11, ...sampling },
    { timeline: [], position: 0, allowed: [], ...context },
  );
}

/** How often each id comes, over so many seeds. */
function histogram(
  logits: Float32Array,
  sampling: Partial<Sampling>,
  context: Partial<SampleContext> = {},
): number[] {
  const draws = 20_000;
  const counts = new Array<number>(logits.length).fill(0);
  for (let seed = 0; seed < draws; seed++) {
    const id = sample(logits, { ...sampling, seed }, context) ?? -1;
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts.map((count) => count / draws);
}

function softmax(logits: readonly number[]): number[] {
  const weights = logits.map(Math.exp);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** Far beyond the deviation of 20,000 draws (0.0035), far below a wrong distribution. */
function expectClose(found: number[], expected: number[]): void {
  for (const [id, share] of expected.entries()) {
    expect(Math.abs((found[id] ?? 1) - share), `id ${id}`).toBeLessThan(0.015);
  }
}

describe("greedy", () => {
  test("takes the largest logit, the lowest id on a tie", () => {
    expect(sample(LOGITS, GREEDY)).toBe(1);
  });

  test("takes only ids that are allowed, by every set", () => {
    expect(sample(LOGITS, GREEDY, { allowed: [tokenBitmask(5, [0, 3, 4])] })).toBe(3);
    expect(
      sample(LOGITS, GREEDY, { allowed: [tokenBitmask(5, [0, 3]), tokenBitmask(5, [0, 1])] }),
    ).toBe(0);
  });

  test("a logit of -infinity never wins; NaN, or infinity as the largest, is an error", () => {
    const none = Number.NEGATIVE_INFINITY;
    expect(sample(Float32Array.of(none, none, -1e30), GREEDY)).toBe(2);
    expect(sample(Float32Array.of(none, none, -1e30), {}, { position: 3 })).toBe(2);
    for (const logits of [
      [1, 2, Number.NaN],
      [Number.NaN, Number.NaN],
      [1, Number.POSITIVE_INFINITY, 0],
      [none, none],
    ]) {
      for (const sampling of [GREEDY, {}, { topK: 2 }, { topP: 0.9 }, { minP: 0.1 }]) {
        const broken = () => sample(Float32Array.from(logits), sampling, { position: 3 });
        expect(broken).toThrow(BrokenNumbersError);
        expect(broken).toThrow(/token 3 of the timeline/);
      }
    }
  });
});

describe("sampling", () => {
  test("follows the softmax of the logits over the temperature", () => {
    const logits = [...LOGITS];
    expectClose(histogram(LOGITS, {}), softmax(logits));
    expectClose(histogram(LOGITS, { temperature: 2.5 }), softmax(logits.map((x) => x / 2.5)));
    expectClose(histogram(LOGITS, { temperature: 0.01 }), [0, 0.5, 0.5, 0, 0]);
  });

  test("leaves masked ids out and the rest in proportion", () => {
    const expected = softmax([1, Number.NEGATIVE_INFINITY, 3, 2, -4]);
    expectClose(histogram(LOGITS, {}, { allowed: [tokenBitmask(5, [0, 2, 3, 4])] }), expected);
  });

  test("top-p keeps the smallest set that reaches it, in proportion", () => {
    // Shares are 0.054, 0.399, 0.399, 0.147, 0.0004: two ids reach 0.75, 0.9 needs the third.
    const [a = 0, b = 0, c = 0] = softmax([3, 3, 2]);
    expectClose(histogram(LOGITS, { topP: 0.75 }), [0, 0.5, 0.5, 0, 0]);
    expectClose(histogram(LOGITS, { topP: 0.9 }), [0, a, b, c, 0]);
    expectClose(histogram(LOGITS, { topP: 1e-9 }), [0, 1, 0, 0, 0]);
  });

  test("top-k keeps so many, the lowest ids of equals; top-p is then a share of them", () => {
    const [a = 0, b = 0, c = 0] = softmax([3, 3, 2]);
    expectClose(histogram(LOGITS, { topK: 1 }), [0, 1, 0, 0, 0]);
    expectClose(histogram(LOGITS, { topK: 3 }), [0, a, b, c, 0]);
    expectClose(histogram(LOGITS, { topK: 100 }), softmax([...LOGITS]));
    // Of the three: 0.422, 0.422, 0.155. The first two reach 0.84, which they do not reach of all.
    expectClose(histogram(LOGITS, { topK: 3, topP: 0.84 }), [0, 0.5, 0.5, 0, 0]);
  });

  test("min-p keeps what is at least that share as likely as the likeliest", () => {
    // Ratios are e^-2, 1, 1, e^-1, e^-7.
    const [a = 0, b = 0, c = 0] = softmax([3, 3, 2]);
    expectClose(histogram(LOGITS, { minP: 0.3 }), [0, a, b, c, 0]);
    expectClose(histogram(LOGITS, { minP: 1 }), [0, 0.5, 0.5, 0, 0]);
    expectClose(histogram(LOGITS, { minP: 0.3, topK: 4 }), [0, a, b, c, 0]);
  });

  test("what is kept is what a plain reading of the rules keeps", () => {
    const setting = fc.record({
      logits: fc.array(fc.double({ min: -30, max: 30, noNaN: true }), {
        minLength: 1,
        maxLength: 60,
      }),
      temperature: fc.double({ min: 0.05, max: 3, noNaN: true }),
      topK: fc.nat(70),
      topP: fc.double({ min: 0.01, max: 1, noNaN: true }),
      minP: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(setting, fc.nat(1000), ({ logits, ...sampling }, position) => {
        const values = Float32Array.from(logits);
        const id = sample(values, sampling, { position });
        expect(plainlyKept(values, sampling)).toContain(id);
      }),
    );
  });

  test("many unlikely ids weigh together what they weigh", () => {
    // 60,000 ids of weight e^-12.5 are 0.183 of all; those of e^-39 and less are as good as none.
    const logits = new Float32Array(80_000).fill(-39.5);
    logits.fill(-12.5, 100, 60_100);
    logits[50] = 0;
    logits[70_000] = Number.NEGATIVE_INFINITY;
    const draws = 2000;
    const seen = new Set<number>();
    let unlikely = 0;
    for (let seed = 0; seed < draws; seed++) {
      const id = sample(logits, { seed }) ?? -1;
      if (id === 50) continue;
      expect(id >= 100 && id < 60_100).toBe(true);
      seen.add(id);
      unlikely++;
    }
    // The deviation is 0.0087.
    const weight = 60_000 * Math.exp(-12.5);
    expect(Math.abs(unlikely / draws - weight / (1 + weight))).toBeLessThan(0.04);
    expect(seen.size).toBeGreaterThan(unlikely * 0.95);
  });

  test("what is drawn is the largest of all sums of logit and noise", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -16, max: 0 }), { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0.01, max: 50, noNaN: true }),
        fc.maxSafeNat(),
        (logits, temperature, seed) => {
          const key = gumbelKey(seed, 3);
          const scores = logits.map((logit, id) => logit + temperature * gumbel(key, id));
          const id = sample(Float32Array.from(logits), { seed, temperature }, { position: 3 });
          expect(id).toBe(scores.indexOf(Math.max(...scores)));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("gives the same id for the same seed and position, and an id that may come", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
          minLength: 1,
          maxLength: 50,
        }),
        fc.record({
          temperature: fc.double({ min: 0, max: 5, noNaN: true }),
          topP: fc.double({ min: 1e-6, max: 1, noNaN: true }),
          seed: fc.maxSafeNat(),
        }),
        fc.nat(200_000),
        (values, sampling, position) => {
          const logits = Float32Array.from(values);
          const id = sample(logits, sampling, { position });
          expect(id).toBeGreaterThanOrEqual(0);
          expect(id).toBeLessThan(logits.length);
          expect(sample(logits, sampling, { position })).toBe(id);
        },
      ),
    );
  });
});

/** The ids that the cuts leave, by their definitions; borders within rounding count as inside. */
function plainlyKept(
  logits: Float32Array,
  { temperature, topK, topP, minP }: Record<"temperature" | "topK" | "topP" | "minP", number>,
): number[] {
  const order = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
  const kept = topK > 0 ? order.slice(0, topK) : order;
  const shares = softmax(kept.map((id) => ((logits[id] ?? 0) - Math.max(...logits)) / temperature));
  let before = 0;
  return kept.filter((_, rank) => {
    const share = shares[rank] ?? 0;
    const isIn = rank === 0 || before < topP + 1e-9;
    before += share;
    return isIn && share >= minP * (shares[0] ?? 0) * (1 - 1e-9);
  });
}

describe("penalties", () => {
  const timeline = [1, 1, 3, 0];

  test("repetition divides what is positive and multiplies what is not", () => {
    const logits = Float32Array.of(-1, 4, 1, 1, -1);
    const expected = softmax([-2, 2, 1, 0.5, -1]);
    const sampling = { repetitionPenalty: 2 };
    expectClose(histogram(logits, sampling, { timeline, position: 4 }), expected);
  });

  test("presence counts an id once, frequency every time", () => {
    const logits = Float32Array.of(1, 2, 1, 1, 1);
    const sampling = { presencePenalty: 0.5, frequencyPenalty: 0.25 };
    const expected = softmax([0.25, 1, 1, 0.25, 1]);
    expectClose(histogram(logits, sampling, { timeline, position: 4 }), expected);
  });

  test("reach back over the window only, and leave alone what they are told to", () => {
    const logits = Float32Array.of(1, 3, 0, 2, 0);
    const context = { timeline, position: 4 };
    const penalty = { ...GREEDY, presencePenalty: 50 };
    expect(sample(logits, penalty, context)).toBe(2);
    expect(sample(logits, { ...penalty, penaltyWindow: 2 }, context)).toBe(1);
    expect(sample(logits, { ...penalty, penaltyWindow: 3 }, context)).toBe(2);
    expect(sample(logits, { ...penalty, unpenalisedIds: [3] }, context)).toBe(3);
  });
});

describe("log probabilities", () => {
  test("are those of the softmax, whatever happens to the logits afterwards", () => {
    const logits = Float32Array.from(LOGITS);
    const logprobs = new Logprobs(logits);
    logits.fill(0);
    const expected = softmax([...LOGITS]).map(Math.log);
    const found = logprobs.of(3, 4);
    expect(found.id).toBe(3);
    expect(found.logprob).toBeCloseTo(expected[3] ?? 0, 10);
    expect(found.top.map(({ id }) => id)).toEqual([1, 2, 3, 0]);
    for (const { id, logprob } of found.top) expect(logprob).toBeCloseTo(expected[id] ?? 0, 10);
    expect(logprobs.of(0, 0).top).toEqual([]);
    expect(logprobs.of(0, 9).top.length).toBe(5);
  });
});

test("a set of ids holds what it was given", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(200)), fc.integer({ min: 1, max: 200 }), (ids, size) => {
      const bits = tokenBitmask(size, ids);
      for (let id = 0; id < 256; id++) {
        expect(hasId(bits, id)).toBe(id < size && ids.includes(id));
      }
    }),
  );
});

describe("the noise", () => {
  /** 1 - v, which is even over 0 … 1. */
  const uniform = (seed: number, position: number, id: number): number =>
    Math.exp(-Math.exp(-gumbel(gumbelKey(seed, position), id)));

  test("is even, for neighbouring seeds, positions and ids", () => {
    for (const of of [
      (i: number) => uniform(42, i, 5),
      (i: number) => uniform(i, 42, 5),
      (i: number) => uniform(2 ** 40 + i, 7, 5),
      (i: number) => uniform(i * 2 ** 32, 7, 5),
      (i: number) => uniform(42, 7, i),
    ]) {
      const cells = new Array<number>(16).fill(0);
      for (let i = 0; i < 32_000; i++) {
        const value = of(i);
        expect(value >= 0 && value < 1).toBe(true);
        const cell = Math.floor(value * 16);
        cells[cell] = (cells[cell] ?? 0) + 1;
      }
      // 2,000 each; the deviation is 43.
      for (const count of cells) expect(Math.abs(count - 2000)).toBeLessThan(220);
    }
  });

  test("of neighbours does not resemble each other", () => {
    for (const of of [(i: number) => uniform(1, i, 5), (i: number) => uniform(1, 5, i)]) {
      let product = 0;
      for (let i = 0; i < 32_000; i++) product += (of(i) - 0.5) * (of(i + 1) - 0.5);
      expect(Math.abs((product / 32_000) * 12)).toBeLessThan(0.03);
    }
  });
});

test("the table of e^-x is right over its whole range", () => {
  let worst = 0;
  for (let x = 0; x <= MAX_EXPONENT; x += 0.00173) {
    worst = Math.max(worst, Math.abs(expNeg(x) / Math.exp(-x) - 1));
  }
  expect(worst).toBeLessThan(1e-10);
  expect(expNeg(0)).toBe(1);
});
