/** An id among those that are allowed, by the probabilities that a server tells. */
import type { Sampling, TokenLogprobs } from "../engine.ts";
import { mixed } from "./pool.ts";

/**
 * @param position  of the id in the timeline: with the seed it decides which id is drawn
 * @returns null where none of the likeliest ids is allowed
 */
export function chooseId(
  { top }: TokenLogprobs,
  isAllowed: (id: number) => boolean,
  { temperature, seed }: Sampling,
  position: number,
): number | null {
  const allowed = top.filter(({ id }) => isAllowed(id));
  const [likeliest] = allowed;
  if (likeliest === undefined) return null;
  if (temperature === 0) return likeliest.id;
  const weights = allowed.map(({ logprob }) =>
    Math.exp((logprob - likeliest.logprob) / temperature),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let left = (mixed(mixed(seed) ^ position) / 2 ** 32) * sum;
  const found = allowed.find((_, at) => {
    left -= weights[at] ?? 0;
    return left < 0;
  });
  return (found ?? likeliest).id;
}
