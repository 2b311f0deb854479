/**
 * A set of token ids as bits: id i is bit i % 32 of word i / 32. What masks of constrained decoding
 * are made of, since a grammar's masks are combined word by word.
 */
export type TokenBitmask = Uint32Array<ArrayBufferLike>;

/** Words that hold ids 0 … count - 1. */
export function bitmaskWords(count: number): number {
  return Math.ceil(count / 32);
}

/** The set of `ids`, each below `vocabSize`; others are left out. */
export function tokenBitmask(vocabSize: number, ids: Iterable<number>): Uint32Array<ArrayBuffer> {
  const bits = new Uint32Array(bitmaskWords(vocabSize));
  for (const id of ids) if (id >= 0 && id < vocabSize) bits[id >>> 5]! |= 1 << (id & 31);
  return bits;
}

export function hasId(bits: TokenBitmask, id: number): boolean {
  return ((bits[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0;
}

/** Gives every id that is not in the set a logit of -∞, so that nothing can sample it. */
export function keepOnly(logits: Float32Array<ArrayBufferLike>, allowed: TokenBitmask): void {
  const { length } = logits;
  for (let word = 0; word * 32 < length; word++) {
    const bits = allowed[word] ?? 0;
    if (bits === 0xffffffff) continue;
    const end = Math.min(length, word * 32 + 32);
    if (bits === 0) logits.fill(Number.NEGATIVE_INFINITY, word * 32, end);
    else {
      for (let id = word * 32; id < end; id++) {
        if ((bits & (1 << (id & 31))) === 0) logits[id] = Number.NEGATIVE_INFINITY;
      }
    }
  }
}

/** Whether any id below `vocabSize` is in both sets. */
export function intersects(a: TokenBitmask, b: TokenBitmask, vocabSize: number): boolean {
  const words = bitmaskWords(vocabSize);
  for (let word = 0; word < words; word++) {
    const left = vocabSize - word * 32;
    const real = left >= 32 ? 0xffffffff : 2 ** left - 1;
    if (((a[word] ?? 0) & (b[word] ?? 0) & real) !== 0) return true;
  }
  return false;
}
