/** Calendar work: days between dates, weekdays, dates some days away. */
import { fill, type Random } from "../random.ts";
import { FIRST_NAMES } from "../words.ts";
import type { Draft } from "./draft.ts";

const BETWEEN = [
  "How many days lie from {a} to {b}?",
  "Count the days separating {a} and {b}.",
  "{who} left on {a} and came back on {b}. How many days was that?",
  "What's the gap in days between {a} and {b}?",
  "Between {a} and {b}, how many days go by?",
];
const WEEKDAY = [
  "What weekday was {a}?",
  "Which day of the week does {a} land on?",
  "{who} was born on {a}. On what day of the week was that?",
  "Tell me the weekday for {a}.",
  "Is {a} a Monday, or which day is it?",
];
const LATER = [
  "What date do we have {n} days after {a}?",
  "Starting on {a}, which date is it {n} days later?",
  "Add {n} days to {a}. What is the date?",
];
const EARLIER = [
  "Which date was {n} days before {a}?",
  "Go {n} days back from {a}. What date is it?",
];
const LEAP = ["Is {y} a leap year?", "Does the year {y} have a 29th of February?"];

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAY_MS = 86_400_000;

export function dates(random: Random): Draft {
  const kind = random.int(1, 20);
  if (kind <= 7) return between(random);
  if (kind <= 13) return weekday(random);
  return kind <= 18 ? shifted(random) : leapYear(random);
}

function between(random: Random): Draft {
  const write = style(random);
  const first = day(random);
  const days = random.int(3, random.pick([90, 900, 9_000]));
  const values = {
    a: write(first),
    b: write(new Date(first.getTime() + days * DAY_MS)),
    who: random.pick(FIRST_NAMES),
  };
  return answered(fill(random.pick(BETWEEN), values), String(days));
}

function weekday(random: Random): Draft {
  const date = day(random);
  const values = { a: style(random)(date), who: random.pick(FIRST_NAMES) };
  return answered(fill(random.pick(WEEKDAY), values), WEEKDAYS[date.getUTCDay()] ?? "");
}

/** Asked with ISO dates only, so that the way to write the answer is no matter of taste. */
function shifted(random: Random): Draft {
  const from = day(random);
  const n = random.int(5, random.pick([80, 700]));
  const back = random.chance(0.35);
  const to = new Date(from.getTime() + (back ? -n : n) * DAY_MS);
  const prompt = fill(random.pick(back ? EARLIER : LATER), { a: iso(from), n });
  return answered(prompt, iso(to));
}

function leapYear(random: Random): Draft {
  const y = random.int(1880, 2180);
  const leap = new Date(Date.UTC(y, 1, 29)).getUTCDate() === 29;
  return answered(fill(random.pick(LEAP), { y }), leap ? "Yes" : "No");
}

function answered(prompt: string, result: string): Draft {
  return { prompt, expect: { final_contains: [result] } };
}

function day(random: Random): Date {
  return new Date(Date.UTC(random.int(1925, 2075), random.int(0, 11), random.int(1, 28)));
}

function style(random: Random): (date: Date) => string {
  return random.pick([iso, iso, iso, dayFirst, dayFirst, monthFirst, monthFirst]);
}

function iso(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function dayFirst(date: Date): string {
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

function monthFirst(date: Date): string {
  return `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}`;
}
