/**
 * A second way to cut a text into pieces, for small vocabularies: white space, words, numbers, the
 * structural characters of JSON and XML and all other punctuation are always apart. A value then has
 * the same tokens wherever it stands (after a space, in quotes, in a tag), so that a small model can
 * copy it token by token. The embedded model uses it.
 */

/** As it stands in a `tokenizer.json`; the alternatives are tried in this order. */
export const PLAIN_PATTERN: string = [
  "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+",
  "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*",
  "\\p{N}{1,3}",
  '[{}\\[\\]":,=<>/?]+',
  '[^\\p{White_Space}\\p{L}\\p{N}{}\\[\\]":,=<>/?]+',
  "\\p{White_Space}*[\\r\\n]+",
  "\\p{White_Space}+",
].join("|");

const pattern = new RegExp(PLAIN_PATTERN, "uy");

/**
 * End of the piece that starts at `start`.
 * @param text well-formed UTF-16
 * @param start less than `text.length`, at a code point
 */
export function plainPieceEnd(text: string, start: number): number {
  pattern.lastIndex = start;
  pattern.test(text); // some alternative takes every character
  return pattern.lastIndex;
}
