/** Ranges of Unicode scalar values as sequences of ranges of bytes. */

export type ByteRange = readonly [from: number, to: number];

/** Ends of the ranges whose characters take one, two, three and four bytes; surrogates are no characters. */
const BLOCKS: readonly (readonly [from: number, to: number, bytes: number])[] = [
  [0, 0x7f, 1],
  [0x80, 0x7ff, 2],
  [0x800, 0xd7ff, 3],
  [0xe000, 0xffff, 3],
  [0x10000, 0x10ffff, 4],
];

const LEADS = [0, 0, 0xc0, 0xe0, 0xf0];

/** Sequences that together are the UTF-8 of exactly these characters; no two of them match the same bytes. */
export function utf8Sequences(ranges: readonly (readonly [number, number])[]): ByteRange[][] {
  const sequences: ByteRange[][] = [];
  for (const [from, to] of ranges) {
    for (const [first, last, bytes] of BLOCKS) {
      const low = Math.max(from, first);
      const high = Math.min(to, last);
      if (low <= high) split(low, high, bytes, sequences);
    }
  }
  return sequences;
}

/** Characters of equally many bytes: cut until each byte's range is independent of the others. */
function split(low: number, high: number, bytes: number, out: ByteRange[][]): void {
  for (let tail = 1; tail < bytes; tail++) {
    const mask = 2 ** (6 * tail) - 1;
    if (low >> (6 * tail) === high >> (6 * tail)) continue;
    if ((low & mask) !== 0) {
      split(low, low | mask, bytes, out);
      split((low | mask) + 1, high, bytes, out);
      return;
    }
    if ((high & mask) !== mask) {
      split(low, (high & ~mask) - 1, bytes, out);
      split(high & ~mask, high, bytes, out);
      return;
    }
  }
  const from = encode(low, bytes);
  const to = encode(high, bytes);
  out.push(from.map((byte, at): ByteRange => [byte, to[at]!]));
}

function encode(scalar: number, bytes: number): number[] {
  if (bytes === 1) return [scalar];
  const encoded: number[] = [];
  for (let left = bytes - 1, rest = scalar; left >= 0; left--, rest >>= 6) {
    encoded.unshift(left === 0 ? LEADS[bytes]! | rest : 0x80 | (rest & 0x3f));
  }
  return encoded;
}
