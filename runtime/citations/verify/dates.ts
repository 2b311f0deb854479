/** Dates, times of day and days of the week in a text. */
import { foldLetters } from "./fold.ts";

export type DateClaim = {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** What it may be: `05/03/2024` is two dates, depending on the country. */
  readonly readings: readonly DateReading[];
};

/** Month and day counted from 1; what is not said is absent. */
export type DateReading = {
  readonly year?: number;
  readonly month?: number;
  readonly day?: number;
  /** From 0, Sunday. */
  readonly weekday?: number;
  /** Minutes from midnight. */
  readonly minutes?: number;
};

const LOCALES = ["en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "pl"] as const;
/** Whose short names are no words of another language. */
const SHORT_LOCALES = ["en", "de"] as const;

/** Names, folded → number. */
function calendarNames(
  option: "month" | "weekday",
  count: number,
  dateOf: (at: number) => Date,
): Map<string, number> {
  const names = new Map<string, number>();
  const add = (locale: string, style: "long" | "short", withDay: boolean): void => {
    const day = withDay ? ({ day: "numeric" } as const) : {};
    const format = new Intl.DateTimeFormat(locale, { [option]: style, ...day, timeZone: "UTC" });
    for (let at = 0; at < count; at++) {
      const part = format.formatToParts(dateOf(at)).find(({ type }) => type === option);
      const name = foldLetters(part?.value ?? "").replace(/\.$/, "");
      if (/^\p{L}{2,}$/u.test(name) && !names.has(name)) names.set(name, at);
    }
  };
  for (const locale of LOCALES) {
    add(locale, "long", false);
    if (option === "month") add(locale, "long", true);
  }
  for (const locale of SHORT_LOCALES) add(locale, "short", false);
  return names;
}

/** Names of months and days in several languages, and patterns made of them. */
type Calendar = {
  readonly months: ReadonlyMap<string, number>;
  readonly weekdays: ReadonlyMap<string, number>;
  readonly patterns: readonly RegExp[];
  readonly loneMonth: RegExp;
  readonly weekday: RegExp;
};

let made: Calendar | undefined;

/** Made when it is needed first: the names of ten languages take longer than all of a short run's own work. */
function calendar(): Calendar {
  made ??= makeCalendar();
  return made;
}

function makeCalendar(): Calendar {
  const months = calendarNames("month", 12, (at) => new Date(Date.UTC(2024, at, 15)));
  for (const [name, month] of [
    ["sept", 8],
    ["janner", 0],
    ["marz", 2],
    ["maerz", 2],
  ] as const) {
    months.set(name, month);
  }
  // 2023-01-01 was a Sunday.
  const weekdays = calendarNames("weekday", 7, (at) => new Date(Date.UTC(2023, 0, 1 + at)));
  for (const [name, day] of [
    ["tues", 2],
    ["thur", 4],
    ["thurs", 4],
  ] as const)
    weekdays.set(name, day);
  // Words of other languages.
  for (const name of ["so", "do", "mi"]) weekdays.delete(name);

  const byLength = (names: Iterable<string>): string =>
    [...names].toSorted((a, b) => b.length - a.length).join("|");
  const month = `(?<month>${byLength(months.keys())})\\.?`;
  const day = "(?<day>\\d{1,2})(?:st|nd|rd|th|er|\\.|º)?";
  const year = "(?<year>\\d{4})";
  const begin = "(?<![\\p{L}\\p{N}.,/-])";
  const end = "(?![\\p{L}\\p{N}])";
  return {
    months,
    weekdays,
    patterns: [
      `${begin}${year}[-/.](?<m>\\d{1,2})[-/.](?<d>\\d{1,2})(?:T[\\d:.]+Z?)?${end}`,
      `${begin}(?<a>\\d{1,2})(?<separator>[./-])(?<b>\\d{1,2})\\k<separator>(?<shortyear>\\d{4}|\\d{2})${end}`,
      `(?<year>\\d{4})年(?<m>\\d{1,2})月(?:(?<d>\\d{1,2})日)?`,
      `(?<m>\\d{1,2})月(?<d>\\d{1,2})日`,
      `(?<![\\p{L}\\p{N}])${day} ?(?:of |de |d')?${month}(?:,? (?:de |del |of )?${year})?${end}`,
      `(?<![\\p{L}\\p{N}])${month} (?:the )?${day}(?:,? ${year})?${end}(?![.,:]\\d)`,
      `(?<![\\p{L}\\p{N}])${month},? (?:of |de |del )?${year}${end}`,
    ].map((source) => new RegExp(source, "giu")),
    loneMonth: new RegExp(`(?<![\\p{L}\\p{N}])${month}${end}`, "giu"),
    weekday: new RegExp(
      `(?<![\\p{L}\\p{N}])(?<weekday>${byLength(weekdays.keys())})s?\\.?${end}`,
      "giu",
    ),
  };
}

const TIME =
  /(?<![\p{L}\p{N}.,:])(?<hour>\d{1,2})(?:(?:[:h]|\.(?=\d\d ?(?:uhr|[ap]\.?m)))(?<minute>\d{2})(?::\d{2})?(?: ?(?<half>[ap])\.?m\b\.?| ?uhr\b)?| ?(?<half2>[ap])\.?m\b\.?| ?(?:uhr|o'clock)\b)(?![\p{N}])/giu;
const PREPOSITION =
  /\b(?:in|since|until|till|from|by|of|early|late|mid|before|after|through|to|im|seit|bis|ab|anfang|ende|mitte|en|de|depuis|jusqu'en)[ -]$/i;

/**
 * @param folded a text with its signs folded (`foldSigns`) and without marks above letters that change names of
 *   months: every UTF-16 unit at its place
 */
export function datesOf(folded: string): readonly DateClaim[] {
  const text = withoutMarks(folded);
  const { patterns, loneMonth, weekday: weekdayPattern, weekdays } = calendar();
  const found: DateClaim[] = [];
  const taken = new Uint8Array(text.length);
  const isTaken = (start: number, end: number): boolean => taken.subarray(start, end).includes(1);
  const add = (match: RegExpMatchArray, readings: readonly DateReading[]): void => {
    const start = match.index ?? 0;
    const end = start + match[0].length;
    if (readings.length === 0 || isTaken(start, end)) return;
    taken.fill(1, start, end);
    found.push({ text: folded.slice(start, end), start, end, readings });
  };
  for (const pattern of patterns) {
    for (const match of text.matchAll(pattern)) add(match, readingsOf(match.groups ?? {}));
  }
  for (const match of text.matchAll(TIME)) add(match, timesOf(match.groups ?? {}));
  for (const match of text.matchAll(loneMonth)) {
    if (isName(folded, match)) add(match, [{ month: monthOf(match.groups?.["month"]) }]);
  }
  for (const match of text.matchAll(weekdayPattern)) {
    const weekday = weekdays.get(foldLetters(match.groups?.["weekday"] ?? ""));
    if (weekday !== undefined && /^\p{Lu}/u.test(match[0])) add(match, [{ weekday }]);
  }
  return found.toSorted((a, b) => a.start - b.start);
}

/** `May` and `March` are other words as well; a short name without a number is too little. */
function isName(text: string, match: RegExpMatchArray): boolean {
  const at = match.index ?? 0;
  const name = match[0].replace(/\.$/, "");
  if (!/^\p{Lu}/u.test(text.slice(at)) || name.length < 3) return false;
  if (name.length > 4 && !/^march$/i.test(name)) return true;
  return PREPOSITION.test(text.slice(Math.max(0, at - 16), at));
}

function withoutMarks(text: string): string {
  return text.replace(/[^\p{ASCII}]/gu, (letter) => {
    const plain = letter.normalize("NFKD").replace(/\p{M}/gu, "");
    return plain.length === letter.length ? plain : letter;
  });
}

const monthOf = (name: string | undefined): number =>
  (calendar().months.get(foldLetters(name ?? "")) ?? -1) + 1;

/** Whether a text begins with the name of a month. */
export function isMonth(text: string): boolean {
  return calendar().months.has(foldLetters(/^\p{L}+/u.exec(text)?.[0] ?? ""));
}

function readingsOf(groups: { readonly [name: string]: string }): readonly DateReading[] {
  const { year, m, d, a, b, separator, shortyear, month, day } = groups;
  if (shortyear !== undefined) {
    const years =
      shortyear.length === 4 ? [Number(shortyear)] : [2000, 1900].map((c) => c + Number(shortyear));
    const [first, second] = [Number(a), Number(b)];
    const european = years.map((y) => ({ year: y, month: second, day: first }));
    const american = years.map((y) => ({ year: y, month: first, day: second }));
    return (separator === "." ? european : [...european, ...american]).filter(isPossible);
  }
  const reading = {
    ...(year !== undefined && { year: Number(year) }),
    ...(month !== undefined && { month: monthOf(month) }),
    ...(m !== undefined && { month: Number(m) }),
    ...((day ?? d) !== undefined && { day: Number(day ?? d) }),
  };
  return isPossible(reading) ? [reading] : [];
}

function isPossible({ month = 1, day = 1 }: DateReading): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

function timesOf(groups: { readonly [name: string]: string }): readonly DateReading[] {
  const { hour, minute = "0", half, half2 } = groups;
  const suffix = (half ?? half2)?.toLowerCase();
  const hours = Number(hour);
  if (hours > 24 || Number(minute) > 59) return [];
  const shifted = suffix === undefined ? hours : (hours % 12) + (suffix === "p" ? 12 : 0);
  return [{ minutes: (shifted % 24) * 60 + Number(minute) }];
}

/**
 * Whether the cited date says the claimed one.
 * @param years that stand in the cited lines beside it
 */
export function isSameDate(
  claimed: DateReading,
  cited: DateReading,
  years: ReadonlySet<number>,
): boolean {
  const keys = ["month", "day", "weekday", "minutes"] as const;
  if (!keys.every((key) => claimed[key] === undefined || claimed[key] === cited[key])) return false;
  const { year } = claimed;
  if (year === undefined) return true;
  return cited.year === undefined ? years.has(year) : cited.year === year;
}
