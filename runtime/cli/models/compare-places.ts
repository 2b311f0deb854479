/** How far the probabilities of two engines are from each other, place by place of the same ids. */
import type { TokenLogprob } from "../../../inference/index.ts";

/** One id at one place: what came behind the ids before it. */
export type ComparedId = {
  readonly text: number;
  /** Ids of the text before it. */
  readonly place: number;
  readonly id: number;
  /** Natural logarithms of the probabilities. */
  readonly here: number;
  readonly there: number;
};

export type PlaceComparison = {
  /** The likeliest id of each. */
  readonly here: number;
  readonly there: number;
  /** Ids that are likely enough to count. */
  readonly ids: readonly ComparedId[];
  /**
   * By how much the likeliest ids of the two differ at most, in the eyes of either; infinite where ours is not among
   * those that the server tells.
   */
  readonly gap: number;
};

/** Below this probability the logarithm says more about rounding than about the model. */
const LEAST_LOGPROB: number = Math.log(0.001);

/**
 * @param row  our logits of all ids
 * @param told  the likeliest ids of the server, likeliest first, at least one
 */
export function comparePlace(
  row: Float32Array,
  told: readonly TokenLogprob[],
  where: Pick<ComparedId, "text" | "place">,
): PlaceComparison {
  const best = indexOfLargest(row);
  const most = row[best] ?? 0;
  const normaliser = most + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
  const ours = (id: number): number => (row[id] ?? Number.NEGATIVE_INFINITY) - normaliser;
  const [likeliest = { id: -1, logprob: 0 }] = told;
  const ids = told
    .map(({ id, logprob }) => ({ ...where, id, here: ours(id), there: logprob }))
    .filter(({ here, there }) => Math.max(here, there) >= LEAST_LOGPROB);
  const bestThere = told.find(({ id }) => id === best)?.logprob ?? Number.NEGATIVE_INFINITY;
  const gap = Math.max(ours(best) - ours(likeliest.id), likeliest.logprob - bestThere);
  return { here: best, there: likeliest.id, ids, gap };
}

function indexOfLargest(row: Float32Array): number {
  return row.reduce((best, logit, id) => (logit > (row[best] ?? 0) ? id : best), 0);
}

export type Agreement = {
  readonly places: number;
  /** Places with the same likeliest id. */
  readonly same: number;
  /** Of the others, places where both engines give the two ids nearly the same probability. */
  readonly ties: number;
  readonly ids: number;
  /** Of the differences of logarithms, without their signs. */
  readonly mean: number;
  readonly max: number;
  readonly agrees: boolean;
};

/**
 * Two engines agree where at each place their likeliest ids are the same, or tied, and the probabilities differ by no
 * more than the tolerance in the mean.
 * @param tolerance  of natural logarithms
 */
export function agreement(places: readonly PlaceComparison[], tolerance: number): Agreement {
  const same = places.filter(({ here, there }) => here === there).length;
  const ties = places.filter(({ here, there, gap }) => here !== there && gap <= tolerance).length;
  const differences = places.flatMap(({ ids }) => ids.map(difference));
  const sum = differences.reduce((total, one) => total + one, 0);
  const mean = differences.length > 0 ? sum / differences.length : 0;
  return {
    places: places.length,
    same,
    ties,
    ids: differences.length,
    mean,
    max: differences.reduce((most, one) => Math.max(most, one), 0),
    agrees: same + ties === places.length && mean <= tolerance,
  };
}

export function difference({ here, there }: ComparedId): number {
  return Math.abs(here - there);
}
