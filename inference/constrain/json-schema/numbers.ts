/** Sets of numbers as a schema describes them, and the texts that stand for them in JSON. */

import type { Range } from "../character-ranges.ts";
import type { Regex } from "../grammar.ts";
import {
  decimals,
  FRACTION_DIGITS,
  integers,
  MAX_INTEGER,
  MAX_SCALED,
  naturals,
  paddedNaturals,
  scaledFrom,
  scaledOf,
  scaledUpTo,
  text,
} from "./decimals.ts";
import { both, concat, either, NOTHING, not, optional, repeat, set } from "./regex.ts";

export type Bound = { readonly value: number; readonly exclusive: boolean };

export type NumberSet = {
  /** Whole numbers, numbers that are not whole, or both. */
  readonly only: "integers" | "fractions" | "all";
  readonly low: Bound;
  readonly high: Bound;
  /** Each divides the number. */
  readonly multiples: readonly number[];
  /** When given, only these of them. */
  readonly values: readonly number[] | undefined;
};

export const ALL_NUMBERS: NumberSet = {
  only: "all",
  low: { value: Number.NEGATIVE_INFINITY, exclusive: false },
  high: { value: Number.POSITIVE_INFINITY, exclusive: false },
  multiples: [],
  values: undefined,
};

/** Undefined: no number is in both at sight. */
export function intersectNumbers(a: NumberSet, b: NumberSet): NumberSet | undefined {
  const only = a.only === "all" ? b.only : a.only;
  if (b.only !== "all" && b.only !== only) return undefined;
  const merged: NumberSet = {
    only,
    low: tighter(a.low, b.low, 1),
    high: tighter(a.high, b.high, -1),
    multiples: [...new Set([...a.multiples, ...b.multiples])],
    values: undefined,
  };
  const values = a.values ?? b.values;
  if (values === undefined) return isVoid(merged) ? undefined : merged;
  const inB = b.values;
  const kept = values.filter(
    (value) => isIn(merged, value) && (inB === undefined || inB.includes(value)),
  );
  return kept.length === 0 ? undefined : { ...merged, values: kept };
}

function tighter(a: Bound, b: Bound, sign: 1 | -1): Bound {
  if (a.value !== b.value) return a.value * sign > b.value * sign ? a : b;
  return a.exclusive ? a : b;
}

function isVoid({ only, low, high }: NumberSet): boolean {
  if (low.value > high.value) return true;
  if (low.value === high.value) {
    return low.exclusive || high.exclusive || (only === "fractions" && Number.isInteger(low.value));
  }
  return only === "integers" && lowestInteger(low) > highestInteger(high);
}

/** Whether a set has a number like this, by the arithmetic of doubles. */
export function isIn({ only, low, high, multiples }: NumberSet, value: number): boolean {
  const isAbove = low.exclusive ? value > low.value : value >= low.value;
  const isBelow = high.exclusive ? value < high.value : value <= high.value;
  const isKind = only === "all" || Number.isInteger(value) === (only === "integers");
  return isAbove && isBelow && isKind && multiples.every((step) => isMultiple(value, step));
}

function isMultiple(value: number, step: number): boolean {
  const quotient = value / step;
  return Math.abs(Math.round(quotient) - quotient) <= 1e-9;
}

function lowestInteger({ value, exclusive }: Bound): number {
  return exclusive && Number.isInteger(value) ? value + 1 : Math.ceil(value);
}

function highestInteger({ value, exclusive }: Bound): number {
  return exclusive && Number.isInteger(value) ? value - 1 : Math.floor(value);
}

export type NumberLanguage = {
  readonly regex: Regex;
  /** Of the multiples, those that the texts need not be divided by. */
  readonly unchecked: readonly number[];
};

const EXPONENT_MARK = set([
  [0x65, 0x65],
  [0x45, 0x45],
]);
const MINUS = text("-");
const MAYBE_PLUS = optional(text("+"));
const NON_ZERO_DIGIT = set([[0x31, 0x39]]);
const ANY_DIGIT = set([[0x30, 0x39]]);
const ZERO_FRACTION = concat(text("."), repeat(text("0"), 1, 3));
/** One digit, then perhaps a fraction: the value is that of the exponent up to a factor of ten. */
const NORMAL_MANTISSA = concat(
  NON_ZERO_DIGIT,
  optional(concat(text("."), repeat(ANY_DIGIT, 1, 20))),
);
/** All of these have a double that is neither 0 nor infinite, with the mantissas above. */
const LOWEST_EXPONENT = -322;
const HIGHEST_EXPONENT = 307;
/** From here on a mantissa with 20 digits after the point is a whole number. */
const WHOLE_EXPONENT = 20;
/** So many values are spelled one by one. */
const MAX_LISTED = 64;

const known = new Map<string, NumberLanguage>();
const MAX_KNOWN = 500;

/** The texts of the numbers of a set. */
export function numberLanguage(numbers: NumberSet): NumberLanguage {
  const { only, low, high, multiples, values = "" } = numbers;
  // Infinite bounds are different texts as well.
  const bounds = `${low.value} ${low.exclusive} ${high.value} ${high.exclusive}`;
  const key = `${only} ${bounds} ${multiples.join()} ${String(values)}`;
  const found = known.get(key) ?? languageOf(numbers);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, found);
  return found;
}

function languageOf(numbers: NumberSet): NumberLanguage {
  if (numbers.values !== undefined) {
    return { regex: either(...numbers.values.map(spellings)), unchecked: [] };
  }
  const step = numbers.multiples.filter((multiple) => !isTrivial(multiple, numbers));
  const listed = listedIntegers(numbers);
  if (listed !== undefined) return { regex: either(...listed.map(spellings)), unchecked: [] };
  const multiples = step.map((multiple) => ({ multiple, regex: multiplesOf(multiple, numbers) }));
  const plain = both(
    plainNumbers(numbers),
    ...multiples.flatMap(({ regex }) => (regex === undefined ? [] : [regex])),
  );
  const unchecked = multiples.flatMap(({ multiple, regex }) =>
    regex === undefined || !isExactFor(multiple, numbers) ? [multiple] : [],
  );
  const scientific = step.length === 0 ? withExponent(numbers) : NOTHING;
  return { regex: either(plain, scientific), unchecked };
}

/** 1 divides whole numbers; it says that they are whole where that is not said. */
function isTrivial(multiple: number, { only }: NumberSet): boolean {
  return only === "integers" && Number.isInteger(1 / multiple);
}

function listedIntegers(numbers: NumberSet): readonly number[] | undefined {
  const { only, low, high, multiples } = numbers;
  const isWhole = only === "integers" || multiples.some((step) => Number.isInteger(step));
  const [first, last] = [lowestInteger(low), highestInteger(high)];
  if (!isWhole || multiples.length === 0 || !(last - first < 4096)) return undefined;
  // Beyond them the next integer is not one more.
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) return undefined;
  const found: number[] = [];
  for (let value = first; value <= last; value++) if (isIn(numbers, value)) found.push(value);
  return found.length <= MAX_LISTED ? found : undefined;
}

function plainNumbers({ only, low, high, multiples }: NumberSet): Regex {
  const isWhole = only === "integers" || multiples.some((step) => Number.isInteger(step));
  if (isWhole && only !== "fractions") {
    const first = clamp(lowestInteger(low));
    const last = clamp(highestInteger(high));
    return concat(integers(first, last), optional(ZERO_FRACTION));
  }
  const from = Number.isFinite(low.value) ? scaledFrom(low.value, low.exclusive) : -MAX_SCALED;
  const to = Number.isFinite(high.value) ? scaledUpTo(high.value, high.exclusive) : MAX_SCALED;
  const all = decimals(largest(from, -MAX_SCALED), smallest(to, MAX_SCALED));
  return only === "fractions" ? both(all, HAS_FRACTION) : all;
}

/**
 * Numbers that no rounding to a double makes whole: up to nine digits before the point, and after it neither six
 * zeros nor six nines.
 */
const HAS_FRACTION = concat(
  optional(MINUS),
  repeat(ANY_DIGIT, 1, 9),
  text("."),
  either(
    both(repeat(ANY_DIGIT, 1, 5), not(repeat(text("0"), 0, null))),
    concat(paddedNaturals("000001", "999998"), repeat(ANY_DIGIT, 0, FRACTION_DIGITS - 6)),
  ),
);

const largest = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smallest = (a: bigint, b: bigint): bigint => (a < b ? a : b);

function clamp(value: number): bigint {
  if (value > Number(MAX_INTEGER)) return value === Infinity ? MAX_INTEGER : MAX_INTEGER + 1n;
  if (value < -Number(MAX_INTEGER)) return value === -Infinity ? -MAX_INTEGER : -MAX_INTEGER - 1n;
  return BigInt(value);
}

/** Numbers with an exponent, as far as whole decades lie between the bounds. */
function withExponent({ only, low, high }: NumberSet): Regex {
  if (only === "fractions") return NOTHING;
  const positive = decades(low, high, only);
  const negative = decades(negated(high), negated(low), only);
  return either(positive, concat(MINUS, negative));
}

const negated = ({ value, exclusive }: Bound): Bound => ({ value: -value, exclusive });

function decades(low: Bound, high: Bound, only: NumberSet["only"]): Regex {
  const isAbove = (value: number): boolean =>
    low.exclusive ? value > low.value : value >= low.value;
  const isBelow = (value: number): boolean =>
    high.exclusive ? value < high.value : value <= high.value;
  let first = only === "integers" ? 0 : LOWEST_EXPONENT;
  let last = HIGHEST_EXPONENT;
  while (first <= last && !isAbove(Number(`1e${first}`))) first++;
  while (first <= last && !isBelow(Number(`1e${last + 1}`))) last--;
  if (first > last) return NOTHING;
  if (only !== "integers") return concat(NORMAL_MANTISSA, EXPONENT_MARK, exponents(first, last));
  const whole = Math.max(first, WHOLE_EXPONENT);
  return either(
    concat(NON_ZERO_DIGIT, EXPONENT_MARK, exponents(first, last)),
    whole <= last ? concat(NORMAL_MANTISSA, EXPONENT_MARK, exponents(whole, last)) : NOTHING,
  );
}

function exponents(first: number, last: number): Regex {
  const negative = first < 0 ? naturals(BigInt(Math.max(1, -last)), BigInt(-first)) : NOTHING;
  const positive = last >= 0 ? naturals(BigInt(Math.max(0, first)), BigInt(last)) : NOTHING;
  return either(concat(MINUS, negative), concat(MAYBE_PLUS, positive));
}

/** The ways to write one number. */
function spellings(value: number): Regex {
  const shortest = String(value);
  if (shortest.includes("e")) return text(shortest);
  const zeros = Number.isInteger(value) ? optional(ZERO_FRACTION) : repeat(text("0"), 0, 2);
  return Math.abs(value) > Number(MAX_INTEGER) && BigInt(value) !== BigInt(shortest)
    ? text(exponential(value))
    : concat(text(shortest), zeros);
}

/** Of an integer with more digits than are exact, which is unmistakable only with an exponent. */
const exponential = (value: number): string => value.toExponential();

const DIGITS: Range = [0x30, 0x39];
const ONE_TO_NINE: Range = [0x31, 0x39];

/** Numbers without exponent that a step divides; undefined: no expression of useful size says so. */
function multiplesOf(step: number, { only }: NumberSet): Regex | undefined {
  const scaled = scaledOf(step);
  if (scaled === undefined || scaled <= 0n) return undefined;
  const scale = 10n ** BigInt(FRACTION_DIGITS);
  // step = units / 10^places
  let units = scaled;
  let places = FRACTION_DIGITS;
  while (places > 0 && units % 10n === 0n) {
    units /= 10n;
    places--;
  }
  if (scaled % scale === 0n) return wholeMultiples(scaled / scale);
  if (only === "integers" || units > 10_000n) return undefined;
  const threes = units % 3n === 0n;
  const tail = lastDigits(threes ? units / 3n : units);
  if (tail === undefined) return undefined;
  const multiples = fractionalMultiples(tail, places);
  return threes ? both(multiples, DIVISIBLE_BY_3) : multiples;
}

type Tail = { readonly digits: number; readonly endings: readonly string[] };

/** How the multiples of a number that divides a power of ten end. */
function lastDigits(units: bigint): Tail | undefined {
  let digits = 0;
  let power = 1n;
  while (power % units !== 0n) {
    if (++digits > 4) return undefined;
    power *= 10n;
  }
  const endings: string[] = [];
  for (let value = 0n; value < power; value += units) {
    endings.push(digits === 0 ? "" : String(value).padStart(digits, "0"));
    if (endings.length > 512) return undefined;
  }
  return { digits, endings };
}

const SIGN = optional(MINUS);
const ANY_NATURAL = either(text("0"), concat(set([ONE_TO_NINE]), repeat(set([DIGITS]), 0, 15)));

function wholeMultiples(step: bigint): Regex | undefined {
  let other = step;
  let threes = false;
  if (other % 3n === 0n) {
    other /= 3n;
    threes = true;
  }
  const tail = lastDigits(other);
  if (tail === undefined) return undefined;
  const endings =
    tail.digits === 0
      ? ANY_NATURAL
      : either(
          ...tail.endings.map((ending) => text(ending.replace(/^0+(?=.)/, ""))),
          concat(
            set([ONE_TO_NINE]),
            repeat(set([DIGITS]), 0, 15),
            either(...tail.endings.map(text)),
          ),
        );
  const multiples = concat(SIGN, endings, optional(ZERO_FRACTION));
  return threes ? both(multiples, DIVISIBLE_BY_3) : multiples;
}

const residue = (remainder: number, ...marks: readonly string[]): Regex => {
  const digits = [0, 3, 6, 9].map((digit) => String(digit + remainder)).filter((one) => one < ":");
  return set(
    [...digits, ...marks].flatMap((char): Range[] =>
      char.length === 1 ? [[char.charCodeAt(0), char.charCodeAt(0)]] : [],
    ),
  );
};
const R0 = residue(0, "-", ".");
const R1 = residue(1);
const R2 = residue(2);
/** Numbers whose digits have a sum divisible by three, from an automaton with three states. */
const DIVISIBLE_BY_3 = ((): Regex => {
  // From the remainder 1 back to it, without passing 0.
  const around1 = repeat(either(R0, concat(R1, repeat(R0, 0, null), R2)), 0, null);
  const from1 = concat(around1, either(R2, concat(R1, repeat(R0, 0, null), R1)));
  const around2 = repeat(either(R0, concat(R2, repeat(R0, 0, null), R1)), 0, null);
  const from2 = concat(around2, either(R1, concat(R2, repeat(R0, 0, null), R2)));
  return repeat(either(R0, concat(R1, from1), concat(R2, from2)), 1, null);
})();

/** As digits without the point they end in one of the endings, `places` of them after the point. */
function fractionalMultiples({ digits, endings }: Tail, places: number): Regex {
  const fractions = new Set<string>();
  const whole = new Map<string, Set<string>>();
  for (const ending of endings) {
    const after = ending.slice(Math.max(0, digits - places));
    const before = ending.slice(0, Math.max(0, digits - places));
    fractions.add(after);
    whole.set(before, (whole.get(before) ?? new Set()).add(after));
  }
  const free = places - Math.min(digits, places);
  const fractionOf = (tails: Iterable<string>): Regex =>
    concat(repeat(set([DIGITS]), free, free), either(...[...tails].map(text)));
  // Zeros at the end may be missing, down to the whole number.
  const cut = (tails: Iterable<string>): Regex => {
    const options = [concat(fractionOf(tails), repeat(text("0"), 0, 2))];
    for (const tail of tails) {
      const short = tail.replace(/0+$/, "");
      if (short !== tail && short !== "") {
        options.push(concat(repeat(set([DIGITS]), free, free), text(short)));
      }
      if (short === "" && free > 0) options.push(repeat(set([DIGITS]), 1, free));
      else if (short === "") options.push(repeat(text("0"), 1, places));
    }
    const isZero = [...tails].some((tail) => /^0*$/.test(tail));
    const some = concat(text("."), either(...options));
    return isZero ? optional(some) : some;
  };
  if (digits <= places) return concat(SIGN, ANY_NATURAL, cut(fractions));
  return concat(
    SIGN,
    either(
      ...[...whole].map(([before, tails]) =>
        concat(
          either(
            text(before.replace(/^0+(?=.)/, "")),
            concat(set([ONE_TO_NINE]), repeat(set([DIGITS]), 0, 15), text(before)),
          ),
          cut(tails),
        ),
      ),
    ),
  );
}

/**
 * Whether the doubles of all decimal multiples between the bounds are multiples to a validator as well,
 * which divides doubles and allows for 10^-9.
 */
function isExactFor(step: number, { low, high }: NumberSet): boolean {
  if (Number.isInteger(step)) return true;
  const most = Math.max(Math.abs(low.value), Math.abs(high.value));
  return most / step <= 1e6;
}
