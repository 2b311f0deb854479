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
