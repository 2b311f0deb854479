/**
 * Finds the citations in a text that comes in pieces. What is found does not depend on where the pieces are
 * cut. Citations in code (fences, code spans of one line) are none.
 */
import { type CitedPlace, parseCitation } from "./parse.ts";

/** A citation as the model wrote it. Offsets in UTF-16 units of the whole text, the end not included. */
export type WrittenCitation = {
  readonly start: number;
  readonly end: number;
  /** null: it has the form of a citation, and does not say what it cites. */
  readonly places: readonly CitedPlace[] | null;
};

export type ScannedPiece =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "citation"; readonly text: string; readonly citation: WrittenCitation };

/** Longest citation, with its brackets, in UTF-16 units. What is longer is text. */
const LONGEST_CITATION = 256;
/** Longest code span and longest first line of a fence. What is longer is text. */
const LONGEST_CODE = 512;

/** Not 〖: what a page writes itself in brackets stands in these, and is no citation where it is repeated. */
const OPENING = /[【〔［[]/;
const CLOSING = /[】〕］\]]/;
/** What has to be looked at in a line of text. */
const SPECIAL = /[\n`【〔［[]/g;
const FENCE_LINE = /^ {0,3}(`{3,}(?=[^`\n]*\n)|~{3,})[^\n]*\n/;
const FENCE_BEGIN = /^ {0,3}(?:`{3,}[^`\n]*|~{3,}[^\n]*|`{0,2}|~{0,2})$/;

export class CitationScanner {
  /** What is not decided yet. */
  #pending = "";
  /** Offset of `#pending` in the whole text. */
  #offset = 0;
  #isLineStart = true;
  /** The characters that opened the fence which is open. */
  #fence: string | null = null;

  /** Most characters that wait for what comes behind them. */
  static readonly longestHeld: number = LONGEST_CODE + LONGEST_CITATION;

  push(text: string): readonly ScannedPiece[] {
    this.#pending += text;
    return this.#scan(false);
  }

  /** The end of the text. */
  end(): readonly ScannedPiece[] {
    return this.#scan(true);
  }

  #scan(isEnd: boolean): readonly ScannedPiece[] {
    const pieces: ScannedPiece[] = [];
    let text = "";
    const take = (length: number): void => {
      const taken = this.#pending.slice(0, length);
      text += taken;
      this.#pending = this.#pending.slice(length);
      this.#offset += length;
      this.#isLineStart = taken.endsWith("\n");
    };
    while (this.#pending !== "") {
      const next = this.#next(isEnd);
      if (next === null) break;
      if (next.places === undefined) {
        take(next.length);
        continue;
      }
      if (text !== "") pieces.push({ type: "text", text });
      text = "";
      const start = this.#offset;
      take(next.length);
      const citation = { start, end: this.#offset, places: next.places };
      pieces.push({ type: "citation", text, citation });
      text = "";
    }
    if (text !== "") pieces.push({ type: "text", text });
    return pieces;
  }

  /** What stands at the beginning of the pending text; null: that depends on what comes. */
  #next(isEnd: boolean): Found | null {
    if (this.#fence !== null) return this.#inFence(isEnd);
    const pending = this.#pending;
    if (this.#isLineStart) {
      const fence = FENCE_LINE.exec(pending);
      if (fence?.[1] !== undefined && fence[0].length <= LONGEST_CODE) {
        this.#fence = fence[1];
        return { length: fence[0].length };
      }
      const mayBegin = FENCE_BEGIN.test(pending) && pending.length < LONGEST_CODE;
      if (mayBegin && !isEnd) return null;
    }
    SPECIAL.lastIndex = 0;
    const at = SPECIAL.exec(pending)?.index ?? pending.length;
    if (at > 0) return { length: at };
    if (pending[0] === "\n") return { length: 1 };
    return pending[0] === "`" ? codeSpan(pending, isEnd) : bracketed(pending, isEnd);
  }

  #inFence(isEnd: boolean): Found | null {
    const pending = this.#pending;
    const lineEnd = pending.indexOf("\n");
    if (this.#isLineStart) {
      const fence = this.#fence ?? "";
      const isWhole = lineEnd !== -1 || isEnd;
      const line = lineEnd === -1 ? pending : pending.slice(0, lineEnd);
      const sign = fence.charAt(0);
      const mayClose = line.length < LONGEST_CODE && new RegExp(`^ {0,3}${sign}*\\s*$`).test(line);
      if (mayClose && !isWhole) return null;
      if (mayClose && line.trim().length >= fence.length) {
        this.#fence = null;
        return { length: lineEnd === -1 ? pending.length : lineEnd + 1 };
      }
    }
    return { length: lineEnd === -1 ? pending.length : lineEnd + 1 };
  }
}

/** `places`: what was found is a citation. */
type Found = { readonly length: number; readonly places?: readonly CitedPlace[] | null };

function codeSpan(pending: string, isEnd: boolean): Found | null {
  const run = /^`+/.exec(pending)?.[0].length ?? 1;
  const line = pending.slice(0, LONGEST_CODE).split("\n", 1)[0] ?? "";
  const isWhole = isEnd || pending.length >= LONGEST_CODE || line.length < pending.length;
  if (run === line.length && !isWhole) return null;
  for (const { 0: ticks, index } of line.slice(run).matchAll(/`+/g)) {
    const end = run + index + ticks.length;
    // More backticks may come, and then it is another run.
    if (end === line.length && !isWhole) return null;
    if (ticks.length === run) return { length: end };
  }
  return isWhole ? { length: Math.min(run, pending.length) } : null;
}

function bracketed(pending: string, isEnd: boolean): Found | null {
  const line = pending.slice(0, LONGEST_CITATION).split("\n", 1)[0] ?? "";
  const isAscii = pending.startsWith("[");
  // Links and lists of plain Markdown pass at once.
  if (isAscii && /^\[\s*[^\s\d０-９]/.test(line)) return { length: 1 };
  const end = line.slice(1).search(CLOSING);
  if (end === -1) {
    const isWhole = isEnd || pending.length >= LONGEST_CITATION || line.length < pending.length;
    const inner = line.slice(1).search(OPENING);
    return isWhole || inner !== -1 ? { length: 1 } : null;
  }
  const body = line.slice(1, end + 1);
  const places = OPENING.test(body) ? undefined : parseCitation(body, isAscii);
  return places === undefined ? { length: 1 } : { length: end + 2, places };
}

/** All citations of a text, in order. */
export function findCitations(text: string): readonly WrittenCitation[] {
  const scanner = new CitationScanner();
  return [...scanner.push(text), ...scanner.end()].flatMap((piece) =>
    piece.type === "citation" ? [piece.citation] : [],
  );
}
