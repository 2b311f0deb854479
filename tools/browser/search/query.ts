/** What a query asks for, in the syntax of SQLite's FTS5: never a word of the user as syntax. */
import { indexText, isJoinedSign, splitIdentifier } from "./index-text.ts";

export type Query = {
  /** What is looked for, each as one FTS5 expression; words between quotation marks are one term. */
  readonly terms: readonly QueryTerm[];
  /** Single words in lower case, to find the passage. */
  readonly words: readonly string[];
};

export type QueryTerm = {
  /** The term as it is written, without marks. */
  readonly text: string;
  /** FTS5 expression that matches it. */
  readonly expression: string;
  /** The user put it between quotation marks: it has to be there. */
  readonly required: boolean;
  /** Where words are written together: its parts, for where it stands nowhere as a whole. */
  readonly parts?: readonly QueryTerm[];
};

/** Terms of a query that are looked for. */
export const MAX_TERMS = 24;
const MAX_QUERY_CHARACTERS = 2000;

/**
 * English words of questions that say nothing about their subject. Models search with whole questions,
 * and in a small folder such words are too rare to weigh as little as they should.
 */
const FUNCTION_WORDS = new Set(
  (
    "a about an and any are as at be been being but by can could did do does either ever for from get gets had has " +
    "have how i if in into is it its many me much must my of often on or our ours s should so some such than that the " +
    "their them then there these they this those to too until up upon very was we were what whatever when where " +
    "whether which while who whom whose why will with would you your yours"
  ).split(" "),
);

const WORD = /[\p{L}\p{M}\p{N}]+/gu;

export function parseQuery(query: string): Query {
  const text = query
    .slice(0, MAX_QUERY_CHARACTERS)
    .normalize("NFKC")
    .replace(/[\u00ad\u200b-\u200f\u2060\ufeff]/g, "");
  const terms = new Map<string, QueryTerm>();
  const add = (part: string, required: boolean): void => {
    const term = termOf(part, required);
    if (term !== null && terms.size < MAX_TERMS && !terms.has(term.expression))
      terms.set(term.expression, term);
  };
  const rest = text.replace(/["“„]([^"“”„]{1,300})["”“]/g, (_, phrase: string) => {
    add(phrase, true);
    return " ";
  });
  const words = rest.split(/\s+/).filter((word) => word.match(WORD) !== null);
  const telling = words.filter(
    (word) => !FUNCTION_WORDS.has(word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")),
  );
  for (const word of telling.length > 0 || terms.size > 0 ? telling : words) add(word, false);
  const found = [...terms.values()];
  return {
    terms: found,
    words: [
      ...new Set(
        found
          .flatMap((term) => term.parts ?? [term])
          .flatMap(({ text }) => text.toLowerCase().match(WORD) ?? []),
      ),
    ],
  };
}

/** A word, or a phrase where signs or a change of script part it: `harbour.moor`, `getUserName`, `函館`. */
function termOf(part: string, required: boolean): QueryTerm | null {
  const text = (part.match(WORD) ?? []).join(" ");
  if (text === "") return null;
  // A mark alone, without the letter that it stands on, is no word of the index.
  if (indexText(text).trim() === "") return null;
  const forms = new Set([phrase(text)]);
  const split = part.split(/\s+/).map(splitIdentifier).join(" ");
  const parts = split.match(WORD) ?? [];
  if (parts.length > 1) forms.add(phrase(parts.join(" ")));
  const expression = forms.size === 1 ? [...forms].join("") : `(${[...forms].join(" OR ")})`;
  const pairs = required ? [] : pairsOf(text);
  return { text, expression, required, ...(pairs.length > 0 && { parts: pairs }) };
}

/**
 * Neighbouring signs of a text whose words are written together, and the words of other scripts in it. Which
 * signs make a word is not known, but most words have two, and a pair across two words is rare anywhere.
 */
function pairsOf(text: string): readonly QueryTerm[] {
  const signs = indexText(text)
    .split(/\s+/)
    .filter((sign) => sign !== "");
  if (signs.length < 3 || !signs.some(isJoinedSign)) return [];
  const pairs = signs.flatMap((sign, at) => {
    if (!isJoinedSign(sign)) return [sign];
    const next = signs[at + 1];
    return next !== undefined && isJoinedSign(next) ? [sign + next] : [];
  });
  // Hiragana alone is endings and particles.
  const telling = pairs.filter((pair) => !/^\p{Script=Hiragana}+$/u.test(pair));
  return [...new Set(telling.length > 0 ? telling : pairs)].map((pair) => ({
    text: pair,
    expression: phrase(pair),
    required: false,
  }));
}

function phrase(text: string): string {
  return `"${indexText(text).replaceAll('"', "").trim()}"`;
}
