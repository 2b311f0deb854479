/**
 * From logits to one id. Randomness is a function of seed and position alone, not of what was drawn
 * before: the same seed on the same timeline gives the same ids, whether a generation runs in one
 * piece, is broken off and resumed, or goes back and tries again.
 */

import type { Sampling } from "./engine.ts";
import { InvalidRequestError } from "./errors.ts";

/**
 * Samples an id. Ties go to the lowest id.
 *
 * @param logits f32 (vocab); only the first `limit` are ids that may be sampled
 * @param position length of the timeline that the id will extend
 * @param banned ids that must not come; when every id is banned, the ban is void
 */
export function sampleId(
  logits: Float32Array<ArrayBufferLike>,
  limit: number,
  sampling: Sampling,
  position: number,
  banned: readonly number[],
): number {
  const allowed = (id: number): boolean => !banned.includes(id);
  const best = largest(logits, limit, allowed) ?? largest(logits, limit, () => true) ?? 0;
  if (sampling.temperature === 0) return best;
  const top = logits[best]!;
  // Ids below have a weight that no double can add to the best one's.
  const cut = top - 40 * sampling.temperature;
  if (buffer.length < limit) buffer = new Float64Array(limit);
  const weights = buffer.subarray(0, limit);
  let sum = 0;
  for (let id = 0; id < limit; id++) {
    const logit = logits[id]!;
    const possible = logit >= cut && (banned.length === 0 || allowed(id));
    const weight = possible ? Math.exp((logit - top) / sampling.temperature) : 0;
    weights[id] = weight;
    sum += weight;
  }
  const random = uniform(sampling.seed, position);
  if (sampling.topP >= 1) return draw(weights, sum * random) ?? best;
  return drawFromNucleus(weights, sum, sampling.topP, random) ?? best;
}

/** Weights of the ids, kept between calls: a vocabulary of 200,000 is not allocated for every token. */
let buffer = new Float64Array(0);

/** The smallest set of ids, likeliest first, whose probability reaches `topP`; then a draw from it. */
function drawFromNucleus(
  weights: Float64Array,
  sum: number,
  topP: number,
  random: number,
): number | undefined {
  // All ids below this share are less than 1 - topP together, so none of them is in the nucleus.
  const threshold = ((1 - topP) * sum) / weights.length;
  const order: number[] = [];
  for (let id = 0; id < weights.length; id++) {
    if (weights[id]! > 0 && weights[id]! >= threshold) order.push(id);
  }
  order.sort((a, b) => weights[b]! - weights[a]! || a - b);
  let reached = 0;
  let size = 0;
  while (size < order.length && (size === 0 || reached < topP * sum)) {
    reached += weights[order[size++]!]!;
  }
  const nucleus = order.slice(0, size);
  const index = draw(
    Float64Array.from(nucleus, (id) => weights[id]!),
    reached * random,
  );
  return index === undefined ? undefined : nucleus[index];
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

function largest(
  logits: Float32Array<ArrayBufferLike>,
  limit: number,
  allowed: (id: number) => boolean,
): number | undefined {
  let best: number | undefined;
  let top = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < limit; id++) {
    const logit = logits[id]!;
    // Also written so that NaN, which compares as false, never wins.
    if ((logit > top || (best === undefined && logit === top)) && allowed(id)) {
      best = id;
      top = logit;
    }
  }
  return best;
}

/**
 * A number in 0 … 1 (exclusive) that depends on seed and position only: both are hashed by the
 * finaliser of MurmurHash3, 53 bits of which make the number.
 */
export function uniform(seed: number, position: number): number {
  let hash = mix((seed >>> 0) ^ 0x9e3779b9);
  hash = mix(hash ^ (Math.floor(seed / 2 ** 32) >>> 0));
  hash = mix(hash ^ position);
  const high = mix(hash + 0x85ebca6b);
  const low = mix(hash + 0xc2b2ae35);
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

/** A bijection of 32-bit integers that spreads every input bit over all output bits. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** @throws InvalidRequestError for values that mean nothing */
export function checkSampling(sampling: Sampling): void {
  const { temperature, topP, seed } = sampling;
  if (!(temperature >= 0 && temperature <= 100)) {
    throw new InvalidRequestError(
      `Cannot sample with temperature ${temperature}; accepted: 0 (greedy) … 100.`,
    );
  }
  if (!(topP > 0 && topP <= 1)) {
    throw new InvalidRequestError(`Cannot sample with top-p ${topP}; accepted: above 0, up to 1.`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new InvalidRequestError(
      `Cannot sample with seed ${seed}; accepted: an integer from 0 to 2^53 - 1.`,
    );
  }
}
