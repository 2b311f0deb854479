/**
 * From logits to one id. Randomness is a function of seed, position and id alone, not of what was drawn
 * before: the same seed on the same timeline gives the same ids, whether a generation runs in one
 * piece, is broken off and resumed, or goes back and tries again; and a draft can be checked by
 * sampling at each of its positions.
 *
 * The order of the steps is that of Hugging Face's and vLLM's samplers: penalties, then what may not
 * come, temperature, top-k, top-p, min-p.
 */

import type { Sampling } from "../engine.ts";
import { BrokenNumbersError } from "../errors.ts";
import { BoundedArgmax } from "./bounded-argmax.ts";
import { candidates } from "./candidates.ts";
import { type GumbelKey, gumbel, gumbelKey } from "./gumbel.ts";
import type { LogitRow } from "./logit-row.ts";
import { Penalties } from "./penalties.ts";
import { keepOnly, type TokenBitmask } from "./token-bitmask.ts";

export type SampleContext = {
  /** The ids so far; only the first `position` are read. */
  readonly timeline: ArrayLike<number>;
  /** Length of the timeline that the id will extend. */
  readonly position: number;
  /** Sets that the id must be in, all of them; they must have an id in common. */
  readonly allowed: readonly TokenBitmask[];
};

/** Below, no Gumbel noise can be told from none. */
const MIN_TEMPERATURE = 1e-30;

/** Whether bounds of the logits can be enough: the share of all that top-p keeps wants all of them. */
export function samplesFromBounds({ topK = 0, topP }: Sampling): boolean {
  return topK > 0 || topP >= 1;
}

/**
 * Samples an id. Ties go to the lowest id.
 * @param row changed in place
 * @returns undefined, and only where the row holds bounds: the logits are needed
 * @throws BrokenNumbersError where a logit that may be sampled is NaN, or the largest is infinite
 */
export function sampleId(
  row: LogitRow,
  sampling: Sampling,
  context: SampleContext,
): number | undefined {
  const { timeline, position, allowed } = context;
  const { values } = row.logits;
  const penalties = new Penalties(sampling, timeline, position);
  penalties.apply(values);
  for (const bits of allowed) keepOnly(values, bits);
  let best = row.logits.largest();
  if (!Number.isFinite(values[best]!)) {
    if (!row.isExact) return undefined;
    throw new BrokenNumbersError(position);
  }
  const { topK = 0, topP, minP = 0, seed } = sampling;
  const temperature = sampling.temperature < MIN_TEMPERATURE ? 0 : sampling.temperature;
  const argmax = new BoundedArgmax(row, penalties);
  let top = values[best]!;
  if (!row.isExact && (temperature === 0 || minP > 0 || topK > 0)) {
    const found = argmax.best(row.logits, [], (_, logit) => logit);
    if (found === undefined) return undefined;
    best = found.id;
    top = found.score;
  }
  if (temperature === 0) return best;
  const key = gumbelKey(seed, position);
  if (topK > 0 || topP < 1) {
    if (!row.isExact && (topK === 0 || !argmax.keepLikeliest(topK))) return undefined;
    const ids = candidates(values, { top, temperature, topK, topP, minP });
    return draw(ids, values, temperature, key) ?? best;
  }
  const least = minP > 0 ? top + temperature * Math.log(minP) : Number.NEGATIVE_INFINITY;
  const bounds = row.perturbed(temperature, least, key);
  const drawn = argmax.best(bounds, minP > 0 ? [best] : [], (id, logit) =>
    logit >= least ? logit + temperature * gumbel(key, id) : Number.NEGATIVE_INFINITY,
  );
  return drawn?.id;
}

/** The winner among some ids. */
function draw(
  ids: ArrayLike<number>,
  logits: Float32Array<ArrayBufferLike>,
  temperature: number,
  key: GumbelKey,
): number | undefined {
  let best: number | undefined;
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    const score = logits[id]! + temperature * gumbel(key, id);
    if (score > top || (score === top && best !== undefined && id < best)) {
      best = id;
      top = score;
    }
  }
  return best;
}
