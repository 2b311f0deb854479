/** Reads the text of a grammar, and knows in which line and column it stands. */
import { GrammarError } from "../../errors.ts";

/** Longer texts are refused: the text may come from a stranger. */
const MAX_LENGTH = 1_000_000;

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  f: "\f",
  v: "\v",
  b: "\b",
  "0": "\0",
};

/** Digits of the escapes that name a character. */
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

export class Scanner {
  readonly text: string;
  /** Index of the next character. */
  at = 0;

  /** @throws GrammarError when the text is longer than a million characters */
  constructor(text: string) {
    if (text.length > MAX_LENGTH) {
      throw new GrammarError(
        `Cannot read the grammar: it has ${text.length} characters; accepted: at most ${MAX_LENGTH}.`,
      );
    }
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** The next character as a string of one or two units; empty at the end. */
  get next(): string {
    const code = this.text.codePointAt(this.at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  /** What a regular expression with the flag `y` matches here, without moving on. */
  peek(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text);
  }

  /** The same, and moves behind it. */
  take(pattern: RegExp): RegExpExecArray | null {
    const found = this.peek(pattern);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  /** Moves behind this text if it is next. */
  takeText(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** An error at a place of the text, by default where it stands. */
  error(message: string, at: number = this.at): GrammarError {
    const before = this.text.slice(0, at);
    const line = before.split("\n").length;
    return new GrammarError(message, { line, column: at - before.lastIndexOf("\n") });
  }

  /** `error`, with what was found there. */
  expected(what: string): GrammarError {
    const found = this.isAtEnd ? "the end of the grammar" : JSON.stringify(this.next);
    return this.error(`Expected ${what}, found ${found}.`);
  }

  /** The characters of a string, its first quote read; moves behind the second. */
  string(quote: string): string {
    const from = this.at - 1;
    let value = "";
    for (;;) {
      const char = this.next;
      if (char === "" || char === "\n") throw this.error("The string is not closed.", from);
      this.at += char.length;
      if (char === quote) return value;
      value += char === "\\" ? this.escape() : char;
    }
  }

  /** The character of an escape, its backslash read. */
  escape(): string {
    const from = this.at - 1;
    const char = this.next;
    this.at += char.length;
    const digits = HEX_DIGITS[char];
    if (digits !== undefined) {
      const hex = this.text.slice(this.at, this.at + digits);
      const value = Number.parseInt(hex, 16);
      if (hex.length < digits || !/^[0-9a-f]+$/i.test(hex) || value > 0x10ffff) {
        throw this.error(
          `\\${char} needs ${digits} hexadecimal digits that name a character.`,
          from,
        );
      }
      this.at += digits;
      return String.fromCodePoint(value);
    }
    const known = ESCAPES[char];
    if (known !== undefined) return known;
    if (char === "" || /[a-z0-9]/i.test(char)) {
      throw this.error(
        `\\${char} is no escape. Accepted: \\n, \\r, \\t, \\xHH, \\uHHHH, \\UHHHHHHHH, and \\ before a sign.`,
        from,
      );
    }
    return char;
  }
}
