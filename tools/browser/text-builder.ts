/**
 * Readable text from a stream of words, line ends and paragraph ends: blank space collapses, blank
 * lines come at most one at a time, and quotes and list items mark their lines.
 */

/** Deeper quotes and lists are shown at this depth: a prefix must not grow without bound. */
const MAX_PREFIXES = 12;

type Prefix = { first: string | null; readonly rest: string };

export class TextBuilder {
  readonly #lines: string[] = [];
  readonly #prefixes: Prefix[] = [];
  /** Parts of the current line, without prefixes. */
  #parts: string[] = [];
  #endsWithSpace = true;
  #blankWanted = false;

  /** Running text: blank space of any kind and length is one space, none at the start of a line. */
  inline(text: string): void {
    let collapsed = text.replace(/\s+/g, " ");
    if (this.#endsWithSpace) collapsed = collapsed.trimStart();
    if (collapsed === "") return;
    this.#parts.push(collapsed);
    this.#endsWithSpace = collapsed.endsWith(" ");
  }

  /** Preformatted text: every blank and line end stays. */
  verbatim(text: string): void {
    const [first = "", ...others] = text.split("\n");
    this.#append(first);
    for (const line of others) {
      this.#finishLine();
      this.#append(line);
    }
  }

  lineBreak(): void {
    if (this.#parts.length > 0) this.#finishLine();
  }

  /** Ends the paragraph: a blank line before whatever comes next. */
  paragraphBreak(): void {
    this.lineBreak();
    this.#blankWanted = true;
  }

  /** Following lines begin with `rest`, the first of them with `first`. */
  indent(first: string, rest: string): void {
    this.lineBreak();
    this.#prefixes.push({ first, rest });
  }

  outdent(): void {
    this.lineBreak();
    this.#prefixes.pop();
  }

  toString(): string {
    this.lineBreak();
    return this.#lines
      .join("\n")
      .replace(/\n{3,}/g, "\n\n")
      .replace(/^\n+/, "")
      .trimEnd();
  }

  #append(text: string): void {
    if (text === "") return;
    this.#parts.push(text);
    this.#endsWithSpace = false;
  }

  #finishLine(): void {
    const line = this.#parts.join("").trimEnd();
    this.#parts = [];
    this.#endsWithSpace = true;
    if (line === "") {
      this.#blankWanted = true;
      return;
    }
    if (this.#blankWanted && this.#lines.length > 0) this.#lines.push("");
    this.#blankWanted = false;
    this.#lines.push(this.#prefix() + line);
  }

  #prefix(): string {
    let text = "";
    for (const prefix of this.#prefixes.slice(0, MAX_PREFIXES)) {
      text += prefix.first ?? prefix.rest;
      prefix.first = null;
    }
    return text;
  }
}
