/** Sets of strings as a schema describes them. */
import type { Regex } from "../grammar.ts";
import { isEmptyLanguage, matches } from "./language.ts";
import { ANY, ANY_TEXT, both, either, literal, repeat } from "./regex.ts";

export type StringSet = {
  /** When given, only these of them. */
  readonly values: readonly string[] | undefined;
  /** All of these hold. */
  readonly languages: readonly Regex[];
  /** In code points. */
  readonly minLength: number;
  readonly maxLength: number;
};

export const ALL_STRINGS: StringSet = {
  values: undefined,
  languages: [],
  minLength: 0,
  maxLength: Number.POSITIVE_INFINITY,
};

/** Undefined: no string is in both. */
export function intersectStrings(a: StringSet, b: StringSet): StringSet | undefined {
  const merged: StringSet = {
    values: undefined,
    languages: [...new Set([...a.languages, ...b.languages])],
    minLength: Math.max(a.minLength, b.minLength),
    maxLength: Math.min(a.maxLength, b.maxLength),
  };
  if (merged.minLength > merged.maxLength) return undefined;
  const values = a.values ?? b.values;
  if (values === undefined) return merged;
  const inB = b.values === undefined ? undefined : new Set(b.values);
  const kept = values.filter(
    (value) => isStringIn(merged, value) && (inB === undefined || inB.has(value)),
  );
  // What is left has been held against the rest.
  return kept.length === 0 ? undefined : { ...ALL_STRINGS, values: kept };
}

function isStringIn(strings: StringSet, text: string): boolean {
  const { values, languages, minLength, maxLength } = strings;
  if (values !== undefined && !values.includes(text)) return false;
  const length = minLength === 0 && maxLength === Infinity ? 0 : Array.from(text).length;
  if (length < minLength || length > maxLength) return false;
  return languages.every((language) => matches(language, text));
}

/** The texts of a set, as a language over characters. */
export function stringLanguage(strings: StringSet): Regex {
  const { values, languages, minLength, maxLength } = strings;
  if (values !== undefined) {
    const own = either(...values.map(literal));
    return languages.length === 0 ? own : both(own, ...languages);
  }
  const max = maxLength === Infinity ? null : maxLength;
  const lengths = minLength === 0 && max === null ? ANY_TEXT : repeat(ANY, minLength, max);
  return both(...languages, lengths);
}

export function hasNoString(strings: StringSet): boolean {
  return strings.languages.length > 0 && isEmptyLanguage(stringLanguage(strings));
}
