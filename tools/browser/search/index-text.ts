/** The text of a page as it is indexed, and the words of a query as they are looked for: the same. */
import { withoutMarks } from "../text/fold.ts";
import { stripLinks } from "../text/links.ts";
import { basicLetters } from "./fold-word.ts";

/**
 * Scripts whose words are written together, in whole or with their particles. They are indexed sign by
 * sign (a letter with its marks) and searched as phrases: a word is found wherever it stands.
 */
const JOINED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]\p{M}*/gu;
/** Whether a word of an indexed text is a sign of such a script. */
export function isJoinedSign(word: string): boolean {
  JOINED.lastIndex = 0;
  return JOINED.test(word);
}

/** One test that most texts fail quickly. */
const MAYBE_JOINED =
  /[\u0e00-\u0fff\u1000-\u11ff\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\ud800-\udfff\uf900-\ufaff]/;
const BEYOND_LATIN_1 = /[\u0100-\uffff]/;

export function indexText(text: string): string {
  const plain = basicLetters(withoutMarks(stripLinks(text)));
  if (!BEYOND_LATIN_1.test(plain)) return plain;
  const composed = sameLetters(plain.normalize("NFKC"));
  return MAYBE_JOINED.test(composed) ? composed.replace(JOINED, " $& ") : composed;
}

/** Letters that are written in more than one way, and signs that are often left out. */
function sameLetters(text: string): string {
  return text
    .replace(/[\u00ad\u0591-\u05bd\u05bf-\u05c7\u0640\u064b-\u065f\u0670\u200b-\u200f\u2060]/g, "")
    .replace(
      /[ςёЁẞ\u0622\u0623\u0625\u0649\u06a9\u06cc]/g,
      (letter) => SAME_LETTERS[letter] ?? letter,
    );
}

const SAME_LETTERS: Readonly<Record<string, string>> = {
  ς: "σ",
  ё: "е",
  Ё: "Е",
  ẞ: "SS",
  // Alef with hamza and madda; the final and the Persian forms of yeh and kaf.
  "\u0622": "\u0627",
  "\u0623": "\u0627",
  "\u0625": "\u0627",
  "\u0649": "\u064a",
  "\u06a9": "\u0643",
  "\u06cc": "\u064a",
};

/** `getUserName` and `HTTPServer2` as the words that they are made of. */
export function splitIdentifier(word: string): string {
  return word
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2");
}

const IDENTIFIER = /\b[A-Za-z][a-z0-9]+(?:[A-Z][a-z0-9]*)+\b|\b[A-Z]{2,}[a-z]\w*\b/g;
const MAX_IDENTIFIERS = 20_000;

/** The words of the identifiers of a text, each identifier once. */
export function identifierWords(text: string): string {
  const found = new Set<string>();
  for (const [identifier] of text.matchAll(IDENTIFIER)) {
    if (found.size >= MAX_IDENTIFIERS) break;
    found.add(identifier);
  }
  return [...found].map(splitIdentifier).join(" . ");
}
