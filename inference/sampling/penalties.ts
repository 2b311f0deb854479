import type { Sampling } from "../engine.ts";

/** Latest ids of the timeline that penalties look at, where nothing else is said. */
const DEFAULT_PENALTY_WINDOW = 64;

/**
 * Makes ids that came lately less likely. A repetition penalty divides a positive logit and multiplies a
 * negative one (CTRL, Keskar et al. 2019); a presence penalty is subtracted once, a frequency penalty
 * once per occurrence. They count occurrences among the last `penaltyWindow` ids of the timeline, prompt
 * included: what is sampled stays a function of the timeline. A larger logit stays the larger one, so
 * that an upper bound stays one.
 */
export class Penalties {
  readonly #sampling: Sampling;
  /** Occurrences of each id that is penalised. */
  readonly #counts = new Map<number, number>();

  /** @param timeline ids 0 … length - 1 have been */
  constructor(sampling: Sampling, timeline: ArrayLike<number>, length: number) {
    this.#sampling = sampling;
    const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = sampling;
    if (repetitionPenalty === 1 && presencePenalty === 0 && frequencyPenalty === 0) return;
    const exempt = new Set(sampling.unpenalisedIds ?? []);
    const window = sampling.penaltyWindow ?? DEFAULT_PENALTY_WINDOW;
    for (let i = Math.max(0, length - window); i < length; i++) {
      const id = timeline[i]!;
      if (!exempt.has(id)) this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    }
  }

  /** To all logits, in place. */
  apply(logits: Float32Array<ArrayBufferLike>): void {
    for (const id of this.#counts.keys()) logits[id] = this.of(id, logits[id]!);
  }

  /** What becomes of the logit of one id. */
  of(id: number, logit: number): number {
    const count = this.#counts.get(id);
    if (count === undefined) return logit;
    const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = this.#sampling;
    const scaled = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty;
    return Math.fround(scaled - presencePenalty - frequencyPenalty * count);
  }
}
