/**
 * Sets of JSON values in a normal form: a union of sets of one type each. Values inside of arrays and objects
 * are expressions, conjunctions of schemas that are looked at when they are needed, so that schemas may
 * contain themselves.
 */
import type { Regex } from "../grammar.ts";
import { ALL_NUMBERS, intersectNumbers, type NumberSet } from "./numbers.ts";
import { ALL_STRINGS, intersectStrings, type StringSet } from "./strings.ts";

/**
 * The values that pass all of some schemas, or fail them where negative: place + 1 and its negative, in
 * ascending order. Empty: every value.
 */
export type Expression = readonly number[];

export type Contained = {
  readonly item: Expression;
  readonly min: number;
  readonly max: number;
};

export type ArraySet = {
  readonly prefix: readonly Expression[];
  readonly rest: Expression;
  readonly min: number;
  readonly max: number;
  readonly unique: boolean;
  readonly contains: readonly Contained[];
  /** How many items from the left a schema has looked at, as `unevaluatedItems` wants to know. */
  readonly evaluated: number;
};

/** What one schema says about the properties of an object. */
export type Layer = {
  readonly properties: ReadonlyMap<string, Expression>;
  readonly patterns: readonly { readonly names: Regex; readonly value: Expression }[];
  /** All others; undefined: nothing is said about them. */
  readonly others: Expression | undefined;
  /** The layer does not count for `unevaluatedProperties`. */
  readonly silent: boolean;
};

export type ObjectSet = {
  readonly layers: readonly Layer[];
  readonly required: readonly string[];
  /** Each holds for every name. */
  readonly names: readonly Expression[];
  readonly min: number;
  readonly max: number;
  /** If there is a property of that name, then also those. */
  readonly implications: readonly {
    readonly name: string;
    readonly needs: readonly string[];
  }[];
};

export type ValueSet =
  | { readonly type: "null" }
  | { readonly type: "boolean"; readonly values: readonly boolean[] }
  | { readonly type: "number"; readonly set: NumberSet }
  | { readonly type: "string"; readonly set: StringSet }
  | { readonly type: "array"; readonly set: ArraySet }
  | { readonly type: "object"; readonly set: ObjectSet };

export type ValueType = ValueSet["type"];

/** Every value. */
export const ANYTHING: Expression = [];

export const ALL_ARRAYS: ArraySet = {
  prefix: [],
  rest: ANYTHING,
  min: 0,
  max: Number.POSITIVE_INFINITY,
  unique: false,
  contains: [],
  evaluated: 0,
};

export const ALL_OBJECTS: ObjectSet = {
  layers: [],
  required: [],
  names: [],
  min: 0,
  max: Number.POSITIVE_INFINITY,
  implications: [],
};

/** All values of each type. */
export const ALL: Readonly<Record<ValueType, ValueSet>> = {
  null: { type: "null" },
  boolean: { type: "boolean", values: [true, false] },
  number: { type: "number", set: ALL_NUMBERS },
  string: { type: "string", set: ALL_STRINGS },
  array: { type: "array", set: ALL_ARRAYS },
  object: { type: "object", set: ALL_OBJECTS },
};

export const EVERYTHING: readonly ValueSet[] = Object.values(ALL);

/** Both hold. `never` is the expression that no value has. */
export function conjunction(a: Expression, b: Expression, never: Expression): Expression {
  if (a.length === 0 || a === b) return b;
  if (b.length === 0) return a;
  const all = [...new Set([...a, ...b])].sort((x, y) => x - y);
  const has = new Set(all);
  const [none] = never;
  return all.some((one) => one === none || has.has(-one)) ? never : all;
}

/** Undefined: no value is in both at sight. */
export function intersectSets(a: ValueSet, b: ValueSet, never: Expression): ValueSet | undefined {
  if (a.type === "null" && b.type === "null") return a;
  if (a.type === "boolean" && b.type === "boolean") {
    const values = a.values.filter((value) => b.values.includes(value));
    return values.length === 0 ? undefined : { type: "boolean", values };
  }
  if (a.type === "number" && b.type === "number") {
    const set = intersectNumbers(a.set, b.set);
    return set && { type: "number", set };
  }
  if (a.type === "string" && b.type === "string") {
    const set = intersectStrings(a.set, b.set);
    return set && { type: "string", set };
  }
  if (a.type === "array" && b.type === "array") {
    const set = intersectArrays(a.set, b.set, never);
    return set && { type: "array", set };
  }
  if (a.type === "object" && b.type === "object") {
    const set = intersectObjects(a.set, b.set);
    return set && { type: "object", set };
  }
  return undefined;
}

function intersectArrays(a: ArraySet, b: ArraySet, never: Expression): ArraySet | undefined {
  const length = Math.max(a.prefix.length, b.prefix.length);
  const prefix = Array.from({ length }, (_, index) =>
    conjunction(a.prefix[index] ?? a.rest, b.prefix[index] ?? b.rest, never),
  );
  const min = Math.max(a.min, b.min);
  const max = Math.min(a.max, b.max);
  if (min > max) return undefined;
  return {
    prefix,
    rest: conjunction(a.rest, b.rest, never),
    min,
    max,
    unique: a.unique || b.unique,
    contains: [...a.contains, ...b.contains],
    evaluated: Math.max(a.evaluated, b.evaluated),
  };
}

function intersectObjects(a: ObjectSet, b: ObjectSet): ObjectSet | undefined {
  const required = [...new Set([...a.required, ...b.required])];
  const min = Math.max(a.min, b.min);
  const max = Math.min(a.max, b.max);
  if (min > max || required.length > max) return undefined;
  return {
    layers: [...new Set([...a.layers, ...b.layers])],
    required,
    names: [...a.names, ...b.names],
    min,
    max,
    implications: [...a.implications, ...b.implications],
  };
}

/** The same union with fewer members, where that is easy to see. */
export function simplifyUnion(sets: readonly ValueSet[]): readonly ValueSet[] {
  if (sets.length < 2) return sets;
  const kept: ValueSet[] = [];
  const booleans = new Set<boolean>();
  const strings = new Set<string>();
  const numbers = new Set<number>();
  const whole = new Set(sets.filter((one) => isWhole(one)).map(({ type }) => type));
  for (const type of whole) kept.push(ALL[type]);
  for (const one of sets) {
    if (whole.has(one.type)) continue;
    if (one.type === "boolean") for (const value of one.values) booleans.add(value);
    else if (one.type === "string" && isList(one.set)) {
      for (const value of one.set.values ?? []) strings.add(value);
    } else if (one.type === "number" && one.set.values !== undefined) {
      for (const value of one.set.values) numbers.add(value);
    } else kept.push(one);
  }
  if (booleans.size > 0) kept.push({ type: "boolean", values: [...booleans] });
  if (strings.size > 0) {
    kept.push({ type: "string", set: { ...ALL_STRINGS, values: [...strings] } });
  }
  if (numbers.size > 0) {
    kept.push({ type: "number", set: { ...ALL_NUMBERS, values: [...numbers] } });
  }
  return kept;
}

const isList = ({ values, languages }: StringSet): boolean =>
  values !== undefined && languages.length === 0;

function isWhole(one: ValueSet): boolean {
  if (one.type === "null") return true;
  if (one.type === "boolean") return one.values.length === 2;
  const all = ALL[one.type];
  return "set" in all && all.set === one.set;
}
