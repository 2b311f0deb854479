/** Code in colours for a terminal. */
import { type CodeKind, type CodeSpan, codeReader } from "../../code-colors/index.ts";
import type { Theme } from "./theme.ts";

export type CodeLines = {
  /** Paints the next lines of a block of code. */
  paint(lines: readonly string[]): string[];
  /** Paints lines that may still change. */
  peek(lines: readonly string[]): string[];
};

/** @param language as it stands behind the fence; an unknown one is left in one colour */
export function highlighter(language: string, theme: Theme): CodeLines {
  const reader = theme.isColored ? codeReader(language) : null;
  if (reader === null) {
    const plain = (lines: readonly string[]): string[] => lines.map((line) => theme.code(line));
    return { paint: plain, peek: plain };
  }
  const painted = (lines: readonly (readonly CodeSpan[])[]): string[] =>
    lines.map((spans) => spans.map(({ text, kind }) => paint(text, kind, theme)).join(""));
  return {
    paint: (lines) => painted(reader.read(lines)),
    peek: (lines) => painted(reader.peek(lines)),
  };
}

function paint(text: string, kind: CodeKind | null, theme: Theme): string {
  return kind === null ? text : theme[kind](text);
}
