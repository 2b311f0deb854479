/** Whether a sentence without any number, date or name has anything to do with the cited lines. */
import { wordsOf } from "./fold.ts";

/** Frequent small words, by which a language is told. */
const SMALL_WORDS: Readonly<Record<string, ReadonlySet<string>>> = {
  en: new Set(
    "the and is of to in are was with for that it this by from be has have not on".split(" "),
  ),
  de: new Set(
    "der die das und ist nicht ein eine mit von fur auf dem den im wird sind hat zu bei".split(" "),
  ),
  fr: new Set(
    "le la les et est des du une dans pour que qui sur par au aux ne pas ce avec".split(" "),
  ),
  es: new Set("el la los las y es de del una en por para que con no se su al lo como".split(" ")),
};

/** Content words that a sentence needs so that a judgement is made. */
const LEAST_WORDS = 3;
/** Words that begin with the same letters are taken for forms of one word. */
const STEM = 5;

/** @returns false where the two are in one language and have no word in common; true where that cannot be told */
export function hasCommonWords(sentence: string, cited: string): boolean {
  const words = wordsOf(sentence);
  const citedWords = wordsOf(cited);
  const language = languageOf(words);
  if (language === null || language !== languageOf(citedWords)) return true;
  const content = words.filter((word) => word.length >= 4);
  if (content.length < LEAST_WORDS) return true;
  const stems = new Set(citedWords.map((word) => word.slice(0, STEM)));
  return content.some((word) => stems.has(word.slice(0, STEM)));
}

/**
 * Which part of a sentence's content words stand in a text, by their beginnings, from 0 to 1; null where the two are in
 * different languages, or in none that is known.
 */
export function sharedWords(sentence: string, text: string): number | null {
  const words = wordsOf(sentence);
  const other = wordsOf(text);
  const language = languageOf(words);
  if (language !== null && languageOf(other) !== null && language !== languageOf(other))
    return null;
  const content = words.filter((word) => word.length >= 4 || /\d/.test(word));
  if (content.length === 0) return 0;
  const stems = new Set(other.map((word) => word.slice(0, STEM)));
  return content.filter((word) => stems.has(word.slice(0, STEM))).length / content.length;
}

function languageOf(words: readonly string[]): string | null {
  const counts = Object.entries(SMALL_WORDS).map(
    ([language, small]) => [language, words.filter((word) => small.has(word)).length] as const,
  );
  const [best, second] = counts.toSorted((a, b) => b[1] - a[1]);
  if (best === undefined || best[1] === 0 || best[1] === second?.[1]) return null;
  return best[0];
}
