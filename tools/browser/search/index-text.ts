/** The text of a page as it is indexed, and the words of a query as they are looked for: the same. */
import { withoutMarks } from "../text/fold.ts";
import { stripLinks } from "../text/links.ts";

/**
 * Scripts whose words are written together, in whole or with their particles. They are indexed sign by
 * sign (a letter with its marks) and searched as phrases: a word is found wherever it stands.
 */
const JOINED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]\p{M}*/gu;
/** One test that most texts fail quickly. */
const MAYBE_JOINED =
  /[\u0e00-\u0fff\u1000-\u11ff\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\ud800-\udfff\uf900-\ufaff]/;
const BEYOND_LATIN_1 = /[\u0100-\uffff]/;

export function indexText(text: string): string {
  const plain = withoutMarks(stripLinks(text));
  if (!BEYOND_LATIN_1.test(plain)) return plain;
  const composed = plain.normalize("NFKC").replace(/[\u00ad\u200b-\u200f\u2060]/g, "");
  return MAYBE_JOINED.test(composed) ? composed.replace(JOINED, " $& ") : composed;
}

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
