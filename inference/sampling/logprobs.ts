import type { TokenLogprob, TokenLogprobs } from "../engine.ts";

/**
 * Log probabilities (natural) of the model itself: the softmax of its logits, before temperature,
 * penalties, masks and cuts. Remember them before the logits are changed; `of` names the id that was
 * sampled in the end.
 */
export class Logprobs {
  readonly #logits: Float32Array;
  readonly #normaliser: number;

  constructor(logits: Float32Array<ArrayBufferLike>) {
    this.#logits = Float32Array.from(logits);
    let top = Number.NEGATIVE_INFINITY;
    for (const logit of this.#logits) if (logit > top) top = logit;
    let sum = 0;
    for (const logit of this.#logits) if (logit >= top - 100) sum += Math.exp(logit - top);
    this.#normaliser = top + Math.log(sum);
  }

  /** @param count how many of the likeliest ids to name; ties go to the lowest id */
  of(id: number, count: number): TokenLogprobs {
    return { id, logprob: this.#of(id), top: this.#top(count) };
  }

  #of(id: number): number {
    return this.#logits[id]! - this.#normaliser;
  }

  /** The likeliest ids, by insertion: `count` is small. */
  #top(count: number): TokenLogprob[] {
    const ids: number[] = [];
    const logits = this.#logits;
    for (let id = 0; id < logits.length; id++) {
      const last = ids[ids.length - 1];
      if (ids.length === count && (last === undefined || !(logits[id]! > logits[last]!))) continue;
      if (ids.length === count) ids.pop();
      let at = ids.length;
      while (at > 0 && logits[id]! > logits[ids[at - 1]!]!) at--;
      ids.splice(at, 0, id);
    }
    return ids.map((found) => ({ id: found, logprob: this.#of(found) }));
  }
}
