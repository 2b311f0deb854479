import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBlocks } from "../../inference/reference/mxfp4.ts";
import { MXFP4_OFFSET, Q8_OFFSET, Q8_RECORD_BYTES } from "../../inference/wasm/kernels.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { BUILDS, firstDifference, KernelMemory, randomFloats } from "./kernel-memory.ts";

const f = Math.fround;
const BLOCK = 32;

/** A matrix product's inputs: `columns` picks among `stored` columns, in any order, repeatedly. */
type Shape = { rows: number; blocks: number; stored: number; columns: number[]; bias: boolean };

const shapes: fc.Arbitrary<Shape> = fc
  .record({
    rows: fc.integer({ min: 1, max: 37 }),
    blocks: fc.integer({ min: 1, max: 4 }),
    stored: fc.integer({ min: 1, max: 5 }),
    bias: fc.boolean(),
  })
  .chain((shape) =>
    fc
      .array(fc.nat(shape.stored - 1), { minLength: 1, maxLength: 6 })
      .map((columns) => ({ ...shape, columns })),
  );

type Quantised = { q: Int8Array; scales: Float32Array; starts: Int32Array };

/** int8 activations as `quantise_i8` writes them, computed by the definition. */
function quantise(x: Float32Array, offset: number): Quantised {
  const blocks = x.length / BLOCK;
  const q = new Int8Array(x.length);
  const scales = new Float32Array(blocks);
  const starts = new Int32Array(blocks);
  for (let b = 0; b < blocks; b++) {
    const block = x.subarray(b * BLOCK, (b + 1) * BLOCK);
    const largest = block.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const inverse = largest > 1e-36 ? f(127 / largest) : 0;
    for (const [i, value] of block.entries()) q[b * BLOCK + i] = roundEven(f(value * inverse));
    scales[b] = f(largest / 127);
    const sum = q.subarray(b * BLOCK, (b + 1) * BLOCK).reduce((a, value) => a + value, 0);
    starts[b] = -offset * sum;
  }
  return { q, scales, starts };
}

function roundEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/**
 * Σ of exact integers per block, then the documented f32 steps: kernels must agree to the last bit.
 * @returns (columns, rows)
 */
function integerProducts(
  weight: (row: number, k: number) => number,
  scaleOf: (row: number, block: number) => number,
  half: number,
  activations: Quantised,
  shape: Shape,
  bias: Float32Array,
): Float32Array {
  const { rows, blocks, columns } = shape;
  const out = new Float32Array(columns.length * rows);
  for (let i = 0; i < out.length; i++) {
    const row = i % rows;
    const column = columns[Math.floor(i / rows)] ?? 0;
    let sum = 0;
    for (let b = 0; b < blocks; b++) {
      let integer = 0;
      for (let k = b * BLOCK; k < (b + 1) * BLOCK; k++) {
        integer += weight(row, k) * (activations.q[column * blocks * BLOCK + k] ?? 0);
      }
      const scale = f(scaleOf(row, b) * (activations.scales[column * blocks + b] ?? 0));
      sum = f(sum + f(integer * scale));
    }
    out[i] = shape.bias ? f(f(sum * half) + (bias[row] ?? 0)) : f(sum * half);
  }
  return out;
}

function randomBlocks(rows: number, blocks: number, random: () => number) {
  const packed = Uint8Array.from({ length: rows * blocks * 16 }, () => random() * 256);
  const scales = Uint8Array.from({ length: rows * blocks }, () => 115 + random() * 12);
  return { packed, scales };
}

/** Blocks of 17 bytes, scale first; `split` puts inputs j and j+16 into byte j. */
function join(packed: Uint8Array, scales: Uint8Array, split: boolean): Uint8Array {
  const out = new Uint8Array(scales.length * 17);
  for (const [block, scale] of scales.entries()) {
    const bytes = packed.subarray(block * 16, block * 16 + 16);
    const code = (k: number): number => ((bytes[k >> 1] ?? 0) >> (4 * (k & 1))) & 15;
    out[block * 17] = scale;
    for (let j = 0; j < 16; j++) {
      out[block * 17 + 1 + j] = split ? code(j) | (code(j + 16) << 4) : (bytes[j] ?? 0);
    }
  }
  return out;
}

describe.each(BUILDS)("%s", (build) => {
  const memory = new KernelMemory(build);
  const { kernels } = memory;
  /** From the published form: blocks and scales apart. */
  const repack = (
    blocks: Uint8Array,
    scales: Uint8Array,
    out: number,
    rows: number,
    rowBlocks: number,
  ): number =>
    kernels.mxfp4_repack(memory.put(blocks), memory.put(scales), 16, 0, 0, out, rows, rowBlocks);

  test("MXFP4: every pair of codes under every scale is exact", () => {
    memory.reset();
    const scaleCodes = Array.from({ length: 255 }, (_, e) => e);
    const rows = scaleCodes.length * 16;
    const blocks = Uint8Array.from({ length: rows * 16 }, (_, i) => i % 256);
    const scales = Uint8Array.from({ length: rows }, (_, row) => scaleCodes[row >> 4] ?? 0);
    const w = memory.reserve((rows / 8) * 136);
    const bad = repack(blocks, scales, w, rows, 1);
    expect(bad).toBe(0);
    const x = new Float32Array(BLOCK * BLOCK);
    for (let k = 0; k < BLOCK; k++) x[k * BLOCK + k] = 1;
    const y = memory.result(BLOCK * rows);
    const scratch = memory.reserve(1056);
    kernels.mxfp4_matmul_f32(w, rows, 1, memory.put(x), 0, BLOCK, 0, y, rows, scratch);
    const found = memory.floats(y, BLOCK * rows);
    const expected = decodeBlocks(blocks, scales);
    const wrong = expected.findIndex(
      (value, i) => f(value) !== (found[(i % BLOCK) * rows + Math.floor(i / BLOCK)] ?? 0),
    );
    expect(wrong).toBe(-1);
  });

  test("MXFP4: a scale of 255 is found, wherever it is", () => {
    const random = randomNumbers(1);
    for (const at of [0, 7, 26]) {
      memory.reset();
      const { packed, scales } = randomBlocks(9, 3, random);
      packed.fill(0, at * 16, at * 16 + 16);
      scales[at] = 255;
      const out = memory.reserve(2 * 3 * 136);
      const bad = repack(packed, scales, out, 9, 3);
      expect(bad).toBe(at + 1);
    }
  });

  test("MXFP4: joined blocks, split nibbles and rows in turn make the same records", () => {
    fc.assert(
      fc.property(shapes, fc.nat(), ({ rows, blocks }, seed) => {
        const { packed, scales } = randomBlocks(rows, blocks, randomNumbers(seed));
        const bytes = Math.ceil(rows / 8) * blocks * 136;
        memory.reset();
        const wanted = memory.reserve(bytes);
        expect(repack(packed, scales, wanted, rows, blocks)).toBe(0);
        for (const split of [false, true]) {
          const joined = join(packed, scales, split);
          const rowBytes = blocks * 17;
          const inTurn = [0, 1].map((turn) =>
            joined.filter((_, i) => Math.floor(i / rowBytes) % 2 === turn),
          );
          const odd = inTurn[0]?.length ?? 0;
          for (const [stored, distance] of [
            [joined, 0],
            [Uint8Array.from(inTurn.flatMap((part) => [...part])), odd],
          ] as const) {
            const at = memory.put(stored);
            const out = memory.reserve(bytes);
            const flag = split ? 1 : 0;
            const bad = kernels.mxfp4_repack(at + 1, at, 17, flag, distance, out, rows, blocks);
            expect(bad).toBe(0);
            const found = memory.bytes(out, bytes);
            expect(firstDifference(found, memory.bytes(wanted, bytes))).toBe(-1);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test("MXFP4 × int8: exact integers, for any shape and any choice of columns", () => {
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, seed) => {
        memory.reset();
        const { rows, blocks, stored, columns } = shape;
        const random = randomNumbers(seed);
        const { packed, scales } = randomBlocks(rows, blocks, random);
        const weights = decodeBlocks(packed, new Uint8Array(scales.length).fill(128));
        const x = quantise(randomFloats(stored * blocks * BLOCK, random), MXFP4_OFFSET);
        const bias = randomFloats(rows, random);
        const w = memory.reserve(Math.ceil(rows / 8) * blocks * 136);
        repack(packed, scales, w, rows, blocks);
        const stride = rows + 3;
        const size = (columns.length - 1) * stride + rows;
        const y = memory.result(size);
        kernels.mxfp4_matmul_i8(
          w,
          rows,
          blocks,
          memory.put(x.q),
          memory.put(x.scales),
          memory.put(x.starts),
          memory.put(Uint32Array.from(columns)),
          columns.length,
          shape.bias ? memory.put(bias) : 0,
          y,
          stride,
          memory.reserve(blocks * 288),
        );
        const products = integerProducts(
          (row, k) => weights[row * blocks * BLOCK + k] ?? 0,
          (row, b) => 2 ** ((scales[row * blocks + b] ?? 0) - 127),
          0.5,
          x,
          shape,
          bias,
        );
        const found = memory.floats(y, size).filter((_, i) => i % stride < rows);
        expect(firstDifference(found, products)).toBe(-1);
      }),
      { numRuns: 40 },
    );
  });

  test("Q8: ggml's blocks become the records of the same values", () => {
    fc.assert(
      fc.property(shapes, fc.nat(), ({ rows, blocks }, seed) => {
        memory.reset();
        const random = randomNumbers(seed);
        const stored = new Uint8Array(rows * blocks * 34);
        const view = new DataView(stored.buffer);
        const values = new Float32Array(rows * blocks * BLOCK);
        for (let b = 0; b < rows * blocks; b++) {
          const scale = (random() < 0.3 ? -1 : 1) * (random() + 0.001) * 0.01;
          view.setFloat16(b * 34, scale, true);
          for (let k = 0; k < BLOCK; k++) {
            // The largest code is there, as quantisers write it, so that packing finds the same scale.
            const code = k === b % BLOCK ? 127 : Math.round(random() * 254) - 127;
            view.setInt8(b * 34 + 2 + k, code);
            values[b * BLOCK + k] = view.getFloat16(b * 34, true) * code;
          }
        }
        const bytes = Math.ceil(rows / 8) * blocks * Q8_RECORD_BYTES;
        const [found, wanted] = [memory.reserve(bytes), memory.reserve(bytes)];
        expect(kernels.q8_repack(memory.put(stored), found, rows, blocks)).toBe(0);
        kernels.q8_pack(memory.put(values), wanted, rows, blocks);
        const difference = firstDifference(memory.bytes(found, bytes), memory.bytes(wanted, bytes));
        expect(difference).toBe(-1);
      }),
      { numRuns: 40 },
    );
  });

  test("Q8: -128 becomes -127; a scale that is no finite number is found", () => {
    memory.reset();
    const stored = new Uint8Array(3 * 34);
    const view = new DataView(stored.buffer);
    for (const b of [0, 1, 2]) view.setFloat16(b * 34, 0.5, true);
    view.setInt8(2 * 34 + 2 + 5, -128);
    const out = memory.reserve(3 * Q8_RECORD_BYTES);
    expect(kernels.q8_repack(memory.put(stored), out, 1, 3)).toBe(0);
    // Third record; behind the scales byte 5 of row 0 is the second of step 1.
    expect(memory.bytes(out + 2 * Q8_RECORD_BYTES + 16 + 32 + 1, 1)[0]).toBe(0);
    for (const scale of [Number.NaN, Infinity, -Infinity]) {
      view.setFloat16(34, scale, true);
      expect(kernels.q8_repack(memory.put(stored), out, 1, 3)).toBe(2);
    }
  });

  test("Q8 × int8: exact integers of the packed values, for any shape", () => {
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, seed) => {
        memory.reset();
        const { rows, blocks, stored, columns } = shape;
        const random = randomNumbers(seed);
        const values = randomFloats(rows * blocks * BLOCK, random, 0.05);
        const x = quantise(randomFloats(stored * blocks * BLOCK, random), Q8_OFFSET);
        const bias = randomFloats(rows, random);
        const recordBytes = Math.ceil(rows / 8) * blocks * Q8_RECORD_BYTES;
        const w = memory.reserve(recordBytes);
        kernels.q8_pack(memory.put(values), w, rows, blocks);
        const packed = unpackQ8(memory.bytes(w, recordBytes), blocks);
        const stride = rows + 1;
        const size = (columns.length - 1) * stride + rows;
        const y = memory.result(size);
        kernels.q8_matmul_i8(
          w,
          rows,
          blocks,
          memory.put(x.q),
          memory.put(Int16Array.from(x.q)),
          memory.put(x.scales),
          memory.put(x.starts),
          memory.put(Uint32Array.from(columns)),
          columns.length,
          shape.bias ? memory.put(bias) : 0,
          y,
          stride,
        );
        const products = integerProducts(packed.q, packed.scale, 1, x, shape, bias);
        const found = memory.floats(y, size).filter((_, i) => i % stride < rows);
        expect(firstDifference(found, products)).toBe(-1);
        // Half a step, and a little where rounding the scale to f16 pushed ±127 beyond the end.
        const coarse = values.findIndex((value, i) => {
          const [row, k] = [Math.floor(i / (blocks * BLOCK)), i % (blocks * BLOCK)];
          const scale = packed.scale(row, k >> 5);
          return !(Math.abs(value - packed.q(row, k) * scale) <= scale * (0.5 + 127 * 2 ** -11));
        });
        expect(coarse).toBe(-1);
      }),
      { numRuns: 30 },
    );
  });

  test("Q8: blocks of zeros, of tiny and of huge values stay numbers", () => {
    memory.reset();
    const values = new Float32Array(3 * BLOCK);
    values.fill(1e-9, BLOCK, 2 * BLOCK);
    values.fill(-1e9, 2 * BLOCK);
    const w = memory.reserve(Q8_RECORD_BYTES);
    kernels.q8_pack(memory.put(values), w, 3, 1);
    const { q, scale } = unpackQ8(memory.bytes(w, Q8_RECORD_BYTES), 1);
    expect([0, 1, 2].map((row) => q(row, 5) * scale(row, 0))).toEqual([0, 0, -127 * 65504]);
  });

  test("MXFP4, bf16 and f32 × f32: close to float64, for any shape", () => {
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, seed) => {
        const { rows, blocks, stored, columns } = shape;
        const random = randomNumbers(seed);
        const width = blocks * BLOCK;
        const { packed, scales } = randomBlocks(rows, blocks, random);
        const x = randomFloats(stored * width, random);
        const bias = randomFloats(rows, random);
        const exact = decodeBlocks(packed, scales);

        memory.reset();
        const w = memory.reserve(Math.ceil(rows / 8) * blocks * 136);
        repack(packed, scales, w, rows, blocks);
        const y = memory.result(columns.length * rows);
        const scratch = memory.reserve(blocks * 1056);
        const index = memory.put(Uint32Array.from(columns));
        const count = columns.length;
        const [xAt, biasAt] = [memory.put(x), memory.put(bias)];
        kernels.mxfp4_matmul_f32(w, rows, blocks, xAt, index, count, biasAt, y, rows, scratch);
        expectClose(memory.floats(y, count * rows), exact, x, columns, bias);

        // Any width: the dense kernels need no whole blocks.
        const odd = width - (seed % 19);
        const dense = randomFloats(rows * odd, random);
        const bits = Uint16Array.from(new Uint32Array(dense.buffer), (u) => u >>> 16);
        const rounded = new Float32Array(Uint32Array.from(bits, (u) => u << 16).buffer);
        const xs = x.slice(0, stored * odd);
        const all = Array.from({ length: stored }, (_, c) => c);
        const [xsAt, a, b] = [memory.put(xs), memory.put(dense), memory.put(bits)];
        const z = memory.result(stored * rows);
        kernels.f32_matmul(a, rows, odd, xsAt, stored, biasAt, z, rows);
        expectClose(memory.floats(z, stored * rows), dense, xs, all, bias);
        kernels.bf16_matmul(b, rows, odd, xsAt, stored, biasAt, z, rows);
        expectClose(memory.floats(z, stored * rows), rounded, xs, all, bias);
      }),
      { numRuns: 40 },
    );
  });

  test("int8 activations are the nearest codes, and hold for zeros, tiny and huge values", () => {
    const random = randomNumbers(3);
    for (const scale of [0, 1e-44, 1e-38, 1e-20, 1, 1e30]) {
      memory.reset();
      const x = randomFloats(4 * BLOCK, random, scale);
      const at = [memory.reserve(4 * BLOCK), memory.reserve(64), memory.reserve(64)] as const;
      const words = memory.reserve(2 * 4 * BLOCK);
      kernels.quantise_i8(memory.put(x), 4, ...at, 12, words);
      const expected = quantise(x, 12);
      const asWords = new Int16Array(memory.bytes(words, 2 * 4 * BLOCK).buffer);
      expect(asWords).toEqual(Int16Array.from(expected.q));
      const only = memory.reserve(4 * BLOCK);
      kernels.quantise_i8(memory.put(x), 4, only, at[1], at[2], 12, 0);
      expect(new Int8Array(memory.bytes(only, 4 * BLOCK).buffer)).toEqual(expected.q);
      expect(new Int8Array(memory.bytes(at[0], 4 * BLOCK).buffer)).toEqual(expected.q);
      expect(new Float32Array(memory.bytes(at[1], 16).buffer)).toEqual(expected.scales);
      expect(new Int32Array(memory.bytes(at[2], 16).buffer)).toEqual(
        expected.starts.map((start) => start + 0),
      );
    }
  });
});

/** Records of 8 rows × 32 columns: 8 f16 scales, then by four columns the rows' bytes + 127. */
function unpackQ8(bytes: Uint8Array<ArrayBuffer>, blocks: number) {
  const view = new DataView(bytes.buffer);
  const record = (row: number, block: number): number =>
    ((row >> 3) * blocks + block) * Q8_RECORD_BYTES;
  return {
    scale: (row: number, block: number): number =>
      view.getFloat16(record(row, block) + (row & 7) * 2, true),
    q: (row: number, k: number): number => {
      const column = k & 31;
      const at = record(row, k >> 5) + 16 + (column >> 2) * 32 + (row & 7) * 4 + (column & 3);
      return (bytes[at] ?? 0) - 127;
    },
  };
}

/** y[column][row] against Σ_k w·x + bias in float64, relative to the size of the terms. */
function expectClose(
  y: Float32Array,
  w: ArrayLike<number>,
  x: Float32Array,
  columns: readonly number[],
  bias: Float32Array,
): void {
  const rows = bias.length;
  const width = w.length / rows;
  const wrong = y.findIndex((value, i) => {
    const row = i % rows;
    const column = columns[Math.floor(i / rows)] ?? 0;
    let sum = bias[row] ?? 0;
    let size = Math.abs(sum);
    for (let k = 0; k < width; k++) {
      const term = (w[row * width + k] ?? 0) * (x[column * width + k] ?? 0);
      sum += term;
      size += Math.abs(term);
    }
    return !(Math.abs(value - sum) <= 2e-6 * size);
  });
  expect(wrong).toBe(-1);
}
