/** Regular expressions of grammars, put together by hand. */
import { normaliseRanges, type Range } from "../character-ranges.ts";
import type { Regex } from "../grammar.ts";

export function literal(text: string): Regex {
  return { type: "bytes", bytes: new TextEncoder().encode(text) };
}

/** One character out of ranges. */
export function set(ranges: readonly Range[]): Regex {
  return { type: "set", ranges };
}

/** One of the characters of a text. */
export function oneOf(characters: string): Regex {
  return set(normaliseRanges([...characters].map((one) => [codeOf(one), codeOf(one)])));
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
