import type { Sampling } from "../engine.ts";

/** Latest ids of the timeline that penalties look at, where nothing else is said. */
export const DEFAULT_PENALTY_WINDOW = 64;

/**
 * Makes ids that came lately less likely, in place. A repetition penalty divides a positive logit and
 * multiplies a negative one (CTRL, Keskar et al. 2019); a presence penalty is subtracted once, a
 * frequency penalty once per occurrence. They count occurrences among the last `penaltyWindow` ids of
 * the timeline, prompt included: what is sampled stays a function of the timeline.
 *
 * @param timeline ids 0 … length - 1 have been
 */
export function penalise(
  logits: Float32Array<ArrayBufferLike>,
  sampling: Sampling,
  timeline: ArrayLike<number>,
  length: number,
): void {
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = sampling;
  if (repetitionPenalty === 1 && presencePenalty === 0 && frequencyPenalty === 0) return;
  const exempt = new Set(sampling.unpenalisedIds ?? []);
  const counts = new Map<number, number>();
  const window = sampling.penaltyWindow ?? DEFAULT_PENALTY_WINDOW;
  for (let i = Math.max(0, length - window); i < length; i++) {
    const id = timeline[i]!;
    if (!exempt.has(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const [id, count] of counts) {
    const logit = logits[id]!;
    const scaled = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty;
    logits[id] = scaled - presencePenalty - frequencyPenalty * count;
  }
}
