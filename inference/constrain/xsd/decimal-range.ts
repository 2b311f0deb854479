/** Decimal numbers between two bounds, as regular expressions. */
import type { Regex } from "../grammar.ts";
import { alternatives, between, concat, literal, optional, repeat } from "./regexes.ts";

export type DecimalBounds = {
  /** Smallest and largest value, as decimal literals without an exponent; null: no bound. */
  readonly min: Bound | null;
  readonly max: Bound | null;
  /** Most digits behind the point. 0: whole numbers. */
  readonly fractionDigits: number;
  /** Most digits in all; see `totalDigits` of XSD. */
  readonly totalDigits: number;
};

export type Bound = { readonly value: string; readonly isExclusive: boolean };

/** Digits of whole numbers where nothing bounds them: what a 64-bit integer surely holds. */
export const MAX_DIGITS = 18;

/** The literals of all numbers within the bounds, without superfluous zeros in front and without `+`. */
export function decimalsWithin(bounds: DecimalBounds): Regex {
  const { fractionDigits, totalDigits } = bounds;
  const limit = 10n ** BigInt(totalDigits) - 1n;
  const options: Regex[] = [];
  for (let places = 0; places <= Math.min(fractionDigits, totalDigits); places++) {
    const min = bounds.min === null ? null : scaled(bounds.min, places, "min");
    const max = bounds.max === null ? null : scaled(bounds.max, places, "max");
    const from = min === null || min < -limit ? -limit : min;
    const to = max === null || max > limit ? limit : max;
    if (from > to) continue;
    const positive = from < 0n ? 0n : from;
    if (positive <= to) options.push(...digitsWithin(positive, to, places));
    // Minus zero is left out: it is the same number.
    if (from < 0n) {
      const [low, high] = [to < 0n ? -to : 1n, -from];
      if (low <= high) {
        const negative = alternatives(digitsWithin(low, high, places));
        options.push(concat([literal("-"), negative]));
      }
    }
  }
  return alternatives(options);
}

/** Whole numbers that nothing bounds but their length, and decimals like them. */
export function anyDecimal(fractionDigits: number, hasExponent: boolean): Regex {
  const digit = between("0", "9");
  const whole = alternatives([
    literal("0"),
    concat([between("1", "9"), repeat(digit, 0, MAX_DIGITS - 1)]),
  ]);
  const fraction = concat([literal("."), repeat(digit, 1, fractionDigits)]);
  const exponent = concat([
    literal("E"),
    optional(literal("-")),
    alternatives([digit, concat([between("1", "2"), digit])]),
  ]);
  return concat([
    optional(literal("-")),
    whole,
    ...(fractionDigits > 0 ? [optional(fraction)] : []),
    ...(hasExponent ? [optional(exponent)] : []),
  ]);
}

/** A bound in units of the last place: the smallest (or largest) multiple of 10^-places within it. */
function scaled({ value, isExclusive }: Bound, places: number, side: "min" | "max"): bigint {
  const [, sign = "", whole = "0", fraction = ""] =
    /^\s*([+-]?)(\d*)(?:\.(\d*))?\s*$/.exec(value) ?? [];
  const kept = fraction.slice(0, places).padEnd(places, "0");
  const rest = fraction.slice(places);
  const magnitude = BigInt(`${whole || "0"}${kept}`);
  const isExact = /^0*$/.test(rest);
  const truncated = sign === "-" ? -magnitude : magnitude;
  if (isExact) {
    if (!isExclusive) return truncated;
    return side === "min" ? truncated + 1n : truncated - 1n;
  }
  // Truncation went towards zero: one step away where that left the range.
  if (side === "min") return sign === "-" ? truncated : truncated + 1n;
  return sign === "-" ? truncated - 1n : truncated;
}

/** Literals of the numbers from … to (not negative, in units of the last place) with exactly `places` decimals. */
function digitsWithin(from: bigint, to: bigint, places: number): Regex[] {
  const options: Regex[] = [];
  const shortest = places + 1;
  const longest = Math.max(shortest, to.toString().length);
  for (let length = shortest; length <= longest; length++) {
    // Only the shortest have a zero in front: the one before the point.
    const first = length === shortest ? 0n : 10n ** BigInt(length - 1);
    const last = 10n ** BigInt(length) - 1n;
    const [low, high] = [from > first ? from : first, to < last ? to : last];
    if (low > high) continue;
    const pad = (value: bigint): string => value.toString().padStart(length, "0");
    for (const digits of digitSequences(pad(low), pad(high)))
      options.push(withPoint(digits, places));
  }
  return options;
}

type DigitRange = readonly [from: number, to: number];

/** Sequences of digit ranges that together are all numbers between two of the same length. */
function digitSequences(low: string, high: string): readonly (readonly DigitRange[])[] {
  if (low === "") return [[]];
  const [a, b] = [Number(low[0]), Number(high[0])];
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  const prefixed = (from: number, to: number, rest: readonly (readonly DigitRange[])[]) =>
    rest.map((sequence): readonly DigitRange[] => [[from, to], ...sequence]);
  if (a === b) return prefixed(a, a, digitSequences(lowRest, highRest));
  const nines = "9".repeat(lowRest.length);
  const zeros = "0".repeat(lowRest.length);
  const isLowWhole = lowRest === zeros;
  const isHighWhole = highRest === nines;
  const [from, to] = [isLowWhole ? a : a + 1, isHighWhole ? b : b - 1];
  return [
    ...(isLowWhole ? [] : prefixed(a, a, digitSequences(lowRest, nines))),
    ...(from <= to ? prefixed(from, to, digitSequences(zeros, nines)) : []),
    ...(isHighWhole ? [] : prefixed(b, b, digitSequences(zeros, highRest))),
  ];
}

function withPoint(digits: readonly DigitRange[], places: number): Regex {
  const parts = digits.map(([from, to]) => between(String(from), String(to)));
  if (places > 0) parts.splice(parts.length - places, 0, literal("."));
  return concat(parts);
}
