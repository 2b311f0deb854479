/**
 * Reads a regular expression of ECMAScript (with the flag `u`) into a tree. Source: ECMA-262, section 22.2.1.
 * Escapes of punctuation that only the older syntax allows, such as `\-`, are read as the character.
 */
import {
  complementRanges,
  intersectRanges,
  normaliseRanges,
  type Range,
} from "../character-ranges.ts";

export type Pattern =
  | { readonly kind: "set"; readonly ranges: readonly Range[] }
  | { readonly kind: "sequence"; readonly items: readonly Pattern[] }
  | { readonly kind: "either"; readonly options: readonly Pattern[] }
  | {
      readonly kind: "repeat";
      readonly item: Pattern;
      readonly min: number;
      readonly max: number | null;
    }
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "ahead"; readonly negative: boolean; readonly item: Pattern }
  | { readonly kind: "boundary"; readonly negative: boolean };

/** A construct without a regular language of bounded size, or no regular expression. */
export class PatternError extends Error {}

const ASCII_DIGITS: readonly Range[] = [[0x30, 0x39]];
export const WORD: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** WhiteSpace and LineTerminator of ECMA-262. */
const SPACE: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const LINE_ENDS: readonly Range[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
const CONTROL: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };

/** What follows `(?<` where no character may lie before. */
const START_BEHIND = ["![\\s\\S])", "![^])"];

const MAX_LENGTH = 20_000;
const MAX_DEPTH = 200;
/** Of one quantifier; more copies than that of an item are of no use to a grammar. */
const MAX_COUNT = 100_000;

/**
 * @param ignoreCase  whether ASCII letters count in either case
 * @throws PatternError
 */
export function parsePattern(source: string, ignoreCase = false): Pattern {
  if (source.length > MAX_LENGTH) {
    throw new PatternError(`it is longer than ${MAX_LENGTH} characters`);
  }
  return new PatternReader(source, ignoreCase).read();
}

class PatternReader {
  readonly #chars: readonly string[];
  readonly #ignoreCase: boolean;
  #at = 0;
  #depth = 0;

  constructor(source: string, ignoreCase: boolean) {
    this.#chars = Array.from(source);
    this.#ignoreCase = ignoreCase;
  }

  read(): Pattern {
    const pattern = this.#either();
    if (this.#at < this.#chars.length) throw new PatternError("a ) has no ( before it");
    return pattern;
  }

  #either(): Pattern {
    if (++this.#depth > MAX_DEPTH) throw new PatternError("it is nested too deep");
    const options = [this.#sequence()];
    while (this.#take("|")) options.push(this.#sequence());
    this.#depth--;
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "either", options };
  }

  #sequence(): Pattern {
    const items: Pattern[] = [];
    for (;;) {
      const next = this.#chars[this.#at];
      if (next === undefined || next === "|" || next === ")") return { kind: "sequence", items };
      items.push(this.#quantified(this.#atom()));
    }
  }

  #atom(): Pattern {
    const char = this.#chars[this.#at++] as string;
    switch (char) {
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case ".":
        return this.#set(complementRanges(LINE_ENDS));
      case "(":
        return this.#group();
      case "[":
        return this.#class();
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw new PatternError(`there is nothing before ${char} to repeat`);
      case "{":
      case "}":
      case "]":
        throw new PatternError(`the ${char} is not escaped`);
      default:
        return this.#char(char.codePointAt(0) ?? 0);
    }
  }

  #group(): Pattern {
    let pattern: (item: Pattern) => Pattern = (item) => item;
    if (this.#take("?")) {
      const mark = this.#chars[this.#at++];
      if (mark === "=" || mark === "!") {
        pattern = (item) => ({ kind: "ahead", negative: mark === "!", item });
      } else if (mark === "<") {
        const next = this.#chars[this.#at];
        if (next === "=" || next === "!") return this.#lookbehind();
        while (!this.#take(">")) {
          if (!/[\w$]/.test(this.#chars[this.#at++] ?? "")) {
            throw new PatternError("the name of a group is not closed");
          }
        }
      } else if (mark !== ":") {
        throw new PatternError(`the group (?${mark ?? ""} is not supported`);
      }
    }
    const item = this.#either();
    if (!this.#take(")")) throw new PatternError("a ( is not closed");
    return pattern(item);
  }

  /** The only one with a meaning that needs no look at the text before: the start of the text. */
  #lookbehind(): Pattern {
    const rest = this.#chars.slice(this.#at).join("");
    const start = START_BEHIND.find((text) => rest.startsWith(text));
    if (start === undefined)
      throw new PatternError("it looks behind itself, which a grammar cannot");
    this.#at += start.length;
    return { kind: "start" };
  }

  #quantified(item: Pattern): Pattern {
    const char = this.#chars[this.#at];
    let bounds: readonly [number, number | null] | undefined;
    if (char === "*") bounds = [0, null];
    else if (char === "+") bounds = [1, null];
    else if (char === "?") bounds = [0, 1];
    else if (char === "{") bounds = this.#braces();
    if (bounds === undefined) return item;
    if (char !== "{") this.#at++;
    // A lazy repetition has the same language.
    this.#take("?");
    if (item.kind === "start" || item.kind === "end" || item.kind === "boundary") {
      throw new PatternError("it repeats an assertion");
    }
    const [min, max] = bounds;
    return { kind: "repeat", item, min, max };
  }

  #braces(): readonly [number, number | null] {
    const rest = this.#chars.slice(this.#at, this.#at + 40).join("");
    const found = /^\{(\d+)(?:(,)(\d*))?\}/.exec(rest);
    if (found === null) throw new PatternError("the { is not escaped");
    const [whole, low = "", comma, high = ""] = found;
    this.#at += whole.length;
    const min = Number(low);
    const max = comma === undefined ? min : high === "" ? null : Number(high);
    if (max !== null && max < min) throw new PatternError(`${whole} has its bounds the wrong way`);
    if (min > MAX_COUNT || (max !== null && max > MAX_COUNT)) {
      throw new PatternError(`${whole} repeats more than ${MAX_COUNT} times`);
    }
    return [min, max];
  }

  #escape(): Pattern {
    const char = this.#chars[this.#at];
    if (char === "b" || char === "B") {
      this.#at++;
      return { kind: "boundary", negative: char === "B" };
    }
    if (char !== undefined && /[1-9k]/.test(char)) {
      throw new PatternError("it refers back to what a group has matched");
    }
    const ranges = this.#classEscape();
    if (ranges !== undefined) return this.#set(ranges);
    return this.#char(this.#charEscape());
  }

  /** An escape that stands for a set of characters; undefined: it is another. */
  #classEscape(): readonly Range[] | undefined {
    const char = this.#chars[this.#at];
    const known = { d: ASCII_DIGITS, w: WORD, s: SPACE }[(char ?? "").toLowerCase()];
    if (known !== undefined) {
      this.#at++;
      return char === char?.toLowerCase() ? known : complementRanges(known);
    }
    if (char !== "p" && char !== "P") return undefined;
    const end = this.#chars.indexOf("}", this.#at);
    if (this.#chars[this.#at + 1] !== "{" || end < 0) {
      throw new PatternError(`\\${char} needs the name of a property in braces`);
    }
    const name = this.#chars.slice(this.#at + 2, end).join("");
    this.#at = end + 1;
    const ranges = propertyRanges(name);
    return char === "p" ? ranges : complementRanges(ranges);
  }

  #charEscape(): number {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new PatternError("it ends with a backslash");
    const control = CONTROL[char];
    if (control !== undefined) return control;
    if (char === "0" && !/[0-9]/.test(this.#chars[this.#at] ?? "")) return 0;
    if (char === "x") return this.#hex(2);
    if (char === "c") {
      const letter = this.#chars[this.#at++] ?? "";
      if (!/[A-Za-z]/.test(letter)) throw new PatternError("\\c needs a letter");
      return letter.charCodeAt(0) % 32;
    }
    if (char === "u") return this.#unicode();
    if (/[A-Za-z0-9]/.test(char)) throw new PatternError(`\\${char} is no escape of ECMAScript`);
    return char.codePointAt(0) ?? 0;
  }

  #unicode(): number {
    if (this.#take("{")) {
      const end = this.#chars.indexOf("}", this.#at);
      const digits = this.#chars.slice(this.#at, end).join("");
      this.#at = end + 1;
      const value = Number.parseInt(digits, 16);
      if (end < 0 || !/^[0-9a-fA-F]+$/.test(digits) || value > 0x10ffff) {
        throw new PatternError("\\u{…} names no character");
      }
      return value;
    }
    const first = this.#hex(4);
    const isHigh = first >= 0xd800 && first < 0xdc00;
    if (!isHigh || this.#chars.slice(this.#at, this.#at + 2).join("") !== "\\u") return first;
    const back = this.#at;
    this.#at += 2;
    const second = this.#hex(4);
    if (second >= 0xdc00 && second < 0xe000) {
      return 0x10000 + (first - 0xd800) * 0x400 + (second - 0xdc00);
    }
    this.#at = back;
    return first;
  }

  #hex(digits: number): number {
    const text = this.#chars.slice(this.#at, this.#at + digits).join("");
    if (text.length < digits || !/^[0-9a-fA-F]+$/.test(text)) {
      throw new PatternError(`an escape needs ${digits} hexadecimal digits`);
    }
    this.#at += digits;
    return Number.parseInt(text, 16);
  }

  #class(): Pattern {
    const negative = this.#take("^");
    const ranges: Range[] = [];
    while (!this.#take("]")) {
      const from = this.#classAtom();
      const isRange = this.#chars[this.#at] === "-" && (this.#chars[this.#at + 1] ?? "]") !== "]";
      if (!isRange) {
        ranges.push(...from);
        continue;
      }
      this.#at++;
      const to = this.#classAtom();
      const [low] = from;
      const [high] = to;
      const isSingle = (one: Range | undefined): one is Range =>
        one !== undefined && one[0] === one[1];
      if (from.length !== 1 || to.length !== 1 || !isSingle(low) || !isSingle(high)) {
        throw new PatternError("a range in [ ] goes from or to a class of characters");
      }
      if (low[0] > high[0]) throw new PatternError("a range in [ ] goes backwards");
      ranges.push([low[0], high[0]]);
    }
    const folded = this.#folded(ranges);
    return { kind: "set", ranges: negative ? complementRanges(folded) : folded };
  }

  #classAtom(): readonly Range[] {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new PatternError("a [ is not closed");
    if (char !== "\\") return single(char.codePointAt(0) ?? 0);
    if (this.#take("b")) return single(8);
    return this.#classEscape() ?? single(this.#charEscape());
  }

  #char(code: number): Pattern {
    return this.#set(single(code));
  }

  #set(ranges: readonly Range[]): Pattern {
    return { kind: "set", ranges: this.#folded(ranges) };
  }

  #folded(ranges: readonly Range[]): readonly Range[] {
    if (!this.#ignoreCase) return normaliseRanges(ranges);
    const shift = (of: readonly Range[], by: number): Range[] =>
      of.map(([from, to]): Range => [from + by, to + by]);
    const lower = intersectRanges(ranges, [[0x61, 0x7a]]);
    const upper = intersectRanges(ranges, [[0x41, 0x5a]]);
    return normaliseRanges([...ranges, ...shift(lower, -32), ...shift(upper, 32)]);
  }

  #take(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false;
    this.#at++;
    return true;
  }
}

const single = (code: number): readonly Range[] => [[code, code]];

const properties = new Map<string, readonly Range[]>();
/** Characters that are looked at together; the surrogates are one such block. */
const BLOCK = 0x800;

/** The characters of a Unicode property, as this engine's own regular expressions know them. */
function propertyRanges(name: string): readonly Range[] {
  const known = properties.get(name);
  if (known !== undefined) return known;
  let runs: RegExp;
  try {
    runs = new RegExp(`\\p{${name}}+`, "gu");
  } catch {
    throw new PatternError(`there is no Unicode property ${name}`);
  }
  const ranges: Range[] = [];
  for (let from = 0; from <= 0x10ffff; from += BLOCK) {
    // Surrogates are no characters, and in a text they would pair up.
    if (from === 0xd800) continue;
    const width = from < 0x10000 ? 1 : 2;
    const block = String.fromCodePoint(
      ...Array.from({ length: BLOCK }, (_, index) => from + index),
    );
    for (const { index, 0: run } of block.matchAll(runs)) {
      const first = from + index / width;
      ranges.push([first, first + run.length / width - 1]);
    }
  }
  const normal = normaliseRanges(ranges);
  properties.set(name, normal);
  return normal;
}
