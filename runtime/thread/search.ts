/**
 * Search in conversations: what of an entry can be found, and what a query asks for. A query is words and
 * "phrases"; a thread matches when it has all of them, each in any of its entries. A word also finds longer ones
 * that begin with it. Case and accents do not count.
 */
import type { Message } from "../../harmony/index.ts";
import type { LogEntry } from "./entry.ts";
import type { ThreadSummary } from "./summary.ts";

/** A thread that a search found. */
export type ThreadMatch = {
  readonly thread: ThreadSummary;
  /** The entry that fits best. */
  readonly seq: number;
  /** Its text around the first word that was asked for. */
  readonly excerpt: string;
};

/** Characters of one entry that can be found: the end of a huge result is not worth an index. */
const MAX_INDEXED = 16_384;
/** Characters of an excerpt before and behind what was found. */
const BEFORE = 40;
const BEHIND = 80;

/** Characters that are words by themselves, since their languages put no spaces between words. */
const IDEOGRAPH = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const WORD = /[\p{L}\p{N}\p{M}\p{Co}]/u;

/** What of an entry can be found: what was said, what was called, what came of it, and its name. Reasoning is not. */
export function searchableText(entry: LogEntry): string {
  switch (entry.type) {
    case "user":
    case "steered":
      return entry.messages.map(textOf).join("\n").slice(0, MAX_INDEXED);
    case "sampled":
      return entry.messages
        .filter(({ kind }) => kind !== "reasoning")
        .map(({ text }) => text)
        .join("\n")
        .slice(0, MAX_INDEXED);
    case "result":
      return entry.text.slice(0, MAX_INDEXED);
    case "titled":
      return entry.title;
    default:
      return "";
  }
}

/** The same text with a space around each character that is a word by itself. */
export function spaced(text: string): string {
  return [...text]
    .map((character) => (IDEOGRAPH.test(character) ? ` ${character} ` : character))
    .join("");
}

/** The words and phrases of a query, each as it was typed. Empty where it has no word. */
export function queryTerms(query: string): readonly string[] {
  return [...query.matchAll(/"([^"]*)"|[^\s"]+/g)]
    .map(([whole, phrase]) => phrase ?? whole)
    .filter((term) => wordsOf(term).length > 0);
}

/** Where a text has a term; -1 where it does not. */
export function positionOf(text: string, term: string): number {
  const words = wordsOf(text);
  const wanted = wordsOf(term);
  const isAt = (at: number): boolean =>
    wanted.every(({ word }, offset) => {
      const found = words[at + offset]?.word;
      return offset === wanted.length - 1 ? found?.startsWith(word) : found === word;
    });
  const at = words.findIndex((_word, index) => isAt(index));
  return words[at]?.at ?? -1;
}

/** A piece of a text around the first of the terms, on one line. */
export function excerptOf(text: string, terms: readonly string[]): string {
  const positions = terms.map((term) => positionOf(text, term)).filter((at) => at >= 0);
  const at = Math.min(...positions, text.length);
  const middle = at === text.length ? 0 : at;
  const from = middle <= BEFORE ? 0 : text.lastIndexOf(" ", middle - BEFORE / 2) + 1;
  const start = middle - from > BEFORE ? middle - BEFORE : from;
  const end = Math.min(text.length, middle + BEHIND);
  const shown = text.slice(start, end).toWellFormed().replace(/\s+/g, " ").trim();
  return `${start > 0 ? "…" : ""}${shown}${end < text.length ? "…" : ""}`;
}

function textOf({ content }: Message): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** The words of a text, in the form in which they are compared. One that is of accents alone is none. */
export function foldedWords(text: string): readonly string[] {
  return wordsOf(text).map(({ word }) => word);
}

type Word = { readonly word: string; readonly at: number };

function wordsOf(text: string): readonly Word[] {
  const words: Word[] = [];
  let word = "";
  let start = 0;
  const end = (): void => {
    const found = folded(word);
    if (found !== "") words.push({ word: found, at: start });
    word = "";
  };
  let at = 0;
  for (const character of text) {
    if (IDEOGRAPH.test(character)) {
      end();
      words.push({ word: character, at });
    } else if (WORD.test(character)) {
      if (word === "") start = at;
      word += character;
    } else end();
    at += character.length;
  }
  end();
  return words;
}

function folded(word: string): string {
  return word.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
