/**
 * The regular expressions of XML Schema (XSD 1.0 part 2, appendix F): always about the whole value, with
 * `\i`, `\c`, Unicode properties and subtraction of classes.
 */
import { GrammarError } from "../../errors.ts";
import {
  complementRanges,
  intersectRanges,
  normaliseRanges,
  type Range,
} from "../character-ranges.ts";
import type { Regex } from "../grammar.ts";
import { alternatives, codeOf, concat, literal, repeat, set } from "./regexes.ts";
import { settledComplement, unicodeRanges } from "./unicode-ranges.ts";

/** @throws GrammarError with the place of what is not understood */
export function parseXsdPattern(pattern: string): Regex {
  const parser = new PatternParser(pattern);
  return parser.parse();
}

const NAME_START: readonly Range[] = normaliseRanges(
  [
    [0x3a, 0x3a],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
    [0xc0, 0xd6],
    [0xd8, 0xf6],
    [0xf8, 0x2ff],
    [0x370, 0x37d],
    [0x37f, 0x1fff],
  ].map(([from = 0, to = 0]): Range => [from, to]),
);
const NAME: readonly Range[] = normaliseRanges([
  ...NAME_START,
  [0x2d, 0x2e],
  [0x30, 0x39],
  [0xb7, 0xb7],
]);
const SPACE: readonly Range[] = [
  [0x09, 0x0a],
  [0x0d, 0x0d],
  [0x20, 0x20],
];
/** Line ends are what `.` does not match. */
const LINE_ENDS: readonly Range[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
];
const SINGLE_ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

class PatternParser {
  readonly #characters: readonly string[];
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = [...pattern];
  }

  parse(): Regex {
    const regex = this.#branches();
    if (this.#at < this.#characters.length) this.#fail("a parenthesis closes that was not opened");
    return regex;
  }

  #branches(): Regex {
    const options = [this.#branch()];
    while (this.#peek() === "|") {
      this.#at++;
      options.push(this.#branch());
    }
    return alternatives(options);
  }

  #branch(): Regex {
    const parts: Regex[] = [];
    for (
      let next = this.#peek();
      next !== undefined && next !== "|" && next !== ")";
      next = this.#peek()
    ) {
      parts.push(this.#quantified(this.#atom()));
    }
    return concat(parts);
  }

  #atom(): Regex {
    const next = this.#take();
    switch (next) {
      case "(": {
        const inner = this.#branches();
        if (this.#take() !== ")") this.#fail("a parenthesis is not closed");
        return inner;
      }
      case "[":
        return set(this.#charClass());
      case ".":
        return set(complementRanges(LINE_ENDS));
      case "\\":
        return set(this.#escape());
      default:
        if (next === undefined || "?*+{}".includes(next)) this.#fail("something must be repeated");
        return literal(next as string);
    }
  }

  #quantified(atom: Regex): Regex {
    switch (this.#peek()) {
      case "?":
        this.#at++;
        return repeat(atom, 0, 1);
      case "*":
        this.#at++;
        return repeat(atom, 0, null);
      case "+":
        this.#at++;
        return repeat(atom, 1, null);
      case "{": {
        const end = this.#characters.indexOf("}", this.#at);
        const text = this.#characters.slice(this.#at + 1, end).join("");
        const [, min, comma, max] = /^(\d+)(,(\d*))?$/.exec(text) ?? [];
        if (end < 0 || min === undefined) this.#fail("a quantity is not {n}, {n,} or {n,m}");
        this.#at = end + 1;
        const from = Number(min);
        const to = comma === undefined ? from : max === "" ? null : Number(max);
        return repeat(atom, from, to);
      }
      default:
        return atom;
    }
  }

  /** Behind `[`; takes the closing bracket. */
  #charClass(): readonly Range[] {
    const isNegated = this.#peek() === "^";
    if (isNegated) this.#at++;
    const found: Range[] = [];
    for (let isFirst = true; ; isFirst = false) {
      const next = this.#take();
      if (next === undefined) this.#fail("a class is not closed");
      if (next === "]" && !isFirst) break;
      if (next === "-" && this.#peek() === "[") {
        this.#at++;
        const without = this.#charClass();
        if (this.#take() !== "]") this.#fail("a subtraction ends a class");
        const rest = isNegated ? complementRanges(found) : normaliseRanges(found);
        return intersectRanges(rest, complementRanges(without));
      }
      if (next === "\\") {
        const escaped = this.#escape();
        const [single] = escaped;
        const isOne = escaped.length === 1 && single !== undefined && single[0] === single[1];
        if (!isOne || !this.#isRange()) found.push(...escaped);
        else found.push(this.#rangeFrom(single[0]));
        continue;
      }
      const code = codeOf(next as string);
      found.push(this.#isRange() ? this.#rangeFrom(code) : [code, code]);
    }
    return isNegated ? complementRanges(found) : normaliseRanges(found);
  }

  /** Whether `-` and an end of a range follow. */
  #isRange(): boolean {
    const [dash, end] = this.#characters.slice(this.#at, this.#at + 2);
    return dash === "-" && end !== "]" && end !== "[" && end !== undefined;
  }

  #rangeFrom(from: number): Range {
    this.#at++;
    const next = this.#take() as string;
    const [end] = next === "\\" ? this.#escape() : [[codeOf(next), codeOf(next)] as const];
    const to = end?.[0] ?? from;
    if (to < from) this.#fail("a range runs backwards");
    return [from, to];
  }

  /** Behind a backslash. */
  #escape(): readonly Range[] {
    const next = this.#take();
    const one = (character: string): readonly Range[] => [[codeOf(character), codeOf(character)]];
    switch (next) {
      case undefined:
        return this.#fail("a backslash stands at the end");
      case "n":
      case "r":
      case "t":
        return one(SINGLE_ESCAPES[next] as string);
      case "s":
        return SPACE;
      case "S":
        return complementRanges(SPACE);
      case "d":
        return unicodeRanges("Nd");
      case "D":
        return settledComplement(unicodeRanges("Nd"));
      case "w":
        return settledComplement(notWord());
      case "W":
        return notWord();
      case "i":
        return NAME_START;
      case "I":
        return complementRanges(NAME_START);
      case "c":
        return NAME;
      case "C":
        return complementRanges(NAME);
      case "p":
      case "P": {
        const end = this.#characters.indexOf("}", this.#at);
        if (this.#peek() !== "{" || end < 0) this.#fail("a property is not \\p{…}");
        const name = this.#characters.slice(this.#at + 1, end).join("");
        this.#at = end + 1;
        const ranges = unicodeRanges(name);
        return next === "p" ? ranges : settledComplement(ranges);
      }
      default:
        if (!/[\\|.?*+(){}\-[\]^]/.test(next)) this.#fail(`\\${next} is no escape of XML Schema`);
        return one(next);
    }
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(): string | undefined {
    return this.#characters[this.#at++];
  }

  #fail(problem: string): never {
    throw new GrammarError(
      `The pattern ${JSON.stringify(this.#pattern)} of the XSD cannot be read at character ${this.#at}: ${problem}.`,
    );
  }
}

/** `\W`: punctuation, separators and what is not assigned or no character (Appendix F.1). */
function notWord(): readonly Range[] {
  return normaliseRanges(["P", "Z", "C"].flatMap((category) => [...unicodeRanges(category)]));
}
