/**
 * Readable text from a stream of words, line ends and paragraph ends: blank space collapses, quotes and
 * list items mark their lines, preformatted text stays as it is.
 */

/** Deeper quotes and lists are shown at this depth: a prefix must not grow without bound. */
const MAX_PREFIXES = 12;

type Prefix = { first: string | null; readonly rest: string };

export class TextBuilder {
  readonly #lines: string[] = [];
  readonly #prefixes: Prefix[] = [];
  /** Places by name, as offsets in the whole text. */
  readonly #anchors = new Map<string, number>();
  /** Names that stand in the current line, with their column behind the prefix. */
  #pendingAnchors: { readonly name: string; readonly column: number }[] = [];
  /** Characters of the finished lines with their line ends. */
  #length = 0;
  /** The current line, without prefixes. */
  #line = "";
  #endsWithSpace = true;
  #blankWanted = false;
  /** Empty lines of preformatted text that are written when a line follows them. */
  #emptyLines = 0;
  #flat = 0;

  /** Running text: blank space of any kind and length is one space, none at the start of a line. */
  inline(text: string): void {
    let collapsed = collapseBlanks(text);
    if (this.#endsWithSpace && collapsed.startsWith(" ")) collapsed = collapsed.slice(1);
    if (collapsed === "") return;
    this.#line += collapsed;
    this.#endsWithSpace = collapsed.endsWith(" ");
  }

  /** Preformatted text: every blank and line end stays. */
  verbatim(text: string): void {
    if (this.#flat > 0) {
      this.inline(text);
      return;
    }
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      this.#append(text.slice(from, end));
      this.#finishVerbatimLine();
      from = end + 1;
    }
    this.#append(from === 0 ? text : text.slice(from));
  }

  /** Ends the line, if it has begun. */
  lineBreak(): void {
    if (this.#flat > 0) this.inline(" ");
    else if (this.#line !== "") this.#finishLine();
  }

  /** Ends the paragraph: a blank line before what comes next. */
  paragraphBreak(): void {
    this.lineBreak();
    if (this.#flat > 0) return;
    this.#blankWanted = true;
    this.#emptyLines = 0;
  }

  /** Following lines begin with `rest`, the first of them with `first`. */
  indent(first: string, rest: string): void {
    this.lineBreak();
    if (this.#flat === 0) this.#prefixes.push({ first, rest });
  }

  outdent(): void {
    this.lineBreak();
    if (this.#flat === 0) this.#prefixes.pop();
  }

  /** From here on everything stands on one line, until as many calls of `endFlat`. */
  beginFlat(): void {
    this.#flat++;
  }

  endFlat(): void {
    this.#flat--;
  }

  /** Sets a part of a flat text off from the part before it, if there is one since `column`. */
  separate(mark: string, column: number): void {
    const line = this.#line.trimEnd();
    if (line.length <= column || line.endsWith(mark.trim())) return;
    // A sentence that has ended needs no other mark.
    this.#line = /[.!?:;]$/.test(line) ? `${line} ` : line + mark;
    this.#endsWithSpace = mark.endsWith(" ");
  }

  /** Characters of the current line. */
  get column(): number {
    return this.#line.length;
  }

  get isFlat(): boolean {
    return this.#flat > 0;
  }

  /** A place that an address can name; the first of a name counts. */
  anchor(name: string): void {
    if (this.#anchors.has(name)) return;
    this.#anchors.set(name, 0);
    this.#pendingAnchors.push({ name, column: this.#line.length });
  }

  /** Offset of what is written next. */
  get length(): number {
    return this.#length;
  }

  /** The text without blanks and line ends at its end, and the places in it. */
  finish(): { readonly text: string; readonly anchors: { readonly [name: string]: number } } {
    this.#flat = 0;
    this.lineBreak();
    const text = this.#lines.join("\n");
    // A place behind the last line is at its end.
    for (const { name } of this.#pendingAnchors) this.#anchors.set(name, text.length);
    return { text, anchors: Object.fromEntries(this.#anchors) };
  }

  #append(text: string): void {
    if (text === "") return;
    this.#line += text;
    this.#endsWithSpace = false;
  }

  #finishVerbatimLine(): void {
    if (this.#line.trimEnd() === "") {
      this.#line = "";
      if (this.#lines.length > 0 && !this.#blankWanted) this.#emptyLines++;
    } else this.#finishLine();
  }

  #finishLine(): void {
    const line = this.#line.trimEnd();
    this.#line = "";
    this.#endsWithSpace = true;
    if (line === "") {
      this.#blankWanted = true;
      return;
    }
    if (this.#blankWanted && this.#lines.length > 0) this.#push("");
    for (; this.#emptyLines > 0; this.#emptyLines--) this.#push("");
    this.#blankWanted = false;
    const prefix = this.#prefix();
    for (const { name, column } of this.#pendingAnchors) {
      this.#anchors.set(name, this.#length + Math.min(prefix.length + column, line.length));
    }
    this.#pendingAnchors = [];
    this.#push(prefix + line);
  }

  #push(line: string): void {
    this.#lines.push(line);
    this.#length += line.length + 1;
  }

  #prefix(): string {
    let text = "";
    for (let at = 0; at < this.#prefixes.length && at < MAX_PREFIXES; at++) {
      const prefix = this.#prefixes[at];
      if (prefix === undefined) break;
      text += prefix.first ?? prefix.rest;
      prefix.first = null;
    }
    return text;
  }
}

/** What makes a text different from its collapsed form. */
const UNCOLLAPSED = /[^\S ]| {2}/;

function collapseBlanks(text: string): string {
  return UNCOLLAPSED.test(text) ? text.replace(/\s+/g, " ") : text;
}
