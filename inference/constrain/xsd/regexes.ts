/** Regular expressions of grammars, put together by hand. */
import type { Regex } from "../grammar.ts";

/** Code points, both ends included. */
export type Range = readonly [from: number, to: number];

export const MAX_CODE_POINT = 0x10ffff;

export function literal(text: string): Regex {
  return { type: "bytes", bytes: new TextEncoder().encode(text) };
}

/** One character out of ranges. */
export function set(ranges: readonly Range[]): Regex {
  return { type: "set", ranges };
}

/** One of the characters of a text. */
export function oneOf(characters: string): Regex {
  return set(mergeRanges([...characters].map((one) => [codeOf(one), codeOf(one)])));
}

/** One character from … to. */
export function between(from: string, to: string): Regex {
  return set([[codeOf(from), codeOf(to)]]);
}

export function concat(parts: readonly Regex[]): Regex {
  return parts.length === 1 ? (parts[0] as Regex) : { type: "concat", parts };
}

export function alternatives(options: readonly Regex[]): Regex {
  return options.length === 1 ? (options[0] as Regex) : { type: "alternatives", options };
}

export function repeat(item: Regex, min: number, max: number | null): Regex {
  return { type: "repeat", item, min, max };
}

export function optional(item: Regex): Regex {
  return repeat(item, 0, 1);
}

/** What all of them match; of one, itself. */
export function all(parts: readonly Regex[]): Regex {
  return parts.length === 1 ? (parts[0] as Regex) : { type: "and", parts };
}

export function codeOf(character: string): number {
  return character.codePointAt(0) as number;
}

/** The same characters as ranges in order that do not touch. */
export function mergeRanges(ranges: readonly Range[]): readonly Range[] {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

export function intersectRanges(a: readonly Range[], b: readonly Range[]): readonly Range[] {
  const both = a.flatMap(([from, to]) =>
    b.flatMap(([otherFrom, otherTo]): Range[] => {
      const [first, last] = [Math.max(from, otherFrom), Math.min(to, otherTo)];
      return first <= last ? [[first, last]] : [];
    }),
  );
  return mergeRanges(both);
}

/** All code points but these. */
export function complementRanges(ranges: readonly Range[]): readonly Range[] {
  const rest: Range[] = [];
  let next = 0;
  for (const [from, to] of mergeRanges(ranges)) {
    if (from > next) rest.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= MAX_CODE_POINT) rest.push([next, MAX_CODE_POINT]);
  return rest;
}
