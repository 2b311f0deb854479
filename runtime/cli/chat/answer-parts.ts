/**
 * Cuts Markdown that comes in pieces into parts that will not change any more: paragraphs, items of lists, lines of
 * code. A finished part is rendered and printed once, so an answer of any length costs as much per token as a short one.
 */

export type AnswerPart =
  /** Markdown that is whole by itself. */
  | { readonly type: "markdown"; readonly text: string }
  | { readonly type: "code"; readonly language: string; readonly lines: readonly string[] }
  | { readonly type: "gap" };

type Fence = { readonly marker: string; readonly indent: number; readonly language: string };

/** A paragraph or table of more lines is cut: rendering it again with each token would cost too much. */
const LONGEST_BLOCK = 60;

const OPENING = /^( {0,3})(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const LIST_ITEM = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const HEADING = /^ {0,3}#{1,6}(?:\s|$)/;
const DELIMITER_ROW = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

export class AnswerParts {
  /** The line that is being written. */
  #line = "";
  /** Lines of the block that is being written. */
  #block: string[] = [];
  /** An empty line came behind the block, which may go on nevertheless. */
  #hasGap = false;
  #fence: Fence | null = null;
  #parts: AnswerPart[] = [];
  #isBegun = false;
  /** A gap comes before the next part; there is none at the beginning and the end. */
  #isGapDue = false;

  /** @returns what is finished by now */
  push(text: string): readonly AnswerPart[] {
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#take(line.endsWith("\r") ? line.slice(0, -1) : line);
    return this.#taken();
  }

  /** The end of the text. @returns the rest */
  end(): readonly AnswerPart[] {
    const line = this.#line;
    this.#line = "";
    if (line !== "") this.#take(line);
    this.#flush();
    this.#fence = null;
    return this.#taken();
  }

  /** Whether an empty line comes before `rest`. */
  get isGapDue(): boolean {
    return this.#isGapDue;
  }

  /** What is written so far of the part that is not finished. */
  get rest(): AnswerPart | null {
    if (this.#fence !== null) {
      const { language } = this.#fence;
      return this.#line === "" ? null : { type: "code", language, lines: [this.#line] };
    }
    const text = [...this.#block, this.#line].join("\n");
    return text.trim() === "" ? null : { type: "markdown", text };
  }

  #taken(): readonly AnswerPart[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  #take(line: string): void {
    if (this.#fence !== null) this.#codeLine(this.#fence, line);
    else if (line.trim() === "") this.#emptyLine();
    else this.#textLine(line);
  }

  #codeLine(fence: Fence, line: string): void {
    const { marker, indent, language } = fence;
    const trimmed = line.trim();
    const isEnd =
      trimmed.length >= marker.length && trimmed === (marker[0] ?? "").repeat(trimmed.length);
    if (isEnd) {
      this.#fence = null;
      this.#gap();
      return;
    }
    const spaces = /^ */.exec(line)?.[0].length ?? 0;
    const text = line.slice(Math.min(spaces, indent));
    const last = this.#parts.at(-1);
    if (last?.type === "code" && !this.#isGapDue)
      this.#parts[this.#parts.length - 1] = { ...last, lines: [...last.lines, text] };
    else this.#add({ type: "code", language, lines: [text] });
  }

  #emptyLine(): void {
    if (this.#block.length > 0 && this.#isList) this.#hasGap = true;
    else {
      this.#flush();
      this.#gap();
    }
  }

  #textLine(line: string): void {
    const isIndented = /^(?: {2,}|\t)/.test(line);
    const belongsToList = this.#isList && isIndented;
    if (this.#hasGap) {
      this.#hasGap = false;
      if (belongsToList) this.#block.push("");
      else {
        this.#flush();
        this.#gap();
      }
    }
    const fence = belongsToList ? null : OPENING.exec(line);
    if (fence !== null) {
      this.#flush();
      this.#gap();
      const [, indent = "", marker = "", language = ""] = fence;
      this.#fence = { marker, indent: indent.length, language };
      return;
    }
    if (LIST_ITEM.test(line) && !belongsToList) this.#flush();
    if (HEADING.test(line) && !belongsToList) {
      this.#flush();
      this.#block.push(line);
      this.#flush();
      return;
    }
    this.#block.push(line);
    if (this.#block.length >= LONGEST_BLOCK) this.#cut();
  }

  get #isList(): boolean {
    return LIST_ITEM.test(this.#block[0] ?? "");
  }

  /** The rows of a long table go on under its header. */
  #cut(): void {
    const [header = "", delimiter = ""] = this.#block;
    const isTable = header.includes("|") && DELIMITER_ROW.test(delimiter);
    this.#flush();
    if (isTable) this.#block.push(header, delimiter);
  }

  #flush(): void {
    this.#hasGap = false;
    if (this.#block.length === 0) return;
    this.#add({ type: "markdown", text: this.#block.join("\n") });
    this.#block = [];
  }

  #gap(): void {
    this.#isGapDue = this.#isBegun;
  }

  #add(part: AnswerPart): void {
    if (this.#isGapDue) this.#parts.push({ type: "gap" });
    this.#isGapDue = false;
    this.#isBegun = true;
    this.#parts.push(part);
  }
}
