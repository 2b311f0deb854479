/**
 * How the content of a string is spelled in JSON (RFC 8259, section 7): each character as it is, or as an
 * escape. Spelling is a homomorphism with an inverse, so it may be applied to each part of an expression by
 * itself, as long as the same characters have the same spellings everywhere in it.
 */

import { complementRanges, intersectRanges, type Range } from "../character-ranges.ts";
import type { Regex } from "../grammar.ts";
import { ANY, both, concat, either, literal, not, repeat, set } from "./regex.ts";

/**
 * Which characters may be written as `\uXXXX`: all, or those that are not printable ASCII. The first costs
 * nothing where any character may stand; elsewhere it would only blow up the automaton.
 */
export type Escapes = "all" | "needed";

const SHORT: readonly (readonly [code: number, letter: string])[] = [
  [0x22, '"'],
  [0x5c, "\\"],
  [0x2f, "/"],
  [0x08, "b"],
  [0x0c, "f"],
  [0x0a, "n"],
  [0x0d, "r"],
  [0x09, "t"],
];
/** What a string cannot contain as it is. */
const MUST_ESCAPE: readonly Range[] = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
];
const PRINTABLE: readonly Range[] = [[0x20, 0x7e]];
const RAW = complementRanges(MUST_ESCAPE);
const UNPRINTABLE = complementRanges(PRINTABLE);
const FIRST_ASTRAL = 0x10000;

const text = (ascii: string): Regex => ({
  type: "bytes",
  bytes: new TextEncoder().encode(ascii),
});

const spelled = {
  all: new WeakMap<Regex, Regex>(),
  needed: new WeakMap<Regex, Regex>(),
} as const;

/** The spellings of the texts of a language, without the quotes around them. */
function spell(language: Regex, escapes: Escapes): Regex {
  const known = spelled[escapes].get(language);
  if (known !== undefined) return known;
  const result = spellPart(language, escapes);
  spelled[escapes].set(language, result);
  return result;
}

/** One text between quotes. */
export function quotedText(content: string): Regex {
  return /^[ !#-.0-[\]-~]*$/.test(content)
    ? text(`"${content}"`)
    : quoted(literal(content), "needed");
}

/** The texts of a language between quotes. */
export function quoted(language: Regex, escapes: Escapes): Regex {
  return concat(QUOTE, spell(language, escapes), QUOTE);
}

const QUOTE = text('"');

function spellPart(language: Regex, escapes: Escapes): Regex {
  switch (language.type) {
    case "bytes":
      throw new TypeError("the content of a string has characters, not bytes");
    case "set":
      return spellSet(language.ranges, escapes);
    case "concat":
      return concat(...language.parts.map((part) => spell(part, escapes)));
    case "alternatives":
      return either(...language.options.map((option) => spell(option, escapes)));
    case "repeat":
      return repeat(spell(language.item, escapes), language.min, language.max);
    case "and":
      return both(...language.parts.map((part) => spell(part, escapes)));
    case "not":
      // Of all texts only those that spell a string.
      return both(repeat(spell(ANY, escapes), 0, null), not(spell(language.item, escapes)));
  }
}

function spellSet(ranges: readonly Range[], escapes: Escapes): Regex {
  const short = SHORT.filter(([code]) => ranges.some(([from, to]) => code >= from && code <= to));
  const long = escapes === "all" ? ranges : intersectRanges(ranges, UNPRINTABLE);
  return either(
    set(intersectRanges(ranges, RAW)),
    ...short.map(([, letter]) => text(`\\${letter}`)),
    ...long.flatMap(([from, to]) => longEscapes(from, to)),
  );
}

/** `\uXXXX` for the characters of a range, or a pair of them for those beyond U+FFFF. */
function longEscapes(from: number, to: number): readonly Regex[] {
  const found: Regex[] = [];
  if (from < FIRST_ASTRAL) found.push(unit(hex(from, Math.min(to, FIRST_ASTRAL - 1))));
  const first = Math.max(from, FIRST_ASTRAL);
  if (first <= to) found.push(...pairs(first - FIRST_ASTRAL, to - FIRST_ASTRAL));
  return found;
}

const unit = (digits: Regex): Regex => concat(text("\\u"), digits);
const high = (from: number, to: number): Regex => unit(hex(0xd800 + from, 0xd800 + to));
const low = (from: number, to: number): Regex => unit(hex(0xdc00 + from, 0xdc00 + to));
const HALF = 0x400;

function pairs(from: number, to: number): readonly Regex[] {
  const [fromHigh, fromLow] = [Math.floor(from / HALF), from % HALF];
  const [toHigh, toLow] = [Math.floor(to / HALF), to % HALF];
  if (fromHigh === toHigh) return [concat(high(fromHigh, fromHigh), low(fromLow, toLow))];
  const first = fromLow === 0 ? fromHigh : fromHigh + 1;
  const last = toLow === HALF - 1 ? toHigh : toHigh - 1;
  const found: Regex[] = [];
  if (first > fromHigh) found.push(concat(high(fromHigh, fromHigh), low(fromLow, HALF - 1)));
  if (first <= last) found.push(concat(high(first, last), low(0, HALF - 1)));
  if (last < toHigh) found.push(concat(high(toHigh, toHigh), low(0, toLow)));
  return found;
}

/** Four hexadecimal digits with a value in a range. */
function hex(from: number, to: number): Regex {
  return digitsBetween(from, to, 4);
}

function digitsBetween(from: number, to: number, digits: number): Regex {
  if (digits === 0) return concat();
  const size = 16 ** (digits - 1);
  const [first, last] = [Math.floor(from / size), Math.floor(to / size)];
  const rest = (a: number, b: number): Regex => digitsBetween(a, b, digits - 1);
  if (first === last) return concat(digit(first, first), rest(from % size, to % size));
  const isWhole = (a: number, b: number): boolean => a === 0 && b === size - 1;
  const wholeFirst = isWhole(from % size, size - 1) ? first : first + 1;
  const wholeLast = isWhole(0, to % size) ? last : last - 1;
  const options: Regex[] = [];
  if (wholeFirst > first) options.push(concat(digit(first, first), rest(from % size, size - 1)));
  if (wholeFirst <= wholeLast) {
    options.push(concat(digit(wholeFirst, wholeLast), anyHex(digits - 1)));
  }
  if (wholeLast < last) options.push(concat(digit(last, last), rest(0, to % size)));
  return either(...options);
}

const anyHex = (digits: number): Regex => repeat(digit(0, 15), digits, digits);

function digit(from: number, to: number): Regex {
  const ranges: Range[] = [];
  if (from <= 9) ranges.push([0x30 + from, 0x30 + Math.min(to, 9)]);
  if (to >= 10) {
    const [a, b] = [Math.max(from, 10) - 10, to - 10];
    ranges.push([0x61 + a, 0x61 + b], [0x41 + a, 0x41 + b]);
  }
  return set(ranges);
}
