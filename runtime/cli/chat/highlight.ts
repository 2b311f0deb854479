/** Colours for code, line by line. */
import type { Theme } from "./theme.ts";

export type CodeLines = {
  /** Paints the next lines of a block of code. */
  paint(lines: readonly string[]): string[];
  /** Paints lines that may still change. */
  peek(lines: readonly string[]): string[];
};

/** @param language as it stands behind the fence; unknown ones are left plain */
export function highlighter(_language: string, theme: Theme): CodeLines {
  const paint = (lines: readonly string[]): string[] => lines.map((line) => theme.code(line));
  return { paint, peek: paint };
}
