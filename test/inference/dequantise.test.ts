import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dequantise, toFloat32 } from "../../inference/checkpoint/dequantise.ts";
import {
  type BlockDtype,
  blockElements,
  bytesOf,
  type Dtype,
} from "../../inference/checkpoint/dtypes.ts";

/** 1.5 and 0.25 as float16. */
const D = [0x00, 0x3e];
const M = [0x00, 0x34];

const ascending = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const zeros = (count: number): number[] => new Array<number>(count).fill(0);

/** Nibbles so that element j is j mod 16 in formats with j in the low, j+16 in the high nibble. */
const NIBBLES = ascending(16).map((j) => j | (j << 4));

function decode(dtype: Dtype, bytes: readonly number[]): number[] {
  return [...toFloat32(Uint8Array.from(bytes), dtype)];
}

describe("blocks of 32, written by hand", () => {
  const twice = [...ascending(16), ...ascending(16)];

  test("Q4_0: d·(q - 8)", () => {
    expect(decode("Q4_0", [...D, ...NIBBLES])).toEqual(twice.map((q) => 1.5 * (q - 8)));
  });

  test("Q4_1: d·q + m", () => {
    expect(decode("Q4_1", [...D, ...M, ...NIBBLES])).toEqual(twice.map((q) => 1.5 * q + 0.25));
  });

  test("Q5_0: the fifth bits are the bits of a word; d·(q - 16)", () => {
    // Bits 0, 3 and 31: elements 0, 3 and 31 are 16 more.
    const word = [0b1001, 0, 0, 0b1000_0000];
    const codes = twice.map((q, i) => q + ([0, 3, 31].includes(i) ? 16 : 0));
    expect(decode("Q5_0", [...D, ...word, ...NIBBLES])).toEqual(codes.map((q) => 1.5 * (q - 16)));
    expect(decode("Q5_1", [...D, ...M, ...word, ...NIBBLES])).toEqual(
      codes.map((q) => 1.5 * q + 0.25),
    );
  });

  test("Q8_0: d·q, q from -128 to 127", () => {
    const codes = [-128, -127, -1, 0, 1, 127, ...zeros(26)];
    expect(decode("Q8_0", [...D, ...codes.map((q) => q & 255)])).toEqual(codes.map((q) => 1.5 * q));
  });

  test("IQ4_NL: d·level", () => {
    const levels = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
    const expected = [...levels, ...levels].map((level) => 1.5 * level);
    expect(decode("IQ4_NL", [...D, ...NIBBLES])).toEqual(expected);
  });

  test("MXFP4: halves of a block in the nibbles, or neighbours", () => {
    const values = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];
    const eighths = [...values, ...values].map((value) => value / 8);
    expect(decode("MXFP4", [124, ...NIBBLES])).toEqual(eighths);
    const pairs = ascending(16).map((j) => ((2 * j) % 16) | (((2 * j + 1) % 16) << 4));
    expect(decode("MXFP4_ADJACENT", [124, ...pairs])).toEqual(eighths);
  });
});

describe("blocks of 256 against the format's definition, element by element", () => {
  /** The 6 bits of scale and minimum of a sub-block, from the figure in ggml-quants.c. */
  function packed(scales: Uint8Array, s: number): { scale: number; minimum: number } {
    const q = (i: number): number => scales[i] ?? 0;
    return s < 4
      ? { scale: q(s) % 64, minimum: q(s + 4) % 64 }
      : {
          scale: (q(s + 4) % 16) + Math.floor(q(s - 4) / 64) * 16,
          minimum: Math.floor(q(s + 4) / 16) + Math.floor(q(s) / 64) * 16,
        };
  }

  function nibble(byte: number, high: boolean): number {
    return high ? Math.floor(byte / 16) : byte % 16;
  }

  const halfAt = (bytes: Uint8Array, at: number): number =>
    new DataView(bytes.buffer).getFloat16(at, true);

  const element: Readonly<Record<"Q4_K" | "Q5_K" | "Q6_K", (b: Uint8Array, i: number) => number>> =
    {
      Q4_K: (b, i) => {
        const s = Math.floor(i / 32);
        const { scale, minimum } = packed(b.subarray(4, 16), s);
        const q = nibble(b[16 + Math.floor(i / 64) * 32 + (i % 32)] ?? 0, s % 2 === 1);
        return halfAt(b, 0) * scale * q - halfAt(b, 2) * minimum;
      },
      Q5_K: (b, i) => {
        const s = Math.floor(i / 32);
        const { scale, minimum } = packed(b.subarray(4, 16), s);
        const low = nibble(b[48 + Math.floor(i / 64) * 32 + (i % 32)] ?? 0, s % 2 === 1);
        const fifth = Math.floor((b[16 + (i % 32)] ?? 0) / 2 ** s) % 2;
        return halfAt(b, 0) * scale * (low + 16 * fifth) - halfAt(b, 2) * minimum;
      },
      Q6_K: (b, i) => {
        const [halfBlock, run, j] = [Math.floor(i / 128), Math.floor(i / 32) % 4, i % 32];
        const low = nibble(b[halfBlock * 64 + (run % 2) * 32 + j] ?? 0, run >= 2);
        const upper = Math.floor((b[128 + halfBlock * 32 + j] ?? 0) / 4 ** run) % 4;
        const scale = new Int8Array(b.buffer, 192, 16)[Math.floor(i / 16)] ?? 0;
        return halfAt(b, 208) * scale * (low + 16 * upper - 32);
      },
    };

  test.each(["Q4_K", "Q5_K", "Q6_K"] as const)("%s", (dtype) => {
    const block = fc.uint8Array({
      minLength: bytesOf(dtype, 256),
      maxLength: bytesOf(dtype, 256),
    });
    fc.assert(
      fc.property(block, fc.float({ min: -1, max: 1, noNaN: true }), (random, d) => {
        const bytes = Uint8Array.from(random);
        const view = new DataView(bytes.buffer);
        view.setFloat16(dtype === "Q6_K" ? 208 : 0, d, true);
        if (dtype !== "Q6_K") view.setFloat16(2, -d / 3, true);
        const expected = ascending(256).map((i) => Math.fround(element[dtype](bytes, i)) + 0);
        expect([...toFloat32(bytes, dtype)].map((x) => x + 0)).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});

test("many blocks are as many single ones, also in shared memory at odd addresses", () => {
  const dtypes: readonly BlockDtype[] = [
    "Q4_0",
    "Q4_1",
    "Q5_0",
    "Q5_1",
    "Q8_0",
    "IQ4_NL",
    "Q4_K",
    "Q5_K",
    "Q6_K",
  ];
  for (const dtype of dtypes) {
    const elements = blockElements(dtype);
    const size = bytesOf(dtype, elements);
    const random = fc.sample(fc.uint8Array({ minLength: 3 * size, maxLength: 3 * size }), 1)[0];
    const bytes = new Uint8Array(new SharedArrayBuffer(3 * size + 1), 1);
    bytes.set(random ?? []);
    const all = new Float32Array(new SharedArrayBuffer(3 * elements * 4));
    dequantise(dtype, bytes, all);
    const single = [0, 1, 2].flatMap((i) => [
      ...toFloat32(bytes.slice(i * size, (i + 1) * size), dtype),
    ]);
    expect([...all]).toEqual(single);
  }
});
