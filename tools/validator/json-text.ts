/**
 * A strict reader of JSON text that explains what is wrong, where `JSON.parse` says only that something
 * is, and sees what `JSON.parse` keeps silent about: duplicate keys, numbers that lose digits, unpaired
 * surrogates. Values themselves still come from `JSON.parse`.
 */
import { cut } from "../core/text.ts";

export type JsonProblem = {
  /** One sentence, without the place. */
  readonly message: string;
  /** JSON pointer of the value it happened in. */
  readonly path: string;
  /** UTF-16 units from the start of the text. */
  readonly offset: number;
  /** The value there is an integer beyond what a number holds exactly. */
  readonly losesDigits?: true;
};

export type JsonScan = {
  /**
   * `complete`: a value from start to `end`. `truncated`: the text ends inside of the value, and nothing
   * before its end is wrong. `broken`: not JSON, from `problems[0].offset` on.
   */
  readonly status: "complete" | "truncated" | "broken";
  /** Where the value ends; of a broken one, how far it could be read. */
  readonly end: number;
  /** A complete value may have problems as well: it parses, but says something else than it seems to. */
  readonly problems: readonly JsonProblem[];
};

/** Programs that read deeper values overflow their stack; values that are meant are not as deep. */
const MAX_DEPTH = 256;
const MAX_PROBLEMS = 20;
const MAX_SHOWN_UNITS = 40;

/** Reads one value of `text` from `start` on, whitespace before it included. */
export function scanJson(text: string, start = 0): JsonScan {
  return new Scanner(text, start).scan();
}

/** The value of a text whose scan was complete up to its end. */
export function whitespaceEnd(text: string, at: number): number {
  let end = at;
  while (isWhitespace(text.charCodeAt(end))) end++;
  return end;
}

const isWhitespace = (unit: number): boolean =>
  unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;

/** Thrown and caught in here: reading cannot go on. */
class Stop {
  readonly status: "truncated" | "broken";
  constructor(status: "truncated" | "broken") {
    this.status = status;
  }
}

const LITERALS = ["true", "false", "null"] as const;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** What a number may still become when the text goes on. */
const NUMBER_BEGINNING = /^-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:(?<=[0-9])[eE][+-]?)?)?$/;
/** Words that other languages use where JSON has none or another. */
const FOREIGN_WORDS: Readonly<Record<string, string>> = {
  None: "None is not JSON; write null, or leave the property out",
  True: "True is not JSON; write true",
  False: "False is not JSON; write false",
  undefined: "undefined is not JSON; leave the property out",
  NaN: "NaN is not JSON; there is no such number in it",
  Infinity: "Infinity is not JSON; there is no such number in it",
};

const WRONG_QUOTE = /^['“”„‘’«`]/;
/** Paths are for reading. */
const MAX_PATH_UNITS = 120;

class Scanner {
  readonly #text: string;
  #at: number;
  #depth = 0;
  readonly #path: (string | number)[] = [];
  readonly #problems: JsonProblem[] = [];

  constructor(text: string, start: number) {
    this.#text = text;
    this.#at = start;
  }

  scan(): JsonScan {
    try {
      this.#space();
      this.#value();
      return { status: "complete", end: this.#at, problems: this.#problems };
    } catch (stop) {
      if (!(stop instanceof Stop)) throw stop;
      // What comes last is why reading stopped; it is what must be told first.
      const problems = [...this.#problems.slice(-1), ...this.#problems.slice(0, -1)];
      return { status: stop.status, end: this.#at, problems };
    }
  }

  #value(): void {
    const unit = this.#text[this.#at];
    if (unit === undefined) this.#truncated("the text ends where a value must follow");
    else if (unit === "{") this.#nested(() => this.#object());
    else if (unit === "[") this.#nested(() => this.#array());
    else if (unit === '"') this.#string();
    else if (unit === "-" || isDigit(unit)) this.#number();
    else this.#literal();
  }

  #nested(read: () => void): void {
    if (++this.#depth > MAX_DEPTH)
      this.#broken(`the value is nested deeper than ${MAX_DEPTH} levels`);
    this.#at++;
    read();
    this.#depth--;
  }

  #object(): void {
    const offsets = new Map<string, number>();
    this.#space();
    if (this.#take("}")) return;
    for (;;) {
      const offset = this.#at;
      const key = this.#key();
      const earlier = offsets.get(key);
      this.#path.push(key);
      if (earlier !== undefined && this.#problems.length < MAX_PROBLEMS) {
        this.#note(
          `the property ${quote(key)} is given twice, ${this.#place(earlier)} and ${this.#place(offset)}`,
          offset,
        );
      }
      offsets.set(key, offset);
      this.#space();
      if (!this.#take(":")) {
        if (this.#ended) this.#truncated(`the text ends after the property name ${quote(key)}`);
        this.#broken(`a colon must follow the property name ${quote(key)}, found ${this.#found}`);
      }
      this.#space();
      this.#value();
      this.#path.pop();
      this.#space();
      if (this.#take("}")) return;
      this.#comma("}");
      if (this.#text[this.#at] === "}")
        this.#broken("there is a trailing comma before }; remove it");
    }
  }

  #array(): void {
    this.#space();
    if (this.#take("]")) return;
    for (let index = 0; ; index++) {
      this.#path.push(index);
      this.#value();
      this.#path.pop();
      this.#space();
      if (this.#take("]")) return;
      this.#comma("]");
      if (this.#text[this.#at] === "]")
        this.#broken("there is a trailing comma before ]; remove it");
    }
  }

  /** A comma and the space after it. */
  #comma(close: string): void {
    if (!this.#take(",")) {
      if (this.#ended) this.#truncated(`the text ends before the closing ${close}`);
      this.#broken(`a comma or ${close} must follow, found ${this.#found}`);
    }
    this.#space();
  }

  #key(): string {
    if (this.#text[this.#at] === '"') return this.#string();
    if (this.#ended) this.#truncated("the text ends where a property name must follow");
    if (WRONG_QUOTE.test(this.#text[this.#at] ?? "")) return this.#wrongQuotes();
    return this.#broken(`a property name in double quotes must follow, found ${this.#found}`);
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(unit)) this.#truncated("the text ends inside of a string");
      if (unit === 0x22) break;
      if (unit < 0x20) {
        this.#broken(
          `a string contains the control character ${codePoint(unit)} as it is; write it as an escape such as \\n`,
        );
      }
      if (unit === 0x5c) this.#escape();
      else this.#at++;
    }
    const literal = this.#text.slice(start, ++this.#at);
    const value: string = JSON.parse(literal);
    if (!value.isWellFormed()) {
      this.#note("a string contains an unpaired surrogate, which no UTF-8 text can hold", start);
    }
    return value;
  }

  #escape(): void {
    const letter = this.#text[this.#at + 1];
    if (letter === undefined) this.#truncated("the text ends inside of a string");
    if (letter === "u") {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]*$/.test(digits))
        this.#broken("\\u must be followed by four hexadecimal digits");
      if (digits.length < 4) this.#truncated("the text ends inside of a string");
      this.#at += 6;
      return;
    }
    if (!'"\\/bfnrt'.includes(letter)) {
      this.#broken(`\\${letter} is no escape of JSON; write \\\\ for a backslash`);
    }
    this.#at += 2;
  }

  #number(): void {
    const start = this.#at;
    NUMBER.lastIndex = start;
    const literal = NUMBER.exec(this.#text)?.[0] ?? "";
    this.#at = start + literal.length;
    const rest = /^[-+.\w]*/.exec(this.#text.slice(this.#at, this.#at + 40))?.[0] ?? "";
    if (rest !== "" || literal === "") {
      const whole = this.#text.slice(start);
      if (NUMBER_BEGINNING.test(whole)) this.#truncated("the text ends inside of a number");
      const leadingZero = /^-?0[0-9]/.test(whole);
      const shown = quote(`${literal}${rest}`);
      this.#at = start;
      this.#broken(
        leadingZero ? `${shown} has a leading zero; remove it` : `${shown} is no number`,
      );
    }
    const value = Number(literal);
    if (!Number.isFinite(value))
      this.#note(`${cut(literal, MAX_SHOWN_UNITS)} is too large for a number`, start);
    else if (value === 0 && /^-?[0.]*[1-9]/.test(literal)) {
      this.#note(`${cut(literal, MAX_SHOWN_UNITS)} is too small for a number`, start);
    } else if (
      /^-?[0-9]+(\.0+)?$/.test(literal) &&
      BigInt(literal.replace(/\..*/, "")) !== BigInt(value)
    ) {
      const most = Number.MAX_SAFE_INTEGER;
      this.#note(
        `${cut(literal, MAX_SHOWN_UNITS)} has more digits than a number can keep; at most ${most}`,
        start,
        {
          losesDigits: true,
        },
      );
    }
  }

  #literal(): void {
    const rest = this.#text.slice(this.#at, this.#at + 12);
    for (const literal of LITERALS) {
      if (rest.startsWith(literal) && !/^\w/.test(rest.slice(literal.length))) {
        this.#at += literal.length;
        return;
      }
      if (this.#at + rest.length === this.#text.length && literal.startsWith(rest)) {
        this.#truncated(`the text ends inside of ${literal}`);
      }
    }
    const word = /^[A-Za-z_]+/.exec(rest)?.[0] ?? "";
    const foreign = Object.hasOwn(FOREIGN_WORDS, word) ? FOREIGN_WORDS[word] : undefined;
    if (foreign !== undefined) this.#broken(foreign);
    if (WRONG_QUOTE.test(rest)) this.#wrongQuotes();
    if (/^[+.]/.test(rest)) this.#broken(`a number cannot start with ${rest[0]}`);
    this.#broken(`a value must follow, found ${this.#found}`);
  }

  #wrongQuotes(): never {
    return this.#broken(`strings stand in double quotes ("), found ${this.#found}`);
  }

  #space(): void {
    this.#at = whitespaceEnd(this.#text, this.#at);
    const next = this.#text.slice(this.#at, this.#at + 2);
    if (next === "//" || next === "/*" || next.startsWith("#")) {
      this.#broken("JSON has no comments; remove them");
    }
  }

  #take(unit: string): boolean {
    if (this.#text[this.#at] !== unit) return false;
    this.#at++;
    return true;
  }

  get #ended(): boolean {
    return this.#at >= this.#text.length;
  }

  /** What stands at this place, for a message. */
  get #found(): string {
    const rest = this.#text.slice(this.#at, this.#at + 16);
    const word = /^\w+/.exec(rest)?.[0];
    return word === undefined ? (Array.from(rest)[0] ?? "the end of the text") : quote(word);
  }

  #place(offset: number): string {
    const { line, column } = placeOf(this.#text, offset);
    return `line ${line} column ${column}`;
  }

  #note(message: string, offset: number, more: { losesDigits?: true } = {}): void {
    if (this.#problems.length < MAX_PROBLEMS) {
      this.#problems.push({ message, path: pointer(this.#path), offset, ...more });
    }
  }

  #truncated(message: string): never {
    this.#problems.push({ message, path: pointer(this.#path), offset: this.#at });
    throw new Stop("truncated");
  }

  #broken(message: string): never {
    this.#problems.push({ message, path: pointer(this.#path), offset: this.#at });
    throw new Stop("broken");
  }
}

/** Line and column of an offset, both from 1; columns count UTF-16 units. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lines = before.split("\n");
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

/** RFC 6901; a very long one is cut. */
function pointer(path: readonly (string | number)[]): string {
  const whole = path
    .map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
  return whole.length > MAX_PATH_UNITS ? `${whole.slice(0, MAX_PATH_UNITS)}...` : whole;
}

const isDigit = (unit: string): boolean => unit >= "0" && unit <= "9";
const codePoint = (unit: number): string => `U+${unit.toString(16).toUpperCase().padStart(4, "0")}`;
const quote = (text: string): string => JSON.stringify(cut(text, MAX_SHOWN_UNITS));
