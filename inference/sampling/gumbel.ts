/**
 * The randomness of sampling: for every id a number that depends on seed, position and id alone, drawn
 * from the standard Gumbel distribution. The id whose logit plus noise is the largest is a draw from the
 * softmax of the logits (Gumbel 1954; "Gumbel-max"). Where upper bounds of the logits are known, most ids
 * can be left out without their logit or their noise.
 */

/** What the noise of one position is made of: three 32-bit numbers. */
export type GumbelKey = {
  readonly first: number;
  readonly second: number;
  readonly third: number;
};

/** @param seed an integer from 0 to 2^53 - 1 */
export function gumbelKey(seed: number, position: number): GumbelKey {
  let hash = mix((seed >>> 0) ^ 0x9e3779b9);
  hash = mix(hash ^ (Math.floor(seed / 2 ** 32) >>> 0));
  hash = mix(hash ^ position);
  return {
    first: mix(hash + 0x85ebca6b),
    second: mix(hash + 0xc2b2ae35),
    third: mix(hash + 0x27d4eb2f),
  };
}

/** The kernel `gumbel_bounds` hashes the same way and takes `v` for `-log(1 - v)`, which is larger. */
export function gumbel(key: GumbelKey, id: number): number {
  const high = mix((mix(id ^ key.first) + key.second) | 0);
  const low = mix(high ^ key.third);
  const v = ((high >>> 0) + ((low >>> 0) + 0.5) / 2 ** 32) / 2 ** 32;
  return -Math.log(-Math.log1p(-v));
}

/** The finaliser of MurmurHash3: a bijection of 32-bit integers that spreads every bit over all. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
