/** Numbers that an answer has computed of those in the cited lines: they stand nowhere, and may be right. */
import type { Quantity } from "./numbers.ts";

/** Words of a sentence that say that something was computed or counted. */
const CUE =
  /\b(?:total|sum|together|combined|altogether|difference|average|mean|more than|less than|fewer|higher|lower|larger|smaller|longer|shorter|older|younger|later|earlier|after|before|times|twice|double|half|increase[ds]?|decrease[ds]?|rose|fell|grew|growth|ratio|per|remaining|left|saves?|insgesamt|zusammen|summe|differenz|durchschnitt(?:lich)?|mehr|weniger|höher|niedriger|später|früher|jünger|älter|mal|doppelt|anstieg|gestiegen|gesunken|wuchs|fiel|pro|total|ensemble|différence|moyenne|plus|moins|juntos|diferencia|promedio|más|menos)\b/iu;

/** More numbers than these make any number by chance. */
const MOST_NUMBERS = 12;

/**
 * @param sentence in which the number is claimed
 * @param cited numbers of the cited lines
 * @param items how many items the cited lines list
 */
export function isComputed(
  claimed: Quantity,
  sentence: string,
  cited: readonly Quantity[],
  items: number,
): boolean {
  const [value = 0] = claimed.values;
  if (Number.isInteger(value) && value >= 2 && value <= 20 && value === items) return true;
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
