/** Text on its way to a terminal: made safe, shortened, wrapped. */
import wrapAnsi from "wrap-ansi";

export { visibleText } from "../visible-text.ts";

/** At most `limit` lines of at most `width` characters each, with what was left out said. */
export function shortText(text: string, limit: number, width: number): string {
  const lines = text.split("\n");
  const shown = lines
    .slice(0, limit)
    .map((line) => (line.length > width ? `${line.slice(0, width)}…` : line));
  if (lines.length > limit) shown.push(`… ${lines.length - limit} more lines`);
  return shown.join("\n");
}

/**
 * The same text with lines of at most `width` columns, broken between words; a word that is longer keeps
 * its line.
 *
 * @param indent what begins each line that a break makes
 */
export function wrapWords(text: string, width: number, indent = ""): string {
  return text
    .split("\n")
    .map((line) => wrapAnsi(line, width - indent.length, { trim: false }))
    .map((line) => line.replaceAll(/ *\n */g, `\n${indent}`))
    .join("\n");
}
