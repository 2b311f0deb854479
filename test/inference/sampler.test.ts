import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sampleId, uniform } from "../../inference/sampler.ts";

const LOGITS = Float32Array.of(1, 3, 3, 2, -4);
const GREEDY = { temperature: 0, topP: 1, seed: 0 };

/** How often each id comes, over the positions 0 … draws - 1. */
function histogram(
  logits: Float32Array,
  temperature: number,
  topP: number,
  banned: number[] = [],
): number[] {
  const draws = 20_000;
  const counts = new Array<number>(logits.length).fill(0);
  for (let position = 0; position < draws; position++) {
    const sampling = { temperature, topP, seed: 11 };
    const id = sampleId(logits, logits.length, sampling, position, banned);
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
    expect(sampleId(LOGITS, 5, GREEDY, 0, [])).toBe(1);
    expect(sampleId(LOGITS, 5, GREEDY, 0, [1])).toBe(2);
    expect(sampleId(LOGITS, 5, GREEDY, 0, [1, 2])).toBe(3);
  });

  test("takes only ids below the limit", () => {
    expect(sampleId(LOGITS, 1, GREEDY, 0, [])).toBe(0);
  });

  test("a ban of everything is void: something must come", () => {
    expect(sampleId(LOGITS, 5, GREEDY, 0, [0, 1, 2, 3, 4])).toBe(1);
  });

  test("logits of -infinity and NaN never win over a number", () => {
    const logits = Float32Array.of(Number.NEGATIVE_INFINITY, Number.NaN, -1e30, Number.NaN);
    expect(sampleId(logits, 4, GREEDY, 0, [])).toBe(2);
    expect(sampleId(logits, 4, { ...GREEDY, temperature: 1 }, 3, [])).toBe(2);
  });
});

describe("sampling", () => {
  test("follows the softmax of the logits over the temperature", () => {
    const logits = [...LOGITS];
    expectClose(histogram(LOGITS, 1, 1), softmax(logits));
    expectClose(histogram(LOGITS, 2.5, 1), softmax(logits.map((x) => x / 2.5)));
    expectClose(histogram(LOGITS, 0.01, 1), [0, 0.5, 0.5, 0, 0]);
  });

  test("leaves banned ids out and the rest in proportion", () => {
    expectClose(histogram(LOGITS, 1, 1, [1]), softmax([1, Number.NEGATIVE_INFINITY, 3, 2, -4]));
  });

  test("top-p keeps the smallest set that reaches it, in proportion", () => {
    // Shares are 0.054, 0.399, 0.399, 0.147, 0.0004: two ids reach 0.75, 0.9 needs the third.
    const pair = [0, 0.5, 0.5, 0, 0];
    expectClose(histogram(LOGITS, 1, 0.75), pair);
    const three = softmax([3, 3, 2]);
    expectClose(histogram(LOGITS, 1, 0.9), [0, three[0] ?? 0, three[1] ?? 0, three[2] ?? 0, 0]);
    expectClose(histogram(LOGITS, 1, 1e-9), [0, 1, 0, 0, 0]);
  });

  test("gives the same id for the same seed and position, and an id that may come", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 50 }),
        fc.record({
          temperature: fc.double({ min: 0, max: 5, noNaN: true }),
          topP: fc.double({ min: 1e-6, max: 1, noNaN: true }),
          seed: fc.maxSafeNat(),
        }),
        fc.nat(200_000),
        (values, sampling, position) => {
          const logits = Float32Array.from(values);
          const id = sampleId(logits, logits.length, sampling, position, []);
          expect(id).toBeGreaterThanOrEqual(0);
          expect(id).toBeLessThan(logits.length);
          expect(sampleId(logits, logits.length, sampling, position, [])).toBe(id);
        },
      ),
    );
  });
});

describe("the random numbers", () => {
  test("are even over 0 … 1, for neighbouring seeds and neighbouring positions", () => {
    for (const of of [
      (i: number) => uniform(42, i),
      (i: number) => uniform(i, 42),
      (i: number) => uniform(2 ** 40 + i, 7),
      (i: number) => uniform(i * 2 ** 32, 7),
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

  test("of neighbours do not resemble each other", () => {
    let product = 0;
    for (let i = 0; i < 32_000; i++) product += (uniform(1, i) - 0.5) * (uniform(1, i + 1) - 0.5);
    expect(Math.abs((product / 32_000) * 12)).toBeLessThan(0.03);
  });
});
