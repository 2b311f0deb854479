/** The part of a page that a search result shows: the few lines with the most telling query words. */
import { type Page, stripLinks } from "./page.ts";

export type Passage = {
  /** First line of the passage. */
  readonly line: number;
  /** One paragraph of plain text. */
  readonly summary: string;
};

const LINES = 3;
const MAX_SUMMARY_CHARACTERS = 240;
/** The heading with the page's URL says nothing about its content. */
const HEADING_LINES = 2;

/** @param terms  lower-case words of the query */
export function bestPassage(page: Page, terms: readonly string[]): Passage {
  const stems = terms.map(stemOf);
  const found = page.lines.map(({ text }) => stemsIn(stripLinks(text), stems));
  // A word that stands on every second line tells little about where to look.
  const frequency = stems.map((_, stem) => found.filter((set) => set.has(stem)).length);
  let best = Math.min(HEADING_LINES, page.lines.length - 1);
  let bestScore = 0;
  for (let line = best; line < page.lines.length; line++) {
    const inWindow = new Set(found.slice(line, line + LINES).flatMap((set) => [...set]));
    let score = 0;
    for (const stem of inWindow) score += 1 / (1 + (frequency[stem] ?? 0));
    // The window should begin with a line that itself has a match.
    if (score > bestScore && (found[line]?.size ?? 0) > 0) {
      best = line;
      bestScore = score;
    }
  }
  return { line: best, summary: summaryFrom(page, best) };
}

function summaryFrom(page: Page, line: number): string {
  const start = page.lines[line]?.start ?? 0;
  const end = page.lines[line + LINES]?.start ?? page.text.length;
  const text = stripLinks(page.text.slice(start, end))
    .replace(/^[#>*\s]+/, "")
    .replace(/\s+/g, " ")
    .trim();
  if (text.length <= MAX_SUMMARY_CHARACTERS) return text;
  return `${text
    .slice(0, MAX_SUMMARY_CHARACTERS)
    .replace(/\s\S*$/, "")
    .toWellFormed()} …`;
}

function stemsIn(text: string, stems: readonly string[]): ReadonlySet<number> {
  const folded = fold(text);
  const set = new Set<number>();
  for (const [index, stem] of stems.entries()) {
    for (let at = folded.indexOf(stem); at >= 0; at = folded.indexOf(stem, at + 1)) {
      if (at === 0 || !/[\p{L}\p{N}]/u.test(folded[at - 1] ?? "") || !/^[a-z]/.test(stem)) {
        set.add(index);
        break;
      }
    }
  }
  return set;
}

/** Near enough to the stemmer of the index: long words may differ in their last two letters. */
function stemOf(term: string): string {
  const folded = fold(term);
  return folded.length > 5 ? folded.slice(0, -2) : folded.length > 3 ? folded.slice(0, -1) : folded;
}

function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
