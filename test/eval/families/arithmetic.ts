/** Sums too large for the head: the answer must hold the exact number. */
import { fill, type Random } from "../random.ts";
import { FIRST_NAMES, THINGS } from "../words.ts";
import type { Draft } from "./draft.ts";

const PRODUCT = [
  "What does {a} times {b} come to?",
  "I need the product of {a} x {b}.",
  "Multiply out {a} * {b} for me",
  "{a} × {b}, exactly please",
  "What would {a} lots of {b} be?",
];
const SUM = [
  "Please total {a} and {b}.",
  "{a} + {b} makes what?",
  "If I put {a} and {b} together, what number is that?",
  "Add {b} on top of {a}.",
];
const DIFFERENCE = [
  "What is left of {a} once {b} is gone?",
  "{a} - {b}, please.",
  "How far below {a} is {b}?",
  "Take {b} off {a} and tell me the rest.",
];
const DECIMALS = [
  "What's {a} {o} {b}?",
  "Work this out for me: {a} {o} {b}",
  "Could you do {a} {o} {b}?",
  "I would like to know what {a} {o} {b} is.",
];
const PERCENT = [
  "How much is {p}% of {n}?",
  "Take {p} percent of {n}.",
  "What do I get when I work out {p}% of {n}?",
  "{p} percent of {n} is what number?",
];
const POWER = [
  "What is {a} to the power of {b}?",
  "Raise {a} to the exponent {b}.",
  "{a}^{b} = ?",
  "How big is {a} ** {b}?",
];
const SUM_OF_LIST = [
  "Sum up this list: {l}",
  "What do {l} come to altogether?",
  "Add up the following numbers: {l}.",
  "Total of {l}?",
];
const LARGEST = [
  "Which of these numbers is the largest: {l}?",
  "Find the biggest value among {l}.",
  "What's the maximum of {l}?",
];
const COMPARE = [
  "Which one is bigger, {a} or {b}?",
  "What is the larger of {a} and {b}?",
  "Of {a} and {b}, which number is greater?",
];
const STORY = [
  {
    text: "{who} packs {b} {thing}s into each of {a} boxes. How many {thing}s is that altogether?",
    result: (a: number, b: number) => a * b,
  },
  {
    text: "A warehouse had {a} {thing}s and sold {b} of them. How many are still there?",
    result: (a: number, b: number) => a - b,
  },
  {
    text: "{who} owns {a} {thing}s and inherits {b} more. What is the new total?",
    result: (a: number, b: number) => a + b,
  },
];

const KINDS: readonly ((random: Random) => Draft)[] = [
  (r) => whole(r, PRODUCT, r.int(113, 98_765), r.int(12, 8_999), (a, b) => a * b),
  (r) => whole(r, SUM, r.int(1_001, 9_876_543), r.int(1_001, 9_876_543), (a, b) => a + b),
  (r) => whole(r, DIFFERENCE, r.int(500_000, 9_999_999), r.int(1_000, 499_999), (a, b) => a - b),
  (r) => whole(r, POWER, r.int(3, 37), r.int(3, 9), (a, b) => a ** b),
  decimals,
  percentage,
  sumOfList,
  largest,
  comparison,
  story,
];

export function arithmetic(random: Random): Draft {
  return random.pick(KINDS)(random);
}

function whole(
  random: Random,
  phrasings: readonly string[],
  a: number,
  b: number,
  result: (a: bigint, b: bigint) => bigint,
): Draft {
  return answered(fill(random.pick(phrasings), { a, b }), String(result(BigInt(a), BigInt(b))));
}

/** Exact by whole hundredths; the products have at most four places. */
function decimals(random: Random): Draft {
  const a = random.int(101, 99_999);
  const b = random.int(101, 9_999);
  const operator = random.pick(["+", "-", "*"]);
  const result = operator === "+" ? (a + b) * 100 : operator === "-" ? (a - b) * 100 : a * b;
  const values = { a: shown(a, 2), b: shown(b, 2), o: operator };
  return answered(fill(random.pick(DECIMALS), values), shown(result, 4));
}

function percentage(random: Random): Draft {
  const p = random.int(2, 97);
  const n = random.int(40, 90_000);
  return answered(fill(random.pick(PERCENT), { p, n }), shown(p * n, 2));
}

function sumOfList(random: Random): Draft {
  const numbers = Array.from({ length: random.int(4, 8) }, () => random.int(3, 999));
  const total = numbers.reduce((sum, each) => sum + each, 0);
  return answered(fill(random.pick(SUM_OF_LIST), { l: listed(numbers) }), String(total));
}

function largest(random: Random): Draft {
  const numbers = Array.from({ length: random.int(4, 7) }, () => random.int(100, 99_999));
  const l = listed(numbers);
  return answered(fill(random.pick(LARGEST), { l }), String(Math.max(...numbers)));
}

function comparison(random: Random): Draft {
  const a = random.int(1_000, 99_999);
  const b = a + random.pick([-1, 1]) * random.int(1, 900);
  const values = { a: shown(a, 2), b: shown(b, 2) };
  return answered(fill(random.pick(COMPARE), values), shown(Math.max(a, b), 2));
}

function story(random: Random): Draft {
  const { text, result } = random.pick(STORY);
  const a = random.int(210, 9_900);
  const b = random.int(17, 209);
  const values = { a, b, who: random.pick(FIRST_NAMES), thing: random.pick(THINGS) };
  return answered(fill(text, values), String(result(a, b)));
}

function answered(prompt: string, result: string): Draft {
  return { prompt, expect: { final_contains: [result] } };
}

function listed(numbers: readonly number[]): string {
  return numbers.join(", ");
}

/** A number of `10 ** -places` as people write it: no zeros at the end. */
function shown(units: number, places: number): string {
  const sign = units < 0 ? "-" : "";
  const digits = String(Math.abs(units)).padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return `${sign}${digits.slice(0, -places)}${fraction === "" ? "" : `.${fraction}`}`;
}
