import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Regex } from "../../../../inference/constrain/grammar.ts";
import { matches } from "../../../../inference/constrain/json-schema/language.ts";
import {
  ALL_NUMBERS,
  isIn,
  type NumberSet,
  numberLanguage,
} from "../../../../inference/constrain/json-schema/numbers.ts";

/** The same expression over characters, which the texts of numbers are. */
function overCharacters(regex: Regex): Regex {
  switch (regex.type) {
    case "bytes":
      return {
        type: "concat",
        parts: [...regex.bytes].map((byte) => ({ type: "set", ranges: [[byte, byte]] })),
      };
    case "set":
      return regex;
    case "concat":
    case "and":
      return { ...regex, parts: regex.parts.map(overCharacters) };
    case "alternatives":
      return { ...regex, options: regex.options.map(overCharacters) };
    case "repeat":
    case "not":
      return { ...regex, item: overCharacters(regex.item) };
  }
}

const bound = fc.record({
  value: fc.oneof(
    fc.integer({ min: -300, max: 300 }),
    fc.constantFrom(0.1, -0.1, 0.3, 1.5, -2.25, 1e-7, 1e21, 99.999, 2 ** 53),
  ),
  exclusive: fc.boolean(),
});
const numberSet = fc.record({
  only: fc.constantFrom<NumberSet["only"]>("all", "integers", "fractions"),
  low: fc.option(bound, { nil: ALL_NUMBERS.low }),
  high: fc.option(bound, { nil: ALL_NUMBERS.high }),
  multiples: fc.oneof(
    fc.constant<readonly number[]>([]),
    fc
      .constantFrom(1, 2, 3, 5, 7, 10, 12, 25, 60, 0.01, 0.5, 0.25, 1.5)
      .map((one): readonly number[] => [one]),
  ),
  values: fc.constant(undefined),
});
const value = fc.oneof(
  fc.integer({ min: -400, max: 400 }),
  fc.integer({ min: -4000, max: 4000 }).map((cents) => cents / 100),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0.30000000000000004, 0.29999999999999999, 1e21, 9007199254740991, 1e-7),
);
const spelled = fc
  .tuple(value, fc.constantFrom("shortest", "fixed", "exponent"))
  .map(([number, how]) => {
    if (how === "fixed" && Math.abs(number) < 1e15) return number.toFixed(3);
    return how === "exponent" ? number.toExponential() : JSON.stringify(number);
  });

/** An integer that a double does not hold as it is written, which the validator refuses. */
const losesDigits = (text: string): boolean =>
  /^-?\d+(\.0+)?$/.test(text) && BigInt(text.replace(/\..*/, "")) !== BigInt(Number(text));

describe("the texts of a set of numbers", () => {
  test("stand for numbers of the set only", () => {
    fc.assert(
      fc.property(numberSet, fc.array(spelled, { minLength: 6, maxLength: 6 }), (set, texts) => {
        const { regex, unchecked } = numberLanguage(set);
        const language = overCharacters(regex);
        for (const text of texts.filter((one) => matches(language, one))) {
          const checked = {
            ...set,
            multiples: set.multiples.filter((one) => !unchecked.includes(one)),
          };
          expect({ text, isIn: isIn(checked, Number(text)), lost: losesDigits(text) }).toEqual({
            text,
            isIn: true,
            lost: false,
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  test("include the shortest one of each number, but for extremes", () => {
    fc.assert(
      fc.property(numberSet, fc.array(value, { minLength: 6, maxLength: 6 }), (set, values) => {
        const language = overCharacters(numberLanguage(set).regex);
        for (const one of values) {
          const text = JSON.stringify(one);
          // With exponents only whole decades are between bounds, and no multiples.
          if (!isIn(set, one) || /e/.test(text) || losesDigits(text)) continue;
          // Numbers that are nearly whole are left out where only fractions are meant.
          if (set.only === "fractions" && !/^-?\d{1,9}\.(?!0{6}|9{6})/.test(text)) continue;
          // Rounding makes some fractions multiples that are none.
          if (set.multiples.some((step) => !isExact(one, step))) continue;
          expect({ text, set, found: matches(language, text) }).toEqual({ text, set, found: true });
        }
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    [{}, "1e21 1.5e+300 -2E-7 0.1 -0.5 12 9007199254740992", "01 1. .5 +1 1e999 9007199254740993"],
    [{ only: "integers" }, "0 -7 7.0 1e21 3e5 1.5e+21", "7.5 1.5e1 1e-3"],
    [{ low: { value: 5, exclusive: false } }, "5 5.0 6 1e1 7e300", "4 4.999 3 -6 4e0"],
    [{ low: { value: 10, exclusive: false } }, "10 10.5 100", "9.99 3 1"],
    [
      { low: { value: 0, exclusive: true }, high: { value: 1, exclusive: true } },
      "0.5 0.000001 0.9999999999999999 1e-7",
      "0 1 0.0 1.0 0.99999999999999999999",
    ],
    [{ high: { value: 0.3, exclusive: false } }, "0.3 0.30 0.2999", "0.30000000000000004 0.31"],
    [{ multiples: [0.01] }, "0.01 12.5 3 100.25", "0.001 12.345"],
    [{ multiples: [12], only: "integers" }, "0 12 24 -36 120.0", "1 6 13 20"],
    [{ multiples: [1.5] }, "1.5 3 4.50 -7.5", "1 35 2.5 0.5"],
  ] as const)("%j has %s, and none of %s", (part, yes, no) => {
    const language = overCharacters(
      numberLanguage({ ...ALL_NUMBERS, ...(part as Partial<NumberSet>) }).regex,
    );
    for (const text of yes.split(" "))
      expect([text, matches(language, text)]).toEqual([text, true]);
    for (const text of no.split(" "))
      expect([text, matches(language, text)]).toEqual([text, false]);
  });
});

/** Whether a decimal number is a multiple as it is written. */
function isExact(one: number, step: number): boolean {
  const scale = 10 ** 6;
  const scaled = one * scale;
  return Number.isSafeInteger(scaled) && scaled % Math.round(step * scale) === 0;
}

test("bounds beyond the safe integers come to an end", () => {
  const bound = { value: 1e300, exclusive: false };
  const set = {
    only: "integers",
    low: bound,
    high: bound,
    multiples: [3],
    values: undefined,
  } as const;
  expect(numberLanguage(set).regex).toBeDefined();
});
