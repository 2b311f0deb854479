import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import {
  attend,
  ReferenceModel,
  referenceLogits,
  rmsNorm,
  route,
  softmax,
  swiglu,
} from "../../inference/reference/forward.ts";
import { applyInt8, roundToQ8 } from "../../inference/reference/int8.ts";
import {
  decodeAdjacent,
  decodeBlocks,
  decodeScale,
  decodeSplit,
  encodeBlocks,
} from "../../inference/reference/mxfp4.ts";
import { inverseFrequencies, rotate } from "../../inference/reference/rope.ts";
import { readReferenceWeights } from "../../inference/reference/weights.ts";
import { makeTinyModel, TINY_SEED } from "../fixtures/make-tiny-model.ts";
import { tinyModel } from "./broken-checkpoints.ts";

/** The stored logits are rounded to 9 digits. */
const STORED_DIGITS_NRMSE = 1e-8;

const GPT_OSS_ROPE = {
  theta: 150_000,
  factor: 32,
  betaFast: 32,
  betaSlow: 1,
  originalContext: 4096,
};

describe("MXFP4", () => {
  test("every byte, in both nibble orders, is two values of the table", () => {
    const table = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];
    for (let byte = 0; byte < 256; byte++) {
      const bytes = new Uint8Array(16);
      bytes[5] = byte;
      const low = table[byte % 16];
      const high = table[Math.floor(byte / 16)];
      expect(Object.is(decodeAdjacent(bytes, 127)[10], low)).toBe(true);
      expect(Object.is(decodeAdjacent(bytes, 127)[11], high)).toBe(true);
      expect(Object.is(decodeSplit(bytes, 127)[5], low)).toBe(true);
      expect(Object.is(decodeSplit(bytes, 127)[21], high)).toBe(true);
    }
  });

  test("scales are powers of two, and 255 is no number", () => {
    expect([0, 126, 127, 128, 254].map(decodeScale)).toEqual([2 ** -127, 0.5, 1, 2, 2 ** 127]);
    expect(decodeScale(255)).toBeNaN();
  });

  test("encoding what was decoded gives the same values", () => {
    const block = fc.tuple(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.integer({ min: 2, max: 254 }),
    );
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), (list) => {
        const blocks = Uint8Array.from(list.flatMap(([bytes]) => [...bytes]));
        const scales = Uint8Array.from(list.map(([, scale]) => scale));
        const values = decodeBlocks(blocks, scales);
        const again = encodeBlocks(values);
        // Codes may differ (a smaller scale with doubled codes, -0): values may not, but for
        // the sign of zero. A block whose largest is 6 or 4 keeps its scale; any other fits below.
        expect(decodeBlocks(again.blocks, again.scales).map((x) => x + 0)).toEqual(
          values.map((x) => x + 0),
        );
      }),
    );
  });
});

describe("int8", () => {
  test("Q8_0 is multiples of a float16 scale, at most half a step away", () => {
    const values = fc.float64Array({
      minLength: 32,
      maxLength: 32,
      min: -1000,
      max: 1000,
      noNaN: true,
    });
    fc.assert(
      fc.property(values, (block) => {
        const rounded = roundToQ8(block);
        const largest = block.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
        const scale = Math.f16round(largest / 127);
        for (const [i, value] of rounded.entries()) {
          if (scale > 0) expect(Number.isInteger(value / scale)).toBe(true);
          // The rounding of the scale itself may push the largest a little beyond code 127.
          const slack = 127 * Math.abs(largest / 127 - scale);
          expect(Math.abs(value - (block[i] ?? 0))).toBeLessThanOrEqual(
            (scale / 2 + slack) * (1 + 1e-12), // the bound is itself computed in float64
          );
        }
      }),
    );
  });

  test("a product with rounded activations uses one scale per 32 inputs", () => {
    const x = new Float64Array(64);
    x[0] = 127;
    x[1] = 2.5; // between two codes: to the even one
    x[32] = 1270;
    x[33] = 24;
    const ones = { weight: new Float64Array(64).fill(1), bias: Float64Array.of(0.5) };
    expect([...applyInt8(ones, x)]).toEqual([127 + 2 + 1270 + 20 + 0.5]);
  });
});

describe("RoPE", () => {
  test("the frequencies of gpt-oss", () => {
    // Head dimension 64, bounds 8.0928 and 17.398, not rounded.
    const published = [
      1, 0.68904, 0.47478, 0.32715, 0.22542, 0.15532, 0.10702, 0.073745, 0.050813, 0.031706,
      0.019335, 0.011592, 0.006795, 0.0038604, 0.0020938, 0.0010526, 0.00045648, 0.00012932,
      3.8309e-5, 2.6396e-5,
    ];
    const computed = inverseFrequencies(GPT_OSS_ROPE, 64);
    expect(computed.length).toBe(32);
    for (const [i, value] of published.entries()) {
      expect(Math.abs((computed[i] ?? 0) / value - 1)).toBeLessThan(5e-5);
    }
  });

  test("a product of a query and a key depends on their distance only", () => {
    const frequencies = inverseFrequencies(GPT_OSS_ROPE, 16);
    const vector = (seed: number): Float64Array =>
      Float64Array.from({ length: 16 }, (_, i) => Math.sin(seed + 3 * i));
    const product = (at: number, distance: number): number => {
      const [q, k] = [vector(1), vector(2)];
      rotate(q, at + distance, frequencies, GPT_OSS_ROPE);
      rotate(k, at, frequencies, GPT_OSS_ROPE);
      return q.reduce((sum, value, i) => sum + value * (k[i] ?? 0), 0);
    };
    for (const distance of [0, 1, 100]) {
      expect(product(100_000, distance)).toBeCloseTo(product(0, distance), 8);
    }
    expect(product(0, 1)).not.toBeCloseTo(product(0, 2), 3);
    // Both sides carry the concentration.
    const plain = vector(1).reduce((sum, value, i) => sum + value * (vector(2)[i] ?? 0), 0);
    expect(product(7, 0) / plain).toBeCloseTo(1.3465735902799727 ** 2, 10);
  });
});

describe("the pieces", () => {
  test("softmax does not overflow and sums to one", () => {
    expect([...softmax(Float64Array.of(1000, 1000))]).toEqual([0.5, 0.5]);
  });

  test("attention to one key with a sink of the same logit takes half the value", () => {
    const q = Float64Array.of(2, 0, 0, 0);
    const key = Float64Array.of(3, 0, 0, 0);
    const value = Float64Array.of(10, 20, 30, 40);
    // q·k / sqrt(4) = 3
    expect([...attend(q, [key], [value], 3)]).toEqual([5, 10, 15, 20]);
    expect([...attend(q, [key], [value], -1e9)]).toEqual([...value]);
    expect([...attend(q, [key], [value], 1e9)]).toEqual([0, 0, 0, 0]);
  });

  test("routing takes the highest, the first on a tie, and normalises over them alone", () => {
    const { experts, weights } = route(Float64Array.of(1, 5, 5, -2, 5 + Math.log(2)), 3);
    expect(experts).toEqual([4, 1, 2]);
    expect([...weights].map((w) => w.toFixed(12))).toEqual(
      [0.5, 0.25, 0.25].map((w) => w.toFixed(12)),
    );
  });

  test("SwiGLU clamps gate above only, up on both sides, and adds one to up", () => {
    const silu = (x: number): number => x / (1 + Math.exp(-1.702 * x));
    const pairs = [9, 0, -9, 0, 1, 9, 1, -9, 0.5, -1];
    expect([...swiglu(Float64Array.from(pairs), 7, 1.702)]).toEqual([
      silu(7),
      silu(-9),
      silu(1) * 8,
      silu(1) * -6,
      0,
    ]);
  });

  test("RMS norm does not look at the mean", () => {
    const out = rmsNorm(Float64Array.of(3, -3, 3, 3), Float64Array.of(1, 1, 1, 2), 0);
    expect([...out]).toEqual([1, -1, 1, 2]);
  });
});

describe("the tiny model", () => {
  const stored = JSON.parse(readFileSync(`${tinyModel("hf")}/../logits.json`, "utf8")) as {
    ids: number[];
    logits: number[][];
  };

  test.each(["hf", "original"] as const)("has the stored logits (%s)", (layout) => {
    const checkpoint = openCheckpoint(tinyModel(layout));
    const logits = referenceLogits(readReferenceWeights(checkpoint), stored.ids);
    checkpoint.close();
    let error = 0;
    let power = 0;
    for (const [i, row] of stored.logits.entries()) {
      for (const [j, expected] of row.entries()) {
        error += ((logits[i]?.[j] ?? Number.NaN) - expected) ** 2;
        power += expected ** 2;
      }
    }
    expect(Math.sqrt(error / power)).toBeLessThan(STORED_DIGITS_NRMSE);
  });

  test("is what its script makes, to the byte", () => {
    const folder = mkdtempSync(join(tmpdir(), "chorale-tiny-model-"));
    makeTinyModel(folder, TINY_SEED);
    for (const layout of ["hf", "original"] as const) {
      for (const name of ["config.json", "model.safetensors", "../logits.json"]) {
        const made = readFileSync(join(folder, layout, name));
        expect(made.equals(readFileSync(join(tinyModel(layout), name)))).toBe(true);
      }
    }
    rmSync(folder, { recursive: true });
  });

  test("turns with the distance between tokens, not with where the timeline starts", () => {
    const checkpoint = openCheckpoint(tinyModel("hf"));
    const weights = readReferenceWeights(checkpoint);
    checkpoint.close();
    const far = new ReferenceModel(weights, { firstPosition: 10_000 });
    for (const [i, id] of stored.ids.entries()) {
      const logits = far.step(id);
      expect(logits[0]).toBeCloseTo(stored.logits[i]?.[0] ?? Number.NaN, 6);
    }
  });
});
