/** The part of a page that a search result shows: the few lines with the most telling query words. */

import { stripLinks } from "../text/links.ts";
import type { Line } from "../text/wrap.ts";
import { foldWord } from "./fold-word.ts";

export type Passage = {
  /** First line of the passage. */
  readonly line: number;
  /** One paragraph of plain text. */
  readonly summary: string;
};

const LINES = 3;
const MAX_SUMMARY_CHARACTERS = 240;

/**
 * @param text  what `lines` are lines of
 * @param words  lower-case words of the query
 * @param firstLine  where the content begins: a heading with the page's address says nothing about it
 */
export function bestPassage(
  text: string,
  lines: readonly Line[],
  words: readonly string[],
  firstLine: number,
): Passage {
  const stems = words.map(stemOf);
  const found = lines.map((line) => stemsIn(line.text, stems));
  // A word that stands on every second line tells little about where to look.
  const frequency = stems.map((_, stem) =>
    found.reduce((sum, set) => sum + ((set >> stem) & 1), 0),
  );
  let best = Math.min(firstLine, lines.length - 1);
  let bestScore = 0;
  for (let line = best; line < lines.length; line++) {
    // The window should begin with a line that itself has a match.
    const own = found[line] ?? 0;
    if (own === 0) continue;
    let inWindow = own;
    for (let next = line + 1; next < line + LINES; next++) inWindow |= found[next] ?? 0;
    let score = 0;
    for (let stem = 0; stem < stems.length; stem++) {
      if ((inWindow >> stem) & 1) score += 1 / (1 + (frequency[stem] ?? 0));
    }
    if (score > bestScore) {
      best = line;
      bestScore = score;
    }
  }
  return { line: best, summary: summaryFrom(text, lines, best) };
}

function summaryFrom(text: string, lines: readonly Line[], line: number): string {
  const start = lines[line]?.start ?? 0;
  const end = lines[line + LINES]?.start ?? text.length;
  const summary = stripLinks(text.slice(start, end))
    .replace(/^[#>*\s]+/, "")
    .replace(/\s+/g, " ")
    .trim();
  if (summary.length <= MAX_SUMMARY_CHARACTERS) return summary;
  return `${summary
    .slice(0, MAX_SUMMARY_CHARACTERS)
    .replace(/\s\S*$/, "")
    .toWellFormed()} …`;
}

/** Which stems a line holds, one bit each: a query has at most 24 terms. */
function stemsIn(line: string, stems: readonly string[]): number {
  const folded = foldWord(stripLinks(line));
  let found = 0;
  for (let stem = 0; stem < stems.length && stem < 30; stem++) {
    const wanted = stems[stem] ?? "";
    for (let at = folded.indexOf(wanted); at >= 0; at = folded.indexOf(wanted, at + 1)) {
      if (at === 0 || !/^[a-z]/.test(wanted) || !/[\p{L}\p{N}]/u.test(folded[at - 1] ?? "")) {
        found |= 1 << stem;
        break;
      }
    }
  }
  return found;
}

/** Near enough to the stemmer of the index: long words may differ in their last two letters. */
function stemOf(word: string): string {
  const folded = foldWord(word);
  if (!/^[a-z]/.test(folded)) return folded;
  return folded.length > 5 ? folded.slice(0, -2) : folded.length > 3 ? folded.slice(0, -1) : folded;
}
