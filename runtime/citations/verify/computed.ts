/** Numbers that an answer has computed of those in the cited lines: they stand nowhere, and may be right. */
import type { Quantity } from "./numbers.ts";

/** Words of a sentence that say that something was computed or counted. */
const CUE =
  /\b(?:total|sum|together|combined|altogether|difference|average|mean|more than|less than|fewer|higher|lower|larger|smaller|longer|shorter|older|younger|later|earlier|after|before|times|twice|double|half|increase[ds]?|decrease[ds]?|rose|fell|grew|growth|ratio|per|remaining|left|saves?|insgesamt|zusammen|summe|differenz|durchschnitt(?:lich)?|mehr|weniger|höher|niedriger|später|früher|jünger|älter|mal|doppelt|anstieg|gestiegen|gesunken|wuchs|fiel|pro|total|ensemble|différence|moyenne|plus|moins|juntos|diferencia|promedio|más|menos)\b/iu;

/** More numbers than these make any number by chance. */
const MOST_NUMBERS = 12;

export type ComputedFrom = {
  /** Numbers of the cited lines. */
  readonly quantities: readonly Quantity[];
  /** How many items they list. */
  readonly items: number;
  /** Years in them, and times of day in minutes. */
  readonly years: ReadonlySet<number>;
  readonly minutes: readonly number[];
};

const AGE =
  /\b(?:aged?|old|later|earlier|after|before|alt|jährig|später|früher|nach|âgée?|ans|años)\b/iu;

/**
 * @param sentence in which the number is claimed
 * @param others how many other numbers and dates the sentence has
 */
export function isComputed(
  claimed: Quantity,
  sentence: string,
  others: number,
  { quantities: cited, items, years, minutes }: ComputedFrom,
): boolean {
  const [value = 0] = claimed.values;
  const isCount = Number.isInteger(value) && value >= 2 && value <= 20;
  if (isCount && (value === items || (claimed.isWord && value === others))) return true;
  if (isTimeBetween(claimed, minutes)) return true;
  if (AGE.test(sentence) && isYearsBetween(value, [...years])) return true;
  if (!CUE.test(sentence)) return false;
  const numbers = [...new Set(cited.flatMap(({ values }) => values.slice(0, 1)))];
  if (numbers.length < 2 || numbers.length > MOST_NUMBERS) return false;
  const sum = numbers.reduce((all, each) => all + each, 0);
  const candidates = [sum, sum / numbers.length];
  for (const [at, one] of numbers.entries()) {
    for (const other of numbers.slice(at + 1)) {
      candidates.push(one + other, one - other, one * other, (one + other) / 2);
      if (other !== 0)
        candidates.push(one / other, (one / other) * 100, ((one - other) / other) * 100);
      if (one !== 0) candidates.push(other / one, (other / one) * 100, ((other - one) / one) * 100);
    }
  }
  const rounding = Math.max(claimed.tolerance, claimed.isHedged ? Math.abs(value) * 0.05 : 0);
  return claimed.values.some((each) =>
    candidates.some(
      (candidate) => Math.abs(Math.abs(candidate) - Math.abs(each)) <= rounding * 1.0001,
    ),
  );
}

/** Longer texts are no list in a sentence. */
const LONGEST_LIST = 2000;

/** From 10:00 to 18:30 it is 8.5 hours. */
function isTimeBetween({ values, unit, tolerance }: Quantity, minutes: readonly number[]): boolean {
  if (unit?.dimension !== "time" || minutes.length > MOST_NUMBERS) return false;
  return minutes.some((one) =>
    minutes.some((other) =>
      values.some(
        (value) =>
          other > one &&
          Math.abs(value * unit.factor - (other - one) * 60) < tolerance * unit.factor,
      ),
    ),
  );
}

/** Who was born in 1867 and died in 1934 was 66 or 67. */
function isYearsBetween(value: number, years: readonly number[]): boolean {
  if (years.length > MOST_NUMBERS || !Number.isInteger(value)) return false;
  return years.some((one) =>
    years.some((other) => other > one && (other - one === value || other - one - 1 === value)),
  );
}

/** How many items a text lists: lines with a mark, or what commas and a last `and` separate. */
export function listedItems(text: string): number {
  const marks = text.match(/^\s*(?:[-*•]|\d{1,2}[.)]) /gm)?.length ?? 0;
  if (marks > 1) return marks;
  if (text.length > LONGEST_LIST) return 0;
  const list = /(?:[^,.;:]+, )+[^,.;:]+,? (?:and|or|und|oder|et|y) [^,.;:]+/u.exec(
    text.replaceAll("\n", " "),
  );
  return list === null
    ? 0
    : list[0].split(/, (?:and |or |und |oder )?|,? (?:and|or|und|oder|et|y) /u).length;
}
