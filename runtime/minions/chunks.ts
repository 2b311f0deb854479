/** Documents in parts, and the parts that have to do with a question. */
import type { SourceRange } from "./egress.ts";

export type ContextDocument = { readonly name: string; readonly text: string };

export type Chunk = SourceRange & { readonly text: string };

/** How far back from its limit a chunk may end, to end with a paragraph, a line, a sentence or a word. */
const LOOK_BACK = 0.3;

/**
 * Cuts documents into chunks of at most `maxChars` UTF-16 units, at ends of paragraphs where there are any. Together
 * they are the whole text.
 */
export function chunksOf(documents: readonly ContextDocument[], maxChars: number): Chunk[] {
  return documents.flatMap(({ name, text }) => {
    const chunks: Chunk[] = [];
    for (let from = 0; from < text.length; ) {
      const to = cutAt(text, from, maxChars);
      chunks.push({ document: name, from, to, text: text.slice(from, to) });
      from = to;
    }
    return chunks;
  });
}

function cutAt(text: string, from: number, maxChars: number): number {
  const limit = from + maxChars;
  if (limit >= text.length) return text.length;
  const earliest = from + Math.ceil(maxChars * (1 - LOOK_BACK));
  for (const end of ["\n\n", "\n", ". ", " "]) {
    const at = text.lastIndexOf(end, limit - end.length);
    if (at >= earliest) return at + end.length;
  }
  // Not between the two halves of a character.
  const isHalf = /[\uD800-\uDBFF]/.test(text.charAt(limit - 1));
  return isHalf ? limit - 1 : limit;
}

/** Parameters of BM25 as Robertson and Zaragoza recommend them (2009). */
const K1 = 1.2;
const B = 0.75;

/** The `count` chunks that fit the words of a query best by BM25, in the order of the documents. */
export function bestChunks(chunks: readonly Chunk[], query: string, count: number): Chunk[] {
  if (chunks.length <= count) return [...chunks];
  const words = [...new Set(wordsOf(query))];
  const counted = chunks.map((chunk) => {
    const all = wordsOf(chunk.text);
    const counts = new Map<string, number>();
    for (const word of all) counts.set(word, (counts.get(word) ?? 0) + 1);
    return { chunk, counts, length: all.length };
  });
  const mean = counted.reduce((sum, { length }) => sum + length, 0) / counted.length || 1;
  const weights = words.map((word) => {
    const having = counted.filter(({ counts }) => counts.has(word)).length;
    return Math.log(1 + (counted.length - having + 0.5) / (having + 0.5));
  });
  const scored = counted.map(({ chunk, counts, length }, at) => {
    const score = words.reduce((sum, word, index) => {
      const times = counts.get(word) ?? 0;
      const norm = times + K1 * (1 - B + (B * length) / mean);
      return sum + ((weights[index] ?? 0) * times * (K1 + 1)) / norm;
    }, 0);
    return { chunk, score, at };
  });
  return scored
    .toSorted((one, other) => other.score - one.score || one.at - other.at)
    .slice(0, count)
    .toSorted((one, other) => one.at - other.at)
    .map(({ chunk }) => chunk);
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
