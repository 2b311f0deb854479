/** Numbers of bodies. Outside of bounds they mean nothing, and some would be kept in 32 bits. */
import type { Schema } from "./check.ts";
import { integer, maxValue, minValue, nullish, number, pipe } from "./valibot.ts";

type Given = Schema<number | null | undefined>;

/** A whole number that fits into 32 bits, or nothing. */
export function count(min: number): Given {
  return nullish(pipe(number(), integer(), minValue(min), maxValue(2 ** 31 - 1)));
}

/** A number within bounds, or nothing. */
export function within(min: number, max: number): Given {
  return nullish(pipe(number(), minValue(min), maxValue(max)));
}

/** A whole number that a double holds, or nothing. */
export const seed: Given = nullish(
  pipe(number(), integer(), minValue(-(2 ** 53)), maxValue(2 ** 53)),
);

/** Stop strings: more are nothing that a program needs, and each is looked for at every token. */
export const MAX_STOPS = 64;
