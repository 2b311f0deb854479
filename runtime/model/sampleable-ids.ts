import type { Tokenizer } from "../../harmony/index.ts";

/** Made once per vocabulary and number of rows: it looks at every id. */
const made = new WeakMap<Tokenizer, Map<number, Uint32Array>>();

/**
 * The ids a model may say, as bits (id i is bit i % 32 of word i / 32): those the vocabulary names,
 * without special tokens that have no meaning in the format (reserved ones, `<|startoftext|>`). The rows
 * that a model has beyond are padding, and sampling one would end in text that has no meaning.
 */
export function sampleableIds(tokenizer: Tokenizer, vocabSize: number): Uint32Array {
  const bySize = made.get(tokenizer) ?? new Map<number, Uint32Array>();
  made.set(tokenizer, bySize);
  const known = bySize.get(vocabSize);
  if (known !== undefined) return known;
  const structural = new Set<number | null>(Object.values(tokenizer.special));
  const bits = new Uint32Array(Math.ceil(vocabSize / 32));
  const end = Math.min(vocabSize, tokenizer.size);
  for (let id = 0; id < end; id++) {
    if (tokenizer.isSpecial(id) ? structural.has(id) : tokenizer.has(id)) {
      bits[id >>> 5] = (bits[id >>> 5] ?? 0) | (1 << (id & 31));
    }
  }
  bySize.set(vocabSize, bits);
  return bits;
}

/** Ids that penalties for repetition leave alone: without them no message would have its shape. */
export function structuralIds({ special }: Tokenizer): readonly number[] {
  return Object.values(special).filter((id) => id !== null);
}
