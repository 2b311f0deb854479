/**
 * Whether cited lines say what a sentence says, as far as that can be told by its numbers, dates and names. What is
 * said otherwise (more, less, not) is not understood.
 */
import { isComputed, listedItems } from "./computed.ts";
import { type DateClaim, type DateReading, datesOf, isSameDate } from "./dates.ts";
import { foldSigns } from "./fold.ts";
import { hasName, isGerman, type NameClaim, type NamedText, namedText, namesOf } from "./names.ts";
import { otherNumberWords } from "./number-words.ts";
import { isSameQuantity, type Quantity, quantitiesOf } from "./numbers.ts";
import { hasCommonWords } from "./overlap.ts";

/** What a sentence claims and its lines do not say. Offsets are those of the sentence. */
export type Missing = {
  readonly text: string;
  readonly start: number;
  readonly isComputed: boolean;
};

export type ClaimingSentence = {
  /** With its signs folded. */
  readonly text: string;
  /** Up to here stands a label. */
  readonly labelEnd: number;
};

/** Cited lines, read once for all sentences that cite them. */
export type CitedText = {
  readonly raw: string;
  readonly quantities: readonly Quantity[];
  /** Numbers that stand in dates, ordinals and the like: they count without a unit. */
  readonly otherNumbers: ReadonlySet<number>;
  readonly dates: readonly DateReading[];
  readonly years: ReadonlySet<number>;
  readonly named: NamedText;
  readonly items: number;
  /** Times of day, in minutes. */
  readonly minutes: readonly number[];
};

/**
 * @param text the cited lines
 * @param context what stands above them: the title of the page and its headings. It may name what the lines are about.
 */
export function citedText(text: string, context: string): CitedText {
  const folded = foldSigns(text);
  const claims = datesOf(folded);
  const dates = claims.flatMap(({ readings }) => readings);
  const quantities = quantitiesOf(folded);
  const above = foldSigns(context);
  const years = new Set(
    [...quantities, ...quantitiesOf(above)].flatMap(({ values }) => values.filter(isYear)),
  );
  for (const { year } of dates) if (year !== undefined) years.add(year);
  return {
    raw: text,
    quantities,
    otherNumbers: new Set([...otherNumberWords(folded), ...dates.flatMap(numbersOf)]),
    dates: [...dates, ...datesOf(above).flatMap(({ readings }) => readings)],
    years,
    named: namedText(`${context}\n${text}`),
    items: listedItems(text),
    minutes: dates.flatMap(({ minutes = null }) => (minutes === null ? [] : [minutes])),
  };
}

/**
 * @param isKnownName whether a word at the beginning of a sentence is a name elsewhere
 * @returns what is missing, in the order of the sentence; nothing where all of it is there
 */
export function missingClaims(
  { text, labelEnd }: ClaimingSentence,
  cited: CitedText,
  isKnownName: (word: string) => boolean,
): readonly Missing[] {
  const dates = datesOf(text);
  const measured = quantitiesOf(without(text, dates)).filter((each) => /\p{L}/u.test(each.text));
  const names = namesOf(without(text, measured), {
    isGerman: isGerman(text),
    labelEnd,
    isKnownName,
  }).filter(({ start, end }) => !dates.some((date) => start < date.end && end > date.start));
  const quantities = quantitiesOf(without(text, [...dates, ...names])).filter(
    ({ isWord, start }) => !(isWord && REFERENCE.test(text.slice(0, start))),
  );
  const missing = [
    ...dates.filter((date) => !hasDate(date, cited)).map((date) => told(date, false)),
    ...names.filter((name) => !hasName(name, cited.named)).map((name) => told(name, false)),
    ...quantities
      .filter((quantity) => !hasQuantity(quantity, cited))
      .map((quantity) => {
        const others = dates.length + quantities.length - 1;
        return told(quantity, isComputed(quantity, text, others, cited));
      }),
  ];
  const hasClaims = dates.length + names.length + quantities.length > 0;
  if (!hasClaims && !hasCommonWords(text, cited.raw)) {
    const shown = text.replace(/\s+/g, " ").trim().slice(0, SHOWN_CHARACTERS);
    return [{ text: `“${shown}”`, start: 0, isComputed: false }];
  }
  return missing.toSorted((a, b) => a.start - b.start);
}

const SHOWN_CHARACTERS = 60;
/** `the two years` counts nothing, it refers to what was said. */
const REFERENCE =
  /\b(?:the|these|those|all|both|other|first|last|next|its|their|die|diese|alle|beiden|les|ces|los|las) $/iu;

function told({ text, start }: DateClaim | NameClaim | Quantity, computed: boolean): Missing {
  return { text: text.replace(/\s+/g, " ").trim(), start, isComputed: computed };
}

function hasDate({ readings }: DateClaim, { dates, years, quantities }: CitedText): boolean {
  return readings.some((claimed) => {
    if (dates.some((each) => isSameDate(claimed, each, years))) return true;
    const { minutes } = claimed;
    // `11 to 16` is said by `11:00 to 16:00`, and the other way round.
    if (minutes === undefined || minutes % 60 !== 0) return false;
    const hours = [minutes / 60, (minutes / 60) % 12];
    return quantities.some(({ values }) => values.some((value) => hours.includes(value)));
  });
}

function hasQuantity(claimed: Quantity, { quantities, otherNumbers, years }: CitedText): boolean {
  if (quantities.some((each) => isSameQuantity(claimed, each))) return true;
  if (claimed.unit !== undefined && !COUNTED.has(claimed.unit.dimension)) return false;
  return claimed.values.some(
    (value) => otherNumbers.has(value) || (isYear(value) && years.has(value)),
  );
}

/** What ordinals, parts and days say as well. */
const COUNTED: ReadonlySet<string> = new Set(["years", "months", "time", "share"]);

function numbersOf({ year, day, month, minutes }: DateReading): readonly number[] {
  const hours =
    minutes === undefined || minutes % 60 !== 0 ? [] : [minutes / 60, (minutes / 60) % 12];
  return [year, day, month, ...hours].filter((each) => each !== undefined);
}

function isYear(value: number): boolean {
  return Number.isInteger(value) && value >= 1000 && value <= 2200;
}

/** The same text with parts of it as spaces. */
function without(
  text: string,
  parts: readonly { readonly start: number; readonly end: number }[],
): string {
  const kept: string[] = [];
  let at = 0;
  for (const { start, end } of parts.toSorted((a, b) => a.start - b.start)) {
    if (end <= at) continue;
    kept.push(text.slice(at, Math.max(at, start)), " ".repeat(end - Math.max(at, start)));
    at = end;
  }
  return kept.join("") + text.slice(at);
}
