import { describe, expect, test } from "vitest";
import { rotationFrequencies, writeRotation } from "../../inference/model/rope.ts";
import { attend, rmsNorm, route, swiglu } from "../../inference/reference/forward.ts";
import { inverseFrequencies, rotate } from "../../inference/reference/rope.ts";
import { attentionScratchFloats, KV_PAGE } from "../../inference/wasm/kernels.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { BUILDS, KernelMemory, randomFloats } from "./kernel-memory.ts";

/** float32 against float64, some hundred operations deep. */
const CLOSE = 3e-6;

describe.each(BUILDS)("%s", (build) => {
  const memory = new KernelMemory(build);
  const { kernels } = memory;
  const all16 = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);

  test("every f16 and every bf16 becomes the f32 of the same value", () => {
    memory.reset();
    const x = memory.put(all16);
    const y = memory.result(1 << 16);
    kernels.f16_to_f32(x, y, 1 << 16);
    const view = new DataView(all16.buffer);
    const halves = Float32Array.from(all16, (bits) => view.getFloat16(2 * bits, true));
    expect(memory.floats(y, 1 << 16)).toEqual(halves);
    // One element less than whole vectors: the tail is converted, too, and nothing behind it.
    const z = memory.result(65_535);
    kernels.bf16_to_f32(x, z, 65_535);
    const brains = new Float32Array(Uint32Array.from(all16, (bits) => bits << 16).buffer);
    expect(memory.floats(z, 65_535)).toEqual(brains.slice(0, 65_535));
  });

  test.each([1, 7, 8, 64, 2880])("RMSNorm of %i values", (n) => {
    memory.reset();
    const random = randomNumbers(n);
    const [x, weight] = [randomFloats(n, random, 3), randomFloats(n, random)];
    const y = memory.result(n);
    kernels.rms_norm(memory.put(x), memory.put(weight), y, n, 1e-5);
    expectClose(memory.floats(y, n), rmsNorm(new Float64Array(x), new Float64Array(weight), 1e-5));
  });

  test.each([0, 1, 1000, 131_071])("rotation at position %i", (position) => {
    memory.reset();
    const rope = { theta: 150_000, factor: 32, betaFast: 32, betaSlow: 1, originalContext: 4096 };
    for (const headDim of [64, 24]) {
      const half = headDim / 2;
      const frequencies = inverseFrequencies(rope, headDim);
      expectClose(rotationFrequencies(rope, headDim), frequencies);
      const table = new Float32Array(headDim);
      writeRotation(table, 0, half, position, frequencies, rope.factor);
      const x = randomFloats(3 * headDim, randomNumbers(position));
      const expected = new Float64Array(x);
      for (let h = 0; h < 3; h++) {
        rotate(expected.subarray(h * headDim, (h + 1) * headDim), position, frequencies, rope);
      }
      const at = memory.result(3 * headDim);
      const source = memory.put(x);
      kernels.rope(
        source,
        3,
        half,
        memory.put(table.slice(0, half)),
        memory.put(table.slice(half)),
      );
      kernels.f32_matmul(memory.put(Float32Array.of(1)), 1, 1, source, 3 * headDim, 0, at, 1);
      expectClose(memory.floats(at, 3 * headDim), expected);
    }
  });

  test("SwiGLU: clamps, and lets the gate fall without limit", () => {
    memory.reset();
    const x = Float32Array.of(
      9,
      9,
      -9,
      -9,
      -90,
      3,
      7,
      -7,
      0,
      0,
      -3e38,
      1,
      0.5,
      20,
      6.99,
      6.99,
      1,
      -1,
    );
    const y = memory.result(9);
    kernels.swiglu(memory.put(x), y, 9, 7, 1.702);
    expectClose(memory.floats(y, 9), swiglu(new Float64Array(x), 7, 1.702));
  });

  test("router: the largest logits, the lower index on a tie, a softmax over the chosen", () => {
    const cases = [
      [1, 3, 3, 2, 3, -1],
      [0, 0, 0, 0],
      [-5, -4, -3, -2, -1, 80],
    ];
    for (const logits of cases) {
      memory.reset();
      const k = 4;
      const [index, weight] = [memory.reserve(4 * k), memory.result(k)];
      kernels.top_k_softmax(memory.put(Float32Array.from(logits)), logits.length, k, index, weight);
      const expected = route(Float64Array.from(logits), k);
      expect([...new Uint32Array(memory.bytes(index, 4 * k).buffer)]).toEqual(expected.experts);
      expectClose(memory.floats(weight, k), expected.weights);
    }
  });

  test("adding: scaled, whole vectors and tail", () => {
    memory.reset();
    const y = memory.result(7);
    kernels.f32_matmul(
      memory.put(Float32Array.of(2)),
      1,
      1,
      memory.put(Float32Array.of(0, 1, 2, 3, 4, 5, 6)),
      7,
      0,
      y,
      1,
    );
    kernels.add_scaled(y, memory.put(new Float32Array(7).fill(4)), 0.5, 7);
    expect([...memory.floats(y, 7)]).toEqual([2, 4, 6, 8, 10, 12, 14]);
  });

  const attentionCases = [
    ["one key", 64, 8, 1, 100, 1],
    ["part of a page", 64, 8, 1, 100, 19],
    ["a whole page", 32, 2, 1, 100, 64],
    ["several pages", 64, 8, 1, 200, 150],
    ["a window inside a page", 64, 4, 1, 8, 11],
    ["a window over the edge of pages", 16, 1, 1, 71, 131],
    ["a window that begins with a page", 64, 8, 1, 128, 192],
    ["heads of 24", 24, 3, 1, 65, 70],
    ["eight columns from the first position on", 64, 8, 8, 100, 1],
    ["columns that reach a next page", 32, 5, 8, 200, 125],
    ["columns whose window leaves a page", 64, 3, 7, 128, 189],
    ["columns with a window of their own position alone", 16, 2, 3, 1, 63],
  ] as const;

  test.each(
    (["f32", "i16"] as const).flatMap((type) =>
      attentionCases
        .filter(([, headDim]) => type === "f32" || headDim % 16 === 0)
        .map((attentionCase) => [type, ...attentionCase] as const),
    ),
  )("attention, %s: %s", (type, _name, headDim, group, columns, window, end) => {
    memory.reset();
    const random = randomNumbers(headDim + end);
    const kvHeads = 2;
    const seen = Array.from({ length: columns }, (_, c) => ({
      first: Math.max(0, end + c - window),
      end: end + c,
    }));
    const positions = end + columns + 4;
    const pages = Math.ceil(positions / KV_PAGE);
    const headFloats = type === "f32" ? 2 * headDim * KV_PAGE : (headDim + 2) * KV_PAGE;
    const pageFloats = kvHeads * headFloats;
    const store = type === "f32" ? kernels.kv_store : kernels.kv_store_i16;
    const attention = type === "f32" ? kernels.attention : kernels.attention_i16;
    const k = Array.from({ length: positions }, () => randomFloats(kvHeads * headDim, random, 2));
    const v = Array.from({ length: positions }, () => randomFloats(kvHeads * headDim, random));
    // What lies outside all windows must not be used, not even times zero.
    // The session's pages lie in another order, and not next to each other.
    const table = Uint32Array.from({ length: pages }, (_, page) => 2 * (pages - 1 - page));
    const cache = memory.put(new Float32Array(2 * pages * pageFloats).fill(Number.NaN));
    for (let j = 0; j < positions; j++) {
      const outside = j < seen[0]!.first || j >= end + columns - 1;
      const keys = outside ? new Float32Array(kvHeads * headDim).fill(Number.NaN) : k[j];
      const values = outside ? new Float32Array(kvHeads * headDim).fill(Number.NaN) : v[j];
      const page = cache + (table[Math.floor(j / KV_PAGE)] ?? 0) * pageFloats * 4;
      const [kAt, vAt] = [memory.put(keys ?? v[0]!), memory.put(values ?? v[0]!)];
      store(kAt, vAt, page, j % KV_PAGE, kvHeads, headDim);
    }
    const width = group * headDim;
    const q = randomFloats(columns * width, random, 2);
    const sinks = randomFloats(group, random, 3);
    const scratch = memory.reserve(attentionScratchFloats(group, headDim) * 4);
    for (let h = 0; h < kvHeads; h++) {
      const out = memory.result(columns * width);
      attention(
        memory.put(q),
        columns,
        group,
        headDim,
        cache + h * headFloats * 4,
        memory.put(table),
        pageFloats,
        window,
        end,
        1 / Math.sqrt(headDim),
        memory.put(sinks),
        out,
        scratch,
      );
      const head = (rows: Float32Array[], column: number): Float64Array[] =>
        rows
          .slice(seen[column]!.first, seen[column]!.end)
          .map((row) => new Float64Array(row.subarray(h * headDim, (h + 1) * headDim)));
      const expected = Array.from({ length: columns * group }, (_, row) => [
        ...attend(
          new Float64Array(q.subarray(row * headDim, (row + 1) * headDim)),
          head(k, Math.floor(row / group)),
          head(v, Math.floor(row / group)),
          sinks[row % group] ?? 0,
        ),
      ]).flat();
      expectClose(
        memory.floats(out, columns * width),
        Float64Array.from(expected),
        type === "f32" ? 1e-5 : 2e-3,
      );
    }
  });

  test.each(["f32", "i16"] as const)("attention, %s: columns together as each alone", (type) => {
    memory.reset();
    const random = randomNumbers(3);
    const [headDim, group, columns, end, window] = [64, 8, 8, 300, 128];
    const headFloats = type === "f32" ? 2 * headDim * KV_PAGE : (headDim + 2) * KV_PAGE;
    const pages = Math.ceil((end + columns) / KV_PAGE);
    const store = type === "f32" ? kernels.kv_store : kernels.kv_store_i16;
    const attention = type === "f32" ? kernels.attention : kernels.attention_i16;
    const cache = memory.put(new Float32Array(pages * headFloats));
    for (let j = 0; j < end + columns - 1; j++) {
      const page = cache + Math.floor(j / KV_PAGE) * headFloats * 4;
      const [k, v] = [randomFloats(headDim, random, 2), randomFloats(headDim, random)];
      store(memory.put(k), memory.put(v), page, j % KV_PAGE, 1, headDim);
    }
    const table = memory.put(Uint32Array.from({ length: pages }, (_, page) => page));
    const width = group * headDim;
    const q = memory.put(randomFloats(columns * width, random, 2));
    const sinks = memory.put(randomFloats(group, random, 3));
    const scratch = memory.reserve(attentionScratchFloats(group, headDim) * 4);
    const seen = (first: number, count: number): number[] => {
      const out = memory.result(count * width);
      const from = q + first * width * 4;
      // biome-ignore format: as the kernel takes them
      attention(from, count, group, headDim, cache, table, headFloats, window, end + first, 0.125, sinks, out, scratch);
      return [...memory.floats(out, count * width)];
    };
    const alone = Array.from({ length: columns }, (_, c) => seen(c, 1)).flat();
    expect(seen(0, columns)).toEqual(alone);
  });
});

/** Relative to the largest value: cancellation is not the kernel's fault. */
function expectClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = CLOSE,
): void {
  expect(found.length).toBe(expected.length);
  const largest = Array.from(expected).reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  const wrong = Array.from(found).findIndex(
    (value, i) => !(Math.abs(value - (expected[i] ?? 0)) <= tolerance * largest),
  );
  expect(wrong, `${found[wrong]} instead of ${expected[wrong]}`).toBe(-1);
}
