/**
 * What the fast path rounds, in plain words: activations to int8 before every large product, and
 * dense weights to Q8_0. Run through the reference, it says how far from float64 the fast kernels
 * may be, and that nothing but this rounding is between them.
 */

import { apply } from "./forward.ts";
import { BLOCK } from "./mxfp4.ts";
import type { Matrix, ReferenceWeights } from "./weights.ts";

const LARGEST_CODE = 127;

/** W·round(x) + b: one scale per 32 activations, max|x| / 127. */
export function applyInt8(matrix: Matrix, x: Float64Array): Float64Array {
  return apply(
    matrix,
    mapBlocks(x, (largest) => largest / LARGEST_CODE),
  );
}

/** The weights with attention and unembedding rounded to Q8_0; the router and experts as they are. */
export function quantiseDense(weights: ReferenceWeights): ReferenceWeights {
  const rounded = ({ weight, bias }: Matrix): Matrix => ({ weight: roundToQ8(weight), bias });
  return {
    ...weights,
    unembedding: roundToQ8(weights.unembedding),
    layers: weights.layers.map((layer) => ({
      ...layer,
      q: rounded(layer.q),
      k: rounded(layer.k),
      v: rounded(layer.v),
      out: rounded(layer.out),
    })),
  };
}

/** Q8_0: one scale per 32 inputs, max|w| / 127, itself rounded to float16. */
export function roundToQ8(weight: Float64Array): Float64Array {
  return mapBlocks(weight, (largest) => Math.f16round(largest / LARGEST_CODE));
}

/** Each block of 32 to multiples of its scale. */
function mapBlocks(values: Float64Array, scaleOf: (largest: number) => number): Float64Array {
  const out = new Float64Array(values.length);
  for (let start = 0; start < values.length; start += BLOCK) {
    const block = values.subarray(start, start + BLOCK);
    const scale = scaleOf(block.reduce((max, x) => Math.max(max, Math.abs(x)), 0));
    if (scale === 0) continue;
    for (const [i, value] of block.entries()) {
      const code = roundHalfEven(value / scale);
      out[start + i] = Math.min(Math.max(code, -LARGEST_CODE), LARGEST_CODE) * scale;
    }
  }
  return out;
}

function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
