/** From the citations of a text to what they cite, or why one does not hold. A pure function. */
import type { Annotation, BrokenCitation, UrlCitation } from "../events.ts";
import type { CitedPlace, LineRange } from "./parse.ts";
import { findCitations, type WrittenCitation } from "./scan.ts";
import type { CitedPage, CitedSources } from "./sources.ts";

/** Characters of the cited lines that an annotation repeats. */
const QUOTED_CHARACTERS = 2000;
/** Lines that a citation may name; what names more names no place. */
const MOST_LINES = 1000;

/** Every citation of a text, in order; one that names several pages gives one annotation for each. */
export function resolveCitations(text: string, sources: CitedSources): readonly Annotation[] {
  return findCitations(text).flatMap((citation) => resolveCitation(citation, sources));
}

export function resolveCitation(
  { start, end, places }: WrittenCitation,
  sources: CitedSources,
): readonly Annotation[] {
  const at = { start_index: start, end_index: end };
  if (places === null) {
    return [broken(at, "malformed", "it does not say which lines of which page it cites")];
  }
  return places.map((place) => resolvePlace(at, place, sources));
}

type Offsets = Pick<UrlCitation, "start_index" | "end_index">;

function resolvePlace(at: Offsets, place: CitedPlace, sources: CitedSources): Annotation {
  const { cursor, ranges } = place;
  const page = sources.page(cursor);
  if (page === undefined) return broken(at, "unknown_cursor", unknownCursor(cursor, sources));
  if (page.kind === "search") {
    const what = `page ${cursor} is a list of search results, which says nothing itself`;
    return broken(at, "no_document", what);
  }
  const outside = ranges.find(({ last }) => last > page.lastLine);
  if (outside !== undefined) {
    const what = `${lineWords([outside])} of page ${cursor}: its last line is ${page.lastLine}`;
    return broken(at, "no_such_line", what);
  }
  const numbers = lineNumbers(ranges);
  const missing = numbers.filter((number) => sources.line(cursor, number) === undefined);
  if (missing.length > 0 || numbers.length > MOST_LINES) {
    const what = `${lineWords(asRanges(missing))} of page ${cursor} ${missing.length === 1 ? "was" : "were"} never shown`;
    return broken(at, "not_shown", what);
  }
  return {
    type: "url_citation",
    ...at,
    url: page.kind === "find" ? searchedUrl(page) : page.url,
    title: page.title,
    cursor,
    lines: ranges,
    quote: shortened(numbers.map((number) => sources.line(cursor, number)).join("\n")),
    sha256: page.sha256,
  };
}

function broken(at: Offsets, reason: BrokenCitation["reason"], message: string): BrokenCitation {
  return { type: "broken_citation", ...at, reason, message };
}

function unknownCursor(cursor: number, { cursors }: CitedSources): string {
  const first = cursors[0];
  if (first === undefined) return `page ${cursor} was never shown, and no other page was`;
  return `page ${cursor} was never shown (those from ${first} to ${cursors.at(-1)} were)`;
}

/** The page in which was searched. */
function searchedUrl({ url }: CitedPage): string {
  return url.replace(/\/find\?pattern=[^/]*$/, "");
}

/** Every line of the ranges, once and in order; no more than one above the most that are accepted. */
export function lineNumbers(ranges: readonly LineRange[]): readonly number[] {
  const numbers = new Set<number>();
  for (const { first, last } of ranges) {
    for (let at = first; at <= last && numbers.size <= MOST_LINES; at++) numbers.add(at);
  }
  return [...numbers].toSorted((a, b) => a - b);
}

export function asRanges(numbers: readonly number[]): readonly LineRange[] {
  const ranges: LineRange[] = [];
  for (const number of numbers) {
    const before = ranges.at(-1);
    if (before?.last === number - 1) ranges.splice(-1, 1, { first: before.first, last: number });
    else ranges.push({ first: number, last: number });
  }
  return ranges;
}

/** `line 3`, `lines 3–5, 9` */
export function lineWords(ranges: readonly LineRange[]): string {
  const isOne = ranges.length === 1 && ranges[0]?.first === ranges[0]?.last;
  const parts = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`));
  return `${isOne ? "line" : "lines"} ${parts.join(", ")}`;
}

function shortened(text: string): string {
  if (text.length <= QUOTED_CHARACTERS) return text;
  return `${text.slice(0, QUOTED_CHARACTERS).toWellFormed()}…`;
}
