/** Blocks of text on the screen: wrapped to its width, with what a terminal would obey made visible. */
import { shortText, visibleText } from "../terminal-text.ts";
import { type Component, wrapTextWithAnsi } from "./terminal-library.ts";
import type { Paint } from "./theme.ts";

const plain: Paint = (text) => text;

/** Text of a model, a tool or a person as it can be shown: tabs as spaces, control characters visible. */
export function shownText(text: string): string {
  return visibleText(text.replaceAll("\r\n", "\n")).replaceAll("\t", "    ");
}

/** Rows of two columns; two empty texts are an empty row. */
export type Table = readonly (readonly [left: string, right: string])[];

export type TextBlockOptions = {
  /** Stands before the first line; the others are indented as far. */
  readonly first?: string;
  readonly indent?: string;
  readonly paint?: Paint;
  /** An empty line before it. */
  readonly hasGap?: boolean;
  /** Lines of the text that are shown; what is left out is said. */
  readonly limit?: () => number;
};

/** Text that does not change any more. */
export class TextBlock implements Component {
  readonly #text: string;
  readonly #options: TextBlockOptions;

  constructor(text: string, options: TextBlockOptions = {}) {
    this.#text = text;
    this.#options = options;
  }

  render(width: number): string[] {
    const { first = "", indent = " ".repeat([...first].length), paint = plain } = this.#options;
    const { hasGap = false, limit } = this.#options;
    const text =
      limit === undefined ? this.#text : shortText(this.#text, limit(), Number.MAX_SAFE_INTEGER);
    const lines = wrapped(shownText(text), Math.max(1, width - indent.length)).map((line, at) =>
      paint(`${at === 0 ? first : indent}${line}`),
    );
    return hasGap ? ["", ...lines] : lines;
  }

  invalidate(): void {}
}

/** Two columns, the right one wrapped. */
export class TableBlock implements Component {
  readonly #rows: Table;

  constructor(rows: Table) {
    this.#rows = rows;
  }

  render(width: number): string[] {
    const column = Math.max(...this.#rows.map(([left]) => left.length));
    const indent = " ".repeat(column + 4);
    const lines = this.#rows.flatMap(([left, right]) => {
      if (left === "" && right === "") return [""];
      const first = `  ${shownText(left).padEnd(column)}  `;
      return wrapped(shownText(right), Math.max(10, width - indent.length)).map((line, at) => {
        return `${at === 0 ? first : indent}${line}`;
      });
    });
    return ["", ...lines.flatMap((line) => wrapped(line, width))];
  }

  invalidate(): void {}
}

/** Text that grows at its end: only what is new is wrapped. */
export class GrowingText {
  /** Lines that have ended, wrapped. */
  #lines: string[] = [];
  #width = 0;
  /** All of the text, to be wrapped anew for another width. */
  #text = "";
  /** Where the line begins that is being written. */
  #lastLine = 0;

  get text(): string {
    return this.#text;
  }

  append(text: string): void {
    this.#text += text;
  }

  lines(width: number): string[] {
    if (width !== this.#width) {
      this.#width = width;
      this.#lines = [];
      this.#lastLine = 0;
    }
    const end = this.#text.lastIndexOf("\n");
    if (end >= this.#lastLine) {
      const ended = this.#text.slice(this.#lastLine, end);
      for (const line of wrapped(shownText(ended), width)) this.#lines.push(line);
      this.#lastLine = end + 1;
    }
    const rest = this.#text.slice(this.#lastLine);
    return rest === "" ? this.#lines : [...this.#lines, ...wrapped(shownText(rest), width)];
  }
}

/** @param text with `\n` between its lines */
export function wrapped(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => (line === "" ? [""] : wrapTextWithAnsi(line, width)));
}
