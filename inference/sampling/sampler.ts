/**
 * From logits to one id. Randomness is a function of seed and position alone, not of what was drawn
 * before: the same seed on the same timeline gives the same ids, whether a generation runs in one
 * piece, is broken off and resumed, or goes back and tries again; and a draft can be checked by
 * sampling at each of its positions.
 *
 * The order of the steps is that of Hugging Face's and vLLM's samplers: penalties, then what may not
 * come, temperature, top-k, top-p, min-p.
 */

import type { Sampling } from "../engine.ts";
import { candidates } from "./candidates.ts";
import { decay } from "./exponential.ts";
import { type IdBits, keepOnly } from "./id-bits.ts";
import { penalise } from "./penalties.ts";
import { uniform } from "./random.ts";

export type SampleContext = {
  /** The ids so far; only the first `position` are read. */
  readonly timeline: ArrayLike<number>;
  /** Length of the timeline that the id will extend. */
  readonly position: number;
  /** Ids that must not come; when no other may, the ban is void. */
  readonly banned: readonly number[];
  /** Sets that the id must be in, all of them; they must have an id in common. */
  readonly allowed: readonly IdBits[];
};

/**
 * Samples an id. Ties go to the lowest id.
 * @param logits f32 (vocab); changed in place
 */
export function sampleId(
  logits: Float32Array<ArrayBufferLike>,
  sampling: Sampling,
  context: SampleContext,
): number {
  const { timeline, position, banned, allowed } = context;
  penalise(logits, sampling, timeline, position);
  for (const bits of allowed) keepOnly(logits, bits);
  const best = exclude(logits, banned);
  const { temperature, topK = 0, topP, minP = 0 } = sampling;
  const top = logits[best]!;
  // Where one logit is infinite, or none is a number, there are no shares to draw by.
  if (temperature === 0 || !Number.isFinite(top)) return best;
  const random = uniform(sampling.seed, position);
  // Ids below have a weight that no double can add to the best one's.
  const cut = top - 40 * temperature;
  if (topK === 0 && topP >= 1) {
    const least = minP > 0 ? Math.max(cut, top + temperature * Math.log(minP)) : cut;
    return drawInOrder(logits, top, temperature, least, random) ?? best;
  }
  const found = candidates(logits, { top, cut, temperature, topK, topP, minP });
  const index = draw(found.weights, found.sum * random);
  return index === undefined ? best : found.ids[index]!;
}

/** Takes the banned ids out, unless nothing would be left; gives the likeliest id of the rest. */
function exclude(logits: Float32Array<ArrayBufferLike>, banned: readonly number[]): number {
  const before = banned.map((id) => [id, logits[id]!] as const);
  for (const id of banned) logits[id] = Number.NEGATIVE_INFINITY;
  const best = largest(logits);
  if (logits[best]! > Number.NEGATIVE_INFINITY || banned.length === 0) return best;
  // Backwards: an id that is named twice gets its first value again.
  for (const [id, logit] of before.reverse()) logits[id] = logit;
  return largest(logits);
}

/** The likeliest id; 0 when all are -∞ or NaN, which compares as false and never wins. */
function largest(logits: Float32Array<ArrayBufferLike>): number {
  let best = -1;
  let top = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (logit > top) {
      best = id;
      top = logit;
    }
  }
  return Math.max(0, best);
}

/** Ids that are weighed together: a second look at one block finds the id. */
const BLOCK = 1024;

/** A draw among all ids whose logit is at least `least`, by the running sum of their weights. */
function drawInOrder(
  logits: Float32Array<ArrayBufferLike>,
  top: number,
  temperature: number,
  least: number,
  random: number,
): number | undefined {
  const { length } = logits;
  const sums: number[] = [];
  let whole = 0;
  for (let start = 0; start < length; start += BLOCK) {
    const end = Math.min(length, start + BLOCK);
    let sum = 0;
    for (let id = start; id < end; id++) {
      const logit = logits[id]!;
      if (logit >= least) sum += decay((top - logit) / temperature);
    }
    sums.push(sum);
    whole += sum;
  }
  let target = whole * random;
  let block: number | undefined;
  for (const [index, sum] of sums.entries()) {
    if (sum === 0) continue;
    block = index;
    if (sum > target) break;
    target -= sum;
  }
  if (block === undefined) return undefined;
  const start = block * BLOCK;
  const weights = Float64Array.from(logits.subarray(start, start + BLOCK), (logit) =>
    logit >= least ? decay((top - logit) / temperature) : 0,
  );
  const index = draw(weights, target);
  return index === undefined ? undefined : start + index;
}

/** The index at which the running sum of weights passes `target`; never one without weight. */
function draw(weights: Float64Array, target: number): number | undefined {
  let sum = 0;
  let last: number | undefined;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    sum += weights[i]!;
    last = i;
    if (sum > target) break;
  }
  return last;
}
