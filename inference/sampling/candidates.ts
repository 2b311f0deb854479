/**
 * The ids that top-k, top-p and min-p leave. Sorting a vocabulary of 200,000 for every token would
 * cost more than all else here, so a histogram of the logits finds first how far down it is worth
 * looking; what is found does not depend on it.
 */

import { expNeg } from "./exponential.ts";

export type Cuts = {
  /** The largest logit. */
  readonly top: number;
  readonly temperature: number;
  /** 0: no limit. */
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
};

const CELLS = 1024;
const counts = new Int32Array(CELLS);
const masses = new Float64Array(CELLS);

/** Temperatures below the best logit at which a weight is too small for a double to add to the best's. */
const DEPTH = 40;

/** @returns ids, likeliest first, lowest id first among equals */
export function candidates(logits: Float32Array<ArrayBufferLike>, cuts: Cuts): Int32Array {
  const { top, temperature, topK, topP, minP } = cuts;
  const lowest = lowestNeeded(logits, cuts);
  const order: number[] = [];
  for (let id = 0; id < logits.length; id++) if (logits[id]! >= lowest) order.push(id);
  order.sort((a, b) => logits[b]! - logits[a]! || a - b);
  if (topK > 0 && order.length > topK) order.length = topK;
  const weights = Float64Array.from(order, (id) => expNeg((top - logits[id]!) / temperature));
  let size = weights.length;
  if (topP < 1) {
    // What top-k left is the whole, or all that has weight.
    const whole = topK > 0 ? sumOf(weights, size) : masses.reduce((a, b) => a + b, 0);
    let reached = 0;
    size = 0;
    while (size < weights.length && (size === 0 || reached < topP * whole)) {
      reached += weights[size++]!;
    }
  }
  if (minP > 0) while (size > 1 && weights[size - 1]! < minP) size--;
  return Int32Array.from(order.slice(0, size));
}

/** A logit such that no id below it is left over. Fills the histogram. */
function lowestNeeded(logits: Float32Array<ArrayBufferLike>, cuts: Cuts): number {
  const { top, temperature, topK, topP } = cuts;
  const cut = top - DEPTH * temperature;
  counts.fill(0);
  masses.fill(0);
  // A temperature so small that nothing lies between: one cell.
  const scale = cut < top ? (CELLS - 1) / (top - cut) : 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (!(logit >= cut)) continue;
    const cell = Math.floor((top - logit) * scale);
    counts[cell]!++;
    if (topP < 1) masses[cell]! += expNeg((top - logit) / temperature);
  }
  const whole = masses.reduce((a, b) => a + b, 0);
  let count = 0;
  let mass = 0;
  for (let cell = 0; cell < CELLS; cell++) {
    count += counts[cell]!;
    mass += masses[cell]!;
    // What top-p is a share of is known only with all that top-k leaves.
    const enough = topK > 0 ? count >= topK : mass >= topP * whole;
    // Two cells more than needed: what rounds to the border is looked at exactly.
    if (enough) return Math.max(cut, top - (cell + 2) / scale);
  }
  return cut;
}

function sumOf(weights: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += weights[i]!;
  return sum;
}
