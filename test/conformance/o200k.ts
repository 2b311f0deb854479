/** The vocabulary of gpt-oss as grammars see it. */
import { vocabularyOf } from "../../harmony/tokenizer/tokenizer.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import type { Vocabulary } from "../../inference/index.ts";

/** Ids 0 … 201087; those from the number of ordinary tokens on are special. */
export function o200kVocabulary(): Vocabulary {
  const tokenizer = loadO200kHarmony();
  const { bytes, offsets } = vocabularyOf(tokenizer);
  return { size: 201_088, bytes, offsets, encode: (text) => tokenizer.encode(text) };
}
