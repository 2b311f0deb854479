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
import { candidates } from "./candidates.ts";
import { type IdBits, keepOnly } from "./id-bits.ts";
import type { LogitRow, RowNumbers } from "./logit-row.ts";
import { type NoiseKey, noise, noiseKey } from "./noise.ts";
import { Penalties } from "./penalties.ts";

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

/** Below, no noise can be told from none. */
const LEAST_TEMPERATURE = 1e-30;
/** Where bounds leave more ids than this part of all, computing all logits at once is faster. */
const MOST_COMPUTED = 1 / 16;

/** Whether bounds of the logits can be enough: top-k and top-p look at more than a few logits. */
export function samplesFromBounds({ topK = 0, topP }: Sampling): boolean {
  return topK === 0 && topP >= 1;
}

/**
 * Samples an id. Ties go to the lowest id.
 * @param row changed in place
 * @returns undefined, and only where the row holds bounds: the logits are needed
 */
export function sampleId(
  row: LogitRow,
  sampling: Sampling,
  context: SampleContext,
): number | undefined {
  const { timeline, position, banned, allowed } = context;
  const { values } = row.logits;
  const penalties = new Penalties(sampling, timeline, position);
  penalties.apply(values);
  for (const bits of allowed) keepOnly(values, bits);
  let best = exclude(row.logits, banned);
  if (!Number.isFinite(values[best]!)) {
    // Where one logit is infinite, or none is a number, there are no shares to draw by.
    return row.isExact ? best : undefined;
  }
  const { topK = 0, topP, minP = 0, seed } = sampling;
  const temperature = sampling.temperature < LEAST_TEMPERATURE ? 0 : sampling.temperature;
  const contest = new Contest(row, penalties);
  let top = values[best]!;
  if (!row.isExact && (temperature === 0 || minP > 0)) {
    const found = contest.best(row.logits, [], (_, logit) => logit);
    if (found === undefined) return undefined;
    best = found.id;
    top = found.score;
  }
  if (temperature === 0) return best;
  const key = noiseKey(seed, position);
  if (!samplesFromBounds(sampling)) {
    if (!row.isExact) return undefined;
    const ids = candidates(values, { top, temperature, topK, topP, minP });
    return draw(ids, values, temperature, key) ?? best;
  }
  const least = minP > 0 ? top + temperature * Math.log(minP) : Number.NEGATIVE_INFINITY;
  const bounds = row.noisy(temperature, least, key);
  const drawn = contest.best(bounds, minP > 0 ? [best] : [], (id, logit) =>
    logit >= least ? logit + temperature * noise(key, id) : Number.NEGATIVE_INFINITY,
  );
  return drawn?.id;
}

/** Finds the id with the largest score by looking only at those whose bound says that they may be it. */
class Contest {
  readonly #row: LogitRow;
  readonly #penalties: Penalties;

  constructor(row: LogitRow, penalties: Penalties) {
    this.#row = row;
    this.#penalties = penalties;
  }

  /**
   * @param bounds no score is above its own
   * @param likely ids that are worth a look before all others, besides the one of the largest bound
   * @returns undefined when too many ids may be it to look at each
   */
  best(
    bounds: RowNumbers,
    likely: readonly number[],
    scoreOf: (id: number, logit: number) => number,
  ): Scored | undefined {
    const first = this.#best(
      [bounds.largest(), ...likely].sort((a, b) => a - b),
      scoreOf,
    );
    if (this.#row.isExact) return this.#best(bounds.atLeast(first.score), scoreOf);
    if (!Number.isFinite(first.score)) return undefined;
    const ids = bounds.atLeast(first.score);
    if (ids.length > bounds.values.length * MOST_COMPUTED) return undefined;
    return this.#best(ids, scoreOf);
  }

  #best(ids: readonly number[], scoreOf: (id: number, logit: number) => number): Scored {
    const logits = this.#row.exact(ids);
    let best: Scored = { id: ids[0] ?? 0, score: Number.NEGATIVE_INFINITY };
    for (const [index, id] of ids.entries()) {
      // What is changed in place was penalised there.
      const raw = logits[index]!;
      const score = scoreOf(id, this.#row.isExact ? raw : this.#penalties.of(id, raw));
      if (score > best.score) best = { id, score };
    }
    return best;
  }
}

type Scored = { readonly id: number; readonly score: number };

/** Takes the banned ids out, unless nothing would be left; gives the likeliest id of the rest. */
function exclude(logits: RowNumbers, banned: readonly number[]): number {
  const { values } = logits;
  const before = banned.map((id) => [id, values[id]!] as const);
  for (const id of banned) values[id] = Number.NEGATIVE_INFINITY;
  const best = logits.largest();
  if (values[best]! > Number.NEGATIVE_INFINITY || banned.length === 0) return best;
  // Backwards: an id that is named twice gets its first value again.
  for (const [id, logit] of before.reverse()) values[id] = logit;
  return logits.largest();
}

/** The winner among some ids. */
function draw(
  ids: ArrayLike<number>,
  logits: Float32Array<ArrayBufferLike>,
  temperature: number,
  key: NoiseKey,
): number | undefined {
  let best: number | undefined;
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    const score = logits[id]! + temperature * noise(key, id);
    if (score > top || (score === top && best !== undefined && id < best)) {
      best = id;
      top = score;
    }
  }
  return best;
}
