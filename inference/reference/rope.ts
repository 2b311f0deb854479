/**
 * Rotary positions with YaRN's "NTK by parts": slow rotations are stretched over the longer context,
 * fast ones stay, and those between are mixed. The bounds of the mixture are NOT rounded to whole
 * dimensions (`truncate: false`); llama.cpp rounds them, so it is no oracle here.
 */

import { concentration, type RopeConfig } from "../checkpoint/config.ts";

/**
 * Angle per position of each pair of dimensions.
 * @returns f64 (headDim/2), radians per token
 */
export function inverseFrequencies(rope: RopeConfig, headDim: number): Float64Array {
  const pairs = headDim / 2;
  /** The pair that turns `turns` times over the original context. */
  const pairOf = (turns: number): number =>
    (pairs * Math.log(rope.originalContext / (turns * 2 * Math.PI))) / Math.log(rope.theta);
  const low = pairOf(rope.betaFast);
  const high = pairOf(rope.betaSlow);
  return Float64Array.from({ length: pairs }, (_, i) => {
    const frequency = rope.theta ** (-i / pairs);
    const stretched = Math.min(Math.max((i - low) / (high - low), 0), 1);
    return frequency * (1 - stretched) + (frequency / rope.factor) * stretched;
  });
}

/**
 * Turns one head's vector for a position. Pairs are (i, i + headDim/2), not neighbours; both cos and
 * sin carry the concentration, so a product of q and k carries its square.
 * @param x f64 (headDim), changed in place
 */
export function rotate(
  x: Float64Array,
  position: number,
  frequencies: Float64Array,
  rope: RopeConfig,
): void {
  const pairs = frequencies.length;
  const scale = concentration(rope.factor);
  for (let i = 0; i < pairs; i++) {
    const angle = position * frequencies[i]!;
    const cos = Math.cos(angle) * scale;
    const sin = Math.sin(angle) * scale;
    const first = x[i]!;
    const second = x[i + pairs]!;
    x[i] = first * cos - second * sin;
    x[i + pairs] = second * cos + first * sin;
  }
}
