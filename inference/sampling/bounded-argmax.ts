import type { LogitRow, RowNumbers } from "./logit-row.ts";
import type { Penalties } from "./penalties.ts";

/** Where bounds leave more ids than this part of all, computing all logits at once is faster. */
const MAX_COMPUTED = 1 / 16;

export type Scored = { readonly id: number; readonly score: number };

/** Finds what is largest in a row by looking only at ids whose bounds say that they may be it. */
export class BoundedArgmax {
  readonly #row: LogitRow;
  readonly #penalties: Penalties;

  /** @param penalties that were applied to the row's numbers */
  constructor(row: LogitRow, penalties: Penalties) {
    this.#row = row;
    this.#penalties = penalties;
  }

  /**
   * The id with the largest score, the lowest of equals.
   * @param bounds no score is above its own
   * @param likely ids that are worth a look before all others, besides the one of the largest bound
   * @returns undefined when too many ids may be it to look at each, or a score is NaN
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
    if (!this.#row.isExact && !Number.isFinite(first.score)) return undefined;
    const ids = bounds.atLeast(first.score);
    if (!this.#areFew(ids)) return undefined;
    const best = this.#best(ids, scoreOf);
    return Number.isNaN(best.score) ? undefined : best;
  }

  /**
   * Turns bounds into logits: of at least the `count` likeliest ids; all others become -∞.
   * @returns false, and nothing was changed, when too many ids may be among them
   */
  keepLikeliest(count: number): boolean {
    const bounds = this.#row.logits;
    const { values } = bounds;
    const top = values[bounds.largest()]!;
    // Any ids will do to begin with, best those with the largest bounds.
    let ids: number[] = [];
    for (let reach = 1; ids.length < count && reach <= 2 ** 10; reach *= 2) {
      ids = bounds.atLeast(reach < 2 ** 10 ? top - reach : -3.4e38);
      if (!this.#areFew(ids)) return false;
    }
    let logits = this.#logitsOf(ids);
    if (ids.length >= count) {
      const least = Float32Array.from(logits).sort().at(-count) ?? top;
      ids = bounds.atLeast(least);
      if (!this.#areFew(ids)) return false;
      logits = this.#logitsOf(ids);
    }
    values.fill(Number.NEGATIVE_INFINITY);
    for (const [index, id] of ids.entries()) values[id] = logits[index]!;
    return true;
  }

  #areFew(ids: readonly number[]): boolean {
    return this.#row.isExact || ids.length <= this.#row.logits.values.length * MAX_COMPUTED;
  }

  /** The first NaN, where there is one. */
  #best(ids: readonly number[], scoreOf: (id: number, logit: number) => number): Scored {
    const logits = this.#logitsOf(ids);
    let best: Scored = { id: ids[0] ?? 0, score: Number.NEGATIVE_INFINITY };
    for (const [index, id] of ids.entries()) {
      const score = scoreOf(id, logits[index]!);
      if (Number.isNaN(score)) return { id, score };
      if (score > best.score) best = { id, score };
    }
    return best;
  }

  /** Penalised; what is changed in place was penalised there. */
  #logitsOf(ids: readonly number[]): ArrayLike<number> {
    const logits = this.#row.exact(ids);
    if (this.#row.isExact) return logits;
    return ids.map((id, index) => this.#penalties.of(id, logits[index]!));
  }
}
