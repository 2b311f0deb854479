/**
 * What is content in pages of the corpus, and what stands around it: sentences of both kinds, chosen by
 * hand (`test/fixtures/page-labels.json`).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PageContent } from "../../tools/browser/page.ts";
import { stripLinks } from "../../tools/browser/text/links.ts";

export type PageLabels = {
  /** Sentences of the content. */
  readonly main: readonly string[];
  /** Sentences of navigation, advertisements, footers, and what no reader sees. */
  readonly other: readonly string[];
};

const FIXTURES = join(import.meta.dirname, "../fixtures");

/** By name of the page. */
export function readPageLabels(): Readonly<Record<string, PageLabels>> {
  return JSON.parse(readFileSync(join(FIXTURES, "page-labels.json"), "utf8"));
}

export function readCorpusPage(name: string): Buffer {
  return readFileSync(join(FIXTURES, "pages", name));
}

/** The text in front of the navigation, without the markup of links. */
export function mainText({ text, mainEnd }: PageContent): string {
  return stripLinks(text.slice(0, mainEnd));
}

/** The letters of a text: marks of lists, headings, quotes and emphasis differ between extractors. */
export function letters(text: string): string {
  return text
    .replace(/(^|\n)\s*(?:> ?)*(?:[*•-]|\d{1,3}\.|#{1,6})\s+/g, "$1")
    .replace(/[`*_#|$[\]{}^>\\]/g, " ")
    .replace(/\s+/g, "")
    .toLowerCase();
}
