/**
 * Regular languages over Unicode scalar values: constructors that simplify as they build. Languages of
 * the content of a string are built of these, before any spelling in JSON.
 */
import { complementRanges, normaliseRanges, type Range } from "../character-ranges.ts";
import type { Regex } from "../grammar.ts";

/** The language without any text. */
export const NOTHING: Regex = { type: "alternatives", options: [] };
/** The language of the empty text alone. */
export const EMPTY: Regex = { type: "concat", parts: [] };
/** One scalar value, any. */
export const ANY: Regex = { type: "set", ranges: complementRanges([]) };
/** Every text. */
export const ANY_TEXT: Regex = { type: "repeat", item: ANY, min: 0, max: null };

export function set(ranges: readonly Range[]): Regex {
  const normal = normaliseRanges(ranges);
  return normal.length === 0 ? NOTHING : { type: "set", ranges: normal };
}

/** A text, character by character. */
export function literal(text: string): Regex {
  return concat(...Array.from(text, (char) => character(char.codePointAt(0) ?? 0)));
}

const characters = new Map<number, Regex>();
const MAX_CHARACTERS = 4096;

function character(code: number): Regex {
  const known = characters.get(code) ?? set([[code, code]]);
  if (characters.size < MAX_CHARACTERS) characters.set(code, known);
  return known;
}

export function concat(...parts: readonly Regex[]): Regex {
  const flat: Regex[] = [];
  for (const part of parts) {
    if (isNothing(part)) return NOTHING;
    if (part.type === "concat") flat.push(...part.parts);
    else flat.push(part);
  }
  const [only] = flat;
  return flat.length === 1 && only !== undefined ? only : { type: "concat", parts: flat };
}

export function either(...options: readonly Regex[]): Regex {
  const flat = new Set<Regex>();
  for (const option of options) {
    if (option.type === "alternatives") for (const inner of option.options) flat.add(inner);
    else flat.add(option);
  }
  const [only] = flat;
  if (flat.size === 1 && only !== undefined) return only;
  return flat.has(ANY_TEXT) ? ANY_TEXT : { type: "alternatives", options: [...flat] };
}

export function repeat(item: Regex, min: number, max: number | null): Regex {
  if (max === 0 || isEmptyText(item)) return EMPTY;
  if (isNothing(item)) return min === 0 ? EMPTY : NOTHING;
  if (min === 1 && max === 1) return item;
  if (item === ANY && min === 0 && max === null) return ANY_TEXT;
  return { type: "repeat", item, min, max };
}

export const optional = (item: Regex): Regex => repeat(item, 0, 1);

export function both(...parts: readonly Regex[]): Regex {
  const flat = new Set<Regex>();
  for (const part of parts) {
    if (isNothing(part)) return NOTHING;
    if (part === ANY_TEXT) continue;
    if (part.type === "and") for (const inner of part.parts) flat.add(inner);
    else flat.add(part);
  }
  const [only] = flat;
  if (flat.size === 0) return ANY_TEXT;
  if (flat.has(EMPTY)) return [...flat].every(isNullable) ? EMPTY : NOTHING;
  return flat.size === 1 && only !== undefined ? only : { type: "and", parts: [...flat] };
}

export function not(item: Regex): Regex {
  if (item.type === "not") return item.item;
  if (isNothing(item)) return ANY_TEXT;
  return item === ANY_TEXT ? NOTHING : { type: "not", item };
}

/** Whether a language is nothing at sight; one that turns out to be is found by `isEmptyLanguage`. */
export function isNothing(regex: Regex): boolean {
  return regex.type === "alternatives" && regex.options.length === 0;
}

function isEmptyText(regex: Regex): boolean {
  return regex.type === "concat" && regex.parts.length === 0;
}

/** Whether the empty text is in a language. */
export function isNullable(regex: Regex): boolean {
  switch (regex.type) {
    case "bytes":
      return regex.bytes.length === 0;
    case "set":
      return false;
    case "concat":
    case "and":
      return regex.parts.every(isNullable);
    case "alternatives":
      return regex.options.some(isNullable);
    case "repeat":
      return regex.min === 0 || isNullable(regex.item);
    case "not":
      return !isNullable(regex.item);
  }
}

/** Whether all texts of a language are shorter than some length, as far as that shows. */
export function isBounded(regex: Regex): boolean {
  switch (regex.type) {
    case "bytes":
    case "set":
      return true;
    case "concat":
      return regex.parts.every(isBounded);
    case "and":
      return regex.parts.some(isBounded);
    case "alternatives":
      return regex.options.every(isBounded);
    case "repeat":
      return regex.max !== null && isBounded(regex.item);
    case "not":
      return false;
  }
}
