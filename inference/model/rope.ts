/**
 * Rotary positions with YaRN's "NTK by parts": frequencies that turn slowly are stretched over the
 * longer context, fast ones stay, those between are mixed. The bounds of the mixture are not rounded
 * to whole dimensions.
 */

import { concentration, type RopeConfig } from "../checkpoint/config.ts";

/** Angle per position of each pair of dimensions, radians; f64 (headDim / 2). */
export function rotationFrequencies(rope: RopeConfig, headDim: number): Float64Array {
  const pairs = headDim / 2;
  const pairThatTurns = (turns: number): number =>
    (pairs * Math.log(rope.originalContext / (turns * 2 * Math.PI))) / Math.log(rope.theta);
  const low = pairThatTurns(rope.betaFast);
  const high = pairThatTurns(rope.betaSlow);
  return Float64Array.from({ length: pairs }, (_, i) => {
    const plain = rope.theta ** (-i / pairs);
    const mix = Math.min(1, Math.max(0, (i - low) / (high - low)));
    return plain * (1 - mix) + (plain / rope.factor) * mix;
  });
}

/**
 * Writes one position's cosines and sines, attention temperature included, as f32 from f64: far out,
 * the product position · frequency would lose its angle in f32.
 *
 * @param floats memory that holds both tables
 * @param cos, sin index in `floats` of this position's row (headDim / 2)
 */
export function writeRotation(
  floats: Float32Array<ArrayBufferLike>,
  cos: number,
  sin: number,
  position: number,
  frequencies: Float64Array,
  factor: number,
): void {
  const scale = concentration(factor);
  for (let i = 0; i < frequencies.length; i++) {
    const angle = position * frequencies[i]!;
    floats[cos + i] = Math.cos(angle) * scale;
    floats[sin + i] = Math.sin(angle) * scale;
  }
}
