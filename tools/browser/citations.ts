/** The model's citations, `【3†L5-L9】`, into something a reader can follow. */
import type { Page } from "./page.ts";

export type Citation = {
  readonly cursor: number;
  readonly url: string;
  readonly title: string;
  /** Lines of the page as it was shown; absent when the citation names none. */
  readonly lines?: { readonly first: number; readonly last: number };
  /** Where the citation stands in the returned text: `[startIndex, endIndex)` in UTF-16 units. */
  readonly startIndex: number;
  readonly endIndex: number;
};

export type CitedText = { readonly text: string; readonly citations: readonly Citation[] };

/**
 * Replaces every citation of a document by its address and lines, as a Markdown link for the web. What
 * cites no shown document (an unknown cursor, a page of search or find results) is left as it is.
 */
export function normaliseCitations(
  text: string,
  pageAt: (cursor: number) => Page | undefined,
): CitedText {
  const citations: Citation[] = [];
  let result = "";
  let copied = 0;
  for (const match of text.matchAll(/【(\d{1,9})†([^†】]+)(?:†[^†】]+)?】/g)) {
    const cursor = Number(match[1]);
    const page = pageAt(cursor);
    if (page?.kind !== "document") continue;
    result += text.slice(copied, match.index);
    if (/\S$/.test(result)) result += " ";
    const lines = parseLines(match[2] ?? "");
    const startIndex = result.length;
    result += shownCitation(page, lines);
    citations.push({
      cursor,
      url: page.url,
      title: page.title,
      ...(lines && { lines }),
      startIndex,
      endIndex: result.length,
    });
    copied = match.index + match[0].length;
  }
  return { text: result + text.slice(copied), citations };
}

function parseLines(place: string): { first: number; last: number } | null {
  const match = /^L(\d{1,9})(?:\s*[-–]\s*L?(\d{1,9}))?$/.exec(place.trim());
  if (match === null) return null;
  const first = Number(match[1]);
  return { first, last: Math.max(first, Number(match[2] ?? first)) };
}

function shownCitation(page: Page, lines: { first: number; last: number } | null): string {
  const host = /^https?:/i.test(page.url) ? URL.parse(page.url)?.host : undefined;
  const source = host === undefined ? page.url : `[${host}](${page.url})`;
  if (lines === null) return `(${source})`;
  const { first, last } = lines;
  return first === last ? `(${source}, line ${first})` : `(${source}, lines ${first}–${last})`;
}
