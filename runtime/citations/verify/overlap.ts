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
  const language = languageOf(sentence);
  if (language === null || language !== languageOf(cited)) return true;
  const content = contentWords(sentence);
  return content.length < LEAST_WORDS || shareOf(content, cited) > 0;
}

/**
 * Which part of a sentence's content words stand in a text, by their beginnings, from 0 to 1; null where the two are in
 * different languages.
 */
export function sharedWords(sentence: string, text: string): number | null {
  const [language, other] = [languageOf(sentence), languageOf(text)];
  if (language !== null && other !== null && language !== other) return null;
  const content = contentWords(sentence);
  return content.length === 0 ? 0 : shareOf(content, text);
}

function shareOf(content: readonly string[], text: string): number {
  const stems = new Set(tokensOf(text).map((word) => word.slice(0, STEM)));
  return content.filter((word) => stems.has(word.slice(0, STEM))).length / content.length;
}

/** Words of four letters or more, numbers, and pairs of characters where words are not set apart. */
function contentWords(text: string): readonly string[] {
  return tokensOf(text).filter(
    (word) => word.length >= 4 || UNSPACED.test(word) || /\d/.test(word),
  );
}

const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** Words; where a script does not set them apart, every two characters that stand together. */
export function tokensOf(text: string): readonly string[] {
  return wordsOf(text).flatMap((word) => {
    if (!UNSPACED.test(word) || word.length < 3) return [word];
    return Array.from({ length: word.length - 1 }, (_, at) => word.slice(at, at + 2));
  });
}

const SCRIPTS: readonly (readonly [name: string, letters: RegExp])[] = [
  ["latin", /\p{Script=Latin}/gu],
  ["cyrillic", /\p{Script=Cyrillic}/gu],
  ["greek", /\p{Script=Greek}/gu],
  ["arabic", /\p{Script=Arabic}/gu],
  ["hebrew", /\p{Script=Hebrew}/gu],
  ["devanagari", /\p{Script=Devanagari}/gu],
  ["hangul", /\p{Script=Hangul}/gu],
  ["unspaced", new RegExp(UNSPACED.source, "gu")],
];

/** A language by its small words, else the script where it is not the Latin one; null: not known. */
function languageOf(text: string): string | null {
  const scripts = SCRIPTS.map(
    ([name, letters]) => [name, text.match(letters)?.length ?? 0] as const,
  );
  const [script, letters] = scripts.toSorted((a, b) => b[1] - a[1])[0] ?? ["latin", 0];
  if (letters === 0) return null;
  if (script !== "latin") return script;
  const words = wordsOf(text);
  const counts = Object.entries(SMALL_WORDS).map(
    ([language, small]) => [language, words.filter((word) => small.has(word)).length] as const,
  );
  const [best, second] = counts.toSorted((a, b) => b[1] - a[1]);
  if (best === undefined || best[1] === 0 || best[1] === second?.[1]) return null;
  return best[0];
}
