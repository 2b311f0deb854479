/** Sums as people type them without thinking, and conversions that need knowledge the model does not have. */
import { fill, type Random } from "../random.ts";
import type { Draft } from "./draft.ts";

const COMMON_DIVISOR = ["largest common divisor of {a} and {b}?", "{a} and {b}: gcd please"];
const FACTORIAL = ["{n} factorial is what?", "How large is {n}!?"];
const TO_TWO = ["Cut {a} / {b} down to two decimals, rounded.", "{a} / {b}, but only two decimals"];
const TENTHS = ["{a}+{b}", "{a} + {b} is?", "quick: {a} + {b}"];
const UNITS = [
  "How long is {n} km in miles?",
  "Make {n} ounces grams for me.",
  "How many dollars are {n} rupees?",
];

const KINDS: readonly ((random: Random) => Draft)[] = [
  commonDivisor,
  factorial,
  toTwo,
  tenths,
  units,
];

export function everyday(random: Random): Draft {
  return random.pick(KINDS)(random);
}

function commonDivisor(random: Random): Draft {
  const factor = random.int(2, 60);
  const a = factor * random.int(2, 40);
  const b = factor * random.int(2, 40);
  const gcd = (x: number, y: number): number => (y === 0 ? x : gcd(y, x % y));
  return answered(fill(random.pick(COMMON_DIVISOR), { a, b }), String(gcd(a, b)));
}

function factorial(random: Random): Draft {
  const n = random.int(4, 17);
  const result = Array.from({ length: n }, (_, at) => at + 1).reduce(
    (product, i) => product * i,
    1,
  );
  return answered(fill(random.pick(FACTORIAL), { n }), String(result));
}

function toTwo(random: Random): Draft {
  const b = random.pick([3, 7, 9, 11, 13, 23]);
  const a = random.int(200, 9_000) * b + random.int(1, b - 1);
  return answered(fill(random.pick(TO_TWO), { a, b }), String(Math.round((a / b) * 100) / 100));
}

function tenths(random: Random): Draft {
  const a = random.int(1, 99);
  const b = random.int(1, 99);
  const shown = (value: number): string => `${Math.floor(value / 10)}.${value % 10}`;
  const prompt = fill(random.pick(TENTHS), { a: shown(a), b: shown(b) });
  return answered(prompt, shown(a + b));
}

function units(random: Random): Draft {
  const prompt = fill(random.pick(UNITS), { n: random.int(3, 900) });
  return { prompt, expect: { final_contains: ["can", "not"], calls: [] } };
}

function answered(prompt: string, result: string): Draft {
  return { prompt, expect: { final_contains: [result], calls: [{ recipient: "python" }] } };
}
