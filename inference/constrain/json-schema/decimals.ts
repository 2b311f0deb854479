/**
 * Decimal numbers between two bounds as regular expressions. Bounds are whole multiples of 10^-FRACTION_DIGITS
 * and count exactly, so that what is written is on the right side of a bound after it is rounded to a double.
 */

import type { Range } from "../character-ranges.ts";
import type { Regex } from "../grammar.ts";
import { both, concat, EMPTY, either, NOTHING, optional, repeat, set } from "./regex.ts";

/** After the point. A double below 1 that is written without an exponent has at most 6 + 17. */
export const FRACTION_DIGITS = 24;

const SCALE = 10n ** BigInt(FRACTION_DIGITS);

/** The largest integer up to which every one has a double of its own. */
export const MAX_INTEGER: bigint = 2n ** 53n;

const range = (from: number, to: number): Range => [0x30 + from, 0x30 + to];
const digit = (from: number, to: number): Regex => (from > to ? NOTHING : set([range(from, to)]));
const ANY_DIGIT = digit(0, 9);
export function text(ascii: string): Regex {
  return { type: "bytes", bytes: new TextEncoder().encode(ascii) };
}
const POINT = text(".");
const anyDigits = (min: number, max: number): Regex => repeat(ANY_DIGIT, min, max);

/** Digit strings of one length between two of that length. */
export function paddedNaturals(low: string, high: string): Regex {
  if (low === "") return EMPTY;
  const [first, last] = [Number(low[0]), Number(high[0])];
  const rest = low.length - 1;
  if (first === last)
    return concat(digit(first, first), paddedNaturals(low.slice(1), high.slice(1)));
  const zeros = "0".repeat(rest);
  const nines = "9".repeat(rest);
  const wholeFirst = low.slice(1) === zeros ? first : first + 1;
  const wholeLast = high.slice(1) === nines ? last : last - 1;
  const options: Regex[] = [];
  if (wholeFirst > first) {
    options.push(concat(digit(first, first), paddedNaturals(low.slice(1), nines)));
  }
  if (wholeFirst <= wholeLast) {
    options.push(concat(digit(wholeFirst, wholeLast), anyDigits(rest, rest)));
  }
  if (wholeLast < last)
    options.push(concat(digit(last, last), paddedNaturals(zeros, high.slice(1))));
  return either(...options);
}

/** Integers without sign and leading zeros. */
export function naturals(low: bigint, high: bigint): Regex {
  if (low > high) return NOTHING;
  const options: Regex[] = [];
  const [shortest, longest] = [String(low).length, String(high).length];
  for (let length = shortest; length <= longest; length++) {
    const from = length === shortest ? String(low) : `1${"0".repeat(length - 1)}`;
    const to = length === longest ? String(high) : "9".repeat(length);
    options.push(paddedNaturals(from, to));
  }
  return either(...options);
}

/** Integers with sign; no -0. */
export function integers(low: bigint, high: bigint): Regex {
  const one = 1n;
  const negative = low < 0n ? naturals(high < 0n ? -high : one, -low) : NOTHING;
  const positive = high >= 0n ? naturals(low > 0n ? low : 0n, high) : NOTHING;
  return either(positive, concat(text("-"), negative));
}

/** `.` and digits, as a fraction of at least this one (24 digits); nothing at all counts as 0. */
function fractionFrom(low: string): Regex {
  const digits = low.replace(/0+$/, "");
  if (digits === "") return optional(concat(POINT, anyDigits(1, FRACTION_DIGITS)));
  const options = [concat(text(digits), anyDigits(0, FRACTION_DIGITS - digits.length))];
  for (let at = 0; at < digits.length; at++) {
    const above = digit(Number(digits[at]) + 1, 9);
    const rest = anyDigits(0, FRACTION_DIGITS - at - 1);
    options.push(concat(text(digits.slice(0, at)), above, rest));
  }
  return concat(POINT, either(...options));
}

/** The same up to this one. */
function fractionUpTo(high: string): Regex {
  const digits = high.replace(/0+$/, "");
  const zeros = repeat(text("0"), 0, FRACTION_DIGITS - digits.length);
  // The digits of the bound, all or from the left as many as there are.
  const options = [
    digits === "" ? repeat(text("0"), 1, FRACTION_DIGITS) : concat(text(digits), zeros),
  ];
  for (let at = 1; at < digits.length; at++) options.push(text(digits.slice(0, at)));
  for (let at = 0; at < digits.length; at++) {
    const below = digit(0, Number(digits[at]) - 1);
    const rest = anyDigits(0, FRACTION_DIGITS - at - 1);
    options.push(concat(text(digits.slice(0, at)), below, rest));
  }
  return optional(concat(POINT, either(...options)));
}

const ANY_FRACTION = optional(concat(POINT, anyDigits(1, FRACTION_DIGITS)));

/** A scaled number in its integer part and the 24 digits after the point. */
function split(scaled: bigint): readonly [whole: bigint, fraction: string] {
  return [scaled / SCALE, String(scaled % SCALE).padStart(FRACTION_DIGITS, "0")];
}

/** Numbers without sign and exponent, 0 ≤ low ≤ high. */
function magnitudes(low: bigint, high: bigint): Regex {
  if (low > high) return NOTHING;
  const [lowWhole, lowFraction] = split(low);
  const [highWhole, highFraction] = split(high);
  if (lowWhole === highWhole) {
    return concat(
      naturals(lowWhole, lowWhole),
      both(fractionFrom(lowFraction), fractionUpTo(highFraction)),
    );
  }
  return either(
    concat(naturals(lowWhole, lowWhole), fractionFrom(lowFraction)),
    concat(naturals(lowWhole + 1n, highWhole - 1n), ANY_FRACTION),
    concat(naturals(highWhole, highWhole), fractionUpTo(highFraction)),
  );
}

/** Numbers with sign and without exponent between two scaled bounds; no -0. */
export function decimals(low: bigint, high: bigint): Regex {
  const negative = low < 0n ? magnitudes(high < 0n ? -high : 1n, -low) : NOTHING;
  const positive = high >= 0n ? magnitudes(low > 0n ? low : 0n, high) : NOTHING;
  return either(positive, concat(text("-"), negative));
}

/** The scaled bounds beyond which an integer part would have no double of its own. */
export const MAX_SCALED: bigint = MAX_INTEGER * SCALE;

const bits = new DataView(new ArrayBuffer(8));

/** The next double above; below for a negative one, seen from zero. */
function away(value: number): number {
  bits.setFloat64(0, value);
  bits.setBigUint64(0, bits.getBigUint64(0) + 1n);
  return bits.getFloat64(0);
}

function towardsZero(value: number): number {
  bits.setFloat64(0, value);
  bits.setBigUint64(0, bits.getBigUint64(0) - 1n);
  return bits.getFloat64(0);
}

/** value = numerator / denominator, exactly. */
function fraction(value: number): readonly [bigint, bigint] {
  bits.setFloat64(0, Math.abs(value));
  const raw = bits.getBigUint64(0);
  const exponent = Number(raw >> 52n);
  const mantissa = (raw & (2n ** 52n - 1n)) | (exponent === 0 ? 0n : 2n ** 52n);
  const power = (exponent === 0 ? 1 : exponent) - 1075;
  const signed = value < 0 ? -mantissa : mantissa;
  return power >= 0 ? [signed << BigInt(power), 1n] : [signed, 1n << BigInt(-power)];
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/** The point half way between two doubles, scaled, rounded down or up. */
function halfWay(a: number, b: number, up: boolean): bigint {
  const [an, ad] = fraction(a);
  const [bn, bd] = fraction(b);
  const numerator = (an * bd + bn * ad) * SCALE;
  const denominator = 2n * ad * bd;
  return up ? -floorDivide(-numerator, denominator) : floorDivide(numerator, denominator);
}

/**
 * The least scaled number whose double is at least `bound`, or above it. A tie at the half way point could
 * go either way and is left out.
 */
export function scaledFrom(bound: number, exclusive: boolean): bigint {
  if (bound === 0) return exclusive ? 1n : 0n;
  if (bound >= 2 ** 54) return MAX_SCALED + 1n;
  if (bound <= -(2 ** 54)) return -MAX_SCALED;
  const below = bound > 0 ? towardsZero(bound) : away(bound);
  const above = bound > 0 ? away(bound) : towardsZero(bound);
  return exclusive ? halfWay(bound, above, false) + 1n : halfWay(below, bound, false) + 1n;
}

/** The greatest scaled number whose double is at most `bound`, or below it. */
export function scaledUpTo(bound: number, exclusive: boolean): bigint {
  return -scaledFrom(-bound, exclusive);
}

/** A decimal number as text: its value times 10^24; undefined: it has more digits, or an exponent. */
export function scaledOf(value: number): bigint | undefined {
  const [, sign = "", whole = "", digits = ""] =
    /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(value)) ?? [];
  if (whole === "" || digits.length > FRACTION_DIGITS) return undefined;
  const scaled = BigInt(whole + digits.padEnd(FRACTION_DIGITS, "0"));
  return sign === "-" ? -scaled : scaled;
}
