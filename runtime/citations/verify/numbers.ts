/** Numbers in a text, with their units, in the ways in which people write them. */
import { numberWords } from "./number-words.ts";
import { MAGNITUDES, UNIT_NAMES, type Unit, unitOf } from "./units.ts";

export type Quantity = {
  /** As it is written. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** What it may be: `1.234` is two numbers, depending on the country. */
  readonly values: readonly number[];
  readonly unit: Unit | undefined;
  /** Half of the last place that is written, in the number's own unit. */
  readonly tolerance: number;
  /** Written as rounded: with a decimal, a word like `million`, or `about` in front. */
  readonly isRounded: boolean;
  readonly isHedged: boolean;
  /** Written as a word. */
  readonly isWord: boolean;
};

const GROUPED = String.raw`\d{1,3}(?:(?<separator>[ ',.])\d{3})(?:\k<separator>\d{3})*(?:[.,]\d+)?`;
const NUMBER = new RegExp(
  String.raw`(?<![\p{L}\p{N}_])(?<![\p{N}][.,:/])(?<sign>-|minus )?(?<digits>${GROUPED}(?![\d])|\d+(?:[.,]\d+)?|[.,]\d+)(?![\d])`,
  "giu",
);
const ESCAPED_UNITS = UNIT_NAMES.map((name) => name.replace(/[$/.*+?^()[\]{}|\\]/g, "\\$&"));
const UNIT_BEHIND = new RegExp(
  `^[ -]?(?<unit>${ESCAPED_UNITS.join("|")})(?![\\p{L}\\p{N}/²³])`,
  "iu",
);
const MAGNITUDE_BEHIND = new RegExp(
  `^[ -]?(?<word>${[...MAGNITUDES.keys()].toSorted((a, b) => b.length - a.length).join("|")})(?:\\.(?= ))?(?![\\p{Script=Latin}\\p{N}])`,
  "iu",
);
const UNIT_BEFORE = /(?<![\p{L}])(US\$|[€$£¥]|EUR|USD|GBP|CHF|JPY) ?-?$/iu;
const HEDGE =
  /(?:\b(?:about|around|approximately|approx\.?|roughly|nearly|almost|over|under|more than|less than|at least|up to|some|circa|ca\.?|c\.|etwa|rund|ungefähr|knapp|fast|gut|über|unter|mehr als|weniger als|mindestens|höchstens|bis zu|environ|près de|plus de|moins de|cerca de|más de|unos|unas)|[~≈<>≤≥±]) ?(?:US\$|[€$£¥])?$/iu;
const FRACTIONS: Readonly<Record<string, number>> = {
  "½": 0.5,
  "¼": 0.25,
  "¾": 0.75,
  "⅓": 1 / 3,
  "⅔": 2 / 3,
  "⅛": 0.125,
};

/** @param text with its signs folded (`foldSigns`); addresses, dates and times are taken out before */
export function quantitiesOf(text: string): readonly Quantity[] {
  const found: Quantity[] = [];
  for (const match of text.matchAll(NUMBER)) {
    const { sign, digits = "" } = match.groups ?? {};
    const values = numeralValues(digits);
    if (values === null) continue;
    const begin = match.index;
    // Behind a number or a word, a dash is no minus.
    const isNegative =
      sign !== undefined && !/[\p{L}\p{N})%]$/u.test(text.slice(Math.max(0, begin - 1), begin));
    const start = sign !== undefined && !isNegative ? begin + sign.length : begin;
    const decimals = /[.,](\d+)$/.exec(digits)?.[1]?.length ?? 0;
    const isGrouped = values.length === 1 && Number.isInteger(values[0]) && decimals === 3;
    found.push(
      quantity(text, {
        start,
        end: begin + match[0].length,
        values: values.map((value) => (isNegative ? -value : value)),
        places: isGrouped ? 0 : decimals,
        isWord: false,
      }),
    );
  }
  for (const { value, start, end } of numberWords(text)) {
    found.push(quantity(text, { start, end, values: [value], places: 0, isWord: true }));
  }
  for (const { 0: sign, index } of text.matchAll(/[½¼¾⅓⅔⅛]/gu)) {
    const whole = /(\d+) ?$/.exec(text.slice(Math.max(0, index - 12), index));
    const value = (FRACTIONS[sign] ?? 0) + Number(whole?.[1] ?? 0);
    const start = index - (whole?.[0].length ?? 0);
    const at = { start, end: index + 1, values: [value], places: 2, isWord: false };
    const before = found.findIndex((other) => other.end > start && other.start < at.end);
    if (before !== -1) found.splice(before, 1);
    found.push(quantity(text, at));
  }
  return withShortYears(found, text).toSorted((a, b) => a.start - b.start);
}

/** More characters than a unit, or a word like `million`, has. */
const LONGEST_UNIT = 24;

type Numeral = {
  readonly start: number;
  readonly end: number;
  readonly values: readonly number[];
  readonly places: number;
  readonly isWord: boolean;
};

/** Adds what stands around a numeral: magnitude, unit, `about`. */
function quantity(text: string, numeral: Numeral): Quantity {
  const { values, places, isWord } = numeral;
  let { start, end } = numeral;
  let multiplied = values;
  let scale = 1;
  const magnitude = MAGNITUDE_BEHIND.exec(text.slice(end, end + LONGEST_UNIT));
  const factors = MAGNITUDES.get(magnitude?.groups?.["word"]?.toLowerCase() ?? "");
  const isUnitAsWell = factors?.includes(1) ?? false;
  let unit: Unit | undefined;
  if (magnitude !== null && factors !== undefined) {
    multiplied = values.flatMap((value) => factors.map((factor) => value * factor));
    scale = Math.min(...factors);
    // `5 m` may be metres or millions.
    if (isUnitAsWell) unit = unitOf(magnitude.groups?.["word"] ?? "");
    end += magnitude[0].length;
  }
  if (unit === undefined) {
    const behind = UNIT_BEHIND.exec(text.slice(end, end + LONGEST_UNIT));
    unit = unitOf(behind?.groups?.["unit"] ?? "");
    if (unit !== undefined) end += behind?.[0].length ?? 0;
  }
  const before = UNIT_BEFORE.exec(text.slice(Math.max(0, start - 8), start));
  if (before !== null) {
    unit = unitOf((before[1] ?? "").toLowerCase()) ?? unit;
    start -= before[0].length;
  }
  const isHedged = HEDGE.test(text.slice(Math.max(0, start - 24), start));
  return {
    text: text.slice(start, end).trim(),
    start,
    end,
    values: multiplied,
    unit,
    tolerance: (10 ** -places / 2) * scale,
    isRounded: places > 0 || scale > 1 || isHedged,
    isHedged,
    isWord,
  };
}

/** @returns null for what is no number but a version, an address or the like */
function numeralValues(digits: string): readonly number[] | null {
  const signs = new Set(digits.match(/[ ',.]/g));
  const plain = (decimal: string): number =>
    Number(
      digits.replaceAll(/[ ',.]/g, (sign) => (sign === decimal ? "." : "")).replace(/^\./, "0."),
    );
  if (signs.size === 0) return [Number(digits)];
  const last = /[.,](?=\d+$)/.exec(digits)?.[0] ?? "";
  if (signs.size > 2) return null;
  if (signs.size === 2) return last === "" ? null : [plain(last)];
  if (last === "") return [plain("")];
  const parts = digits.split(last);
  if (parts.length > 2)
    return parts.slice(1).every((part) => part.length === 3) ? [plain("")] : null;
  const isEither = parts[1]?.length === 3 && parts[0] !== "" && parts[0] !== "0";
  return isEither ? [plain(""), plain(last)] : [plain(last)];
}

/** `1939-45`: the second year is one of the same century. */
function withShortYears(found: readonly Quantity[], text: string): Quantity[] {
  return found.map((quantity) => {
    const before = /(?<!\d)(1\d|20)\d\d ?[-/] ?$/.exec(
      text.slice(Math.max(0, quantity.start - 8), quantity.start),
    );
    const [value = 0] = quantity.values;
    const isShort = before !== null && /^\d\d$/.test(quantity.text);
    return isShort ? { ...quantity, values: [value, Number(before[1]) * 100 + value] } : quantity;
  });
}

/** Whether the cited quantity says the same as the claimed one. */
export function isSameQuantity(claimed: Quantity, cited: Quantity): boolean {
  const { unit, isRounded, isHedged } = claimed;
  const sameDimension = unit?.dimension === cited.unit?.dimension;
  if (unit !== undefined && cited.unit !== undefined && !sameDimension) return false;
  const hasBoth = unit !== undefined && cited.unit !== undefined;
  const isConverted = hasBoth && unit.factor !== cited.unit?.factor;
  const base = (value: number, of: Unit | undefined): number =>
    hasBoth && of !== undefined ? value * of.factor + of.offset : value;
  return claimed.values.some((one) =>
    cited.values.some((other) => {
      const [a, b] = [base(one, unit), base(other, cited.unit)];
      const half = claimed.tolerance * (hasBoth ? Math.abs(unit.factor) : 1);
      const rounded = isRounded || isConverted ? half : 0;
      const hedged = isHedged ? Math.abs(b) * 0.05 : 0;
      const converted = isConverted ? Math.abs(b) * 0.01 : 0;
      const tolerance = Math.max(rounded, hedged, converted) + Math.abs(b) * 1e-9;
      // A loss of 5 % is written with and without its sign; a temperature is not.
      const isSigned = unit?.dimension === "temperature" || cited.unit?.dimension === "temperature";
      const difference = isSigned ? Math.abs(a - b) : Math.abs(Math.abs(a) - Math.abs(b));
      return difference <= tolerance;
    }),
  );
}
