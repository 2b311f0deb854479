/**
 * JavaScript values as JSON. `JSON.stringify` writes `{}` for a Map, null for NaN, and throws at a circle;
 * here what is in a value is kept, and what cannot be kept is said.
 */
import { types } from "node:util";
import { messageOf } from "./text.ts";

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A value, or a part of it, has no JSON form; the message says which, e.g. "a function at /x". */
export class NotJsonError extends Error {
  override readonly name = "NotJsonError";
}

/** Programs that read deeper values overflow their stack. */
const MAX_DEPTH = 200;
/** Of one value. Objects that refer to one another many times grow without bound when written out. */
const MAX_VALUES = 500_000;

/**
 * @returns the value as plain JSON: maps as objects or lists of pairs, sets and arrays of numbers as
 *   lists, bigints and numbers that are not finite as text, errors with their name and message
 * @throws NotJsonError for a circle, a function, a symbol, bytes, and objects that show nothing of what
 *   they hold
 */
export function toJsonValue(value: unknown): JsonValue {
  return read(value, (what) => {
    throw new NotJsonError(what);
  });
}

/** The same for a value that must not fail: what has no JSON form is described in its place. */
export function describeAsJson(value: unknown): JsonValue {
  return read(value, (what) => `[${what}]`);
}

/** Thrown and caught in here: the value is too large to go on, as a whole. */
class TooLarge {}

/** What stands in the place of a part that has no JSON form. */
type Instead = (what: string) => JsonValue;

function read(value: unknown, instead: Instead): JsonValue {
  const reader = new Reader(instead);
  try {
    return reader.value(value, "");
  } catch (error) {
    if (error instanceof NotJsonError) throw error;
    if (error instanceof TooLarge) return instead(`a value of more than ${MAX_VALUES} parts`);
    // A getter or a proxy of the value threw.
    return instead(`a value that fails when it is read (${messageOf(error)})`);
  }
}

class Reader {
  readonly #instead: Instead;
  readonly #open = new Set<object>();
  #count = 0;

  constructor(instead: Instead) {
    this.#instead = instead;
  }

  value(value: unknown, path: string): JsonValue {
    if (++this.#count > MAX_VALUES) throw new TooLarge();
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) ? value : String(value);
      case "bigint":
        return String(value);
      case "undefined":
        return null;
      case "function":
      case "symbol":
        return this.#loss(`a ${typeof value}`, path);
      case "object":
        return value === null ? null : this.#object(value, path);
    }
  }

  #object(value: object, path: string): JsonValue {
    if (this.#open.has(value)) return this.#loss("a reference to what it stands in", path);
    if (this.#open.size >= MAX_DEPTH) {
      return this.#loss(`a value deeper than ${MAX_DEPTH} levels`, path);
    }
    this.#open.add(value);
    const json = this.#contents(value, path);
    this.#open.delete(value);
    return json;
  }

  #contents(value: object, path: string): JsonValue {
    if (isBytes(value)) return this.#loss(`bytes (${className(value)})`, path);
    if (Array.isArray(value)) return this.#list(value, path);
    if (ArrayBuffer.isView(value)) return this.#list(Array.from(value as Float64Array), path);
    if (types.isSet(value)) return this.#list([...value], path);
    if (types.isMap(value)) return this.#map(value, path);
    if (value instanceof Error || types.isNativeError(value)) {
      const { name, message } = value;
      return { name, message, ...this.#entries(Object.entries(value), path) };
    }
    if (types.isRegExp(value)) return String(value);
    if (types.isBoxedPrimitive(value)) return this.value(value.valueOf(), path);
    if ("toJSON" in value && typeof value.toJSON === "function") {
      const json: unknown = value.toJSON();
      if (json !== value) return this.value(json, path);
    }
    const entries = Object.entries(value);
    // A Response, a Promise, an iterator: what they hold is not in properties.
    if (entries.length === 0 && !isPlain(value)) {
      return this.#loss(`a ${className(value)} that shows nothing of what it holds`, path);
    }
    return this.#entries(entries, path);
  }

  #list(values: readonly unknown[], path: string): JsonValue {
    return values.map((value, index) => this.value(value, `${path}/${index}`));
  }

  #map(map: ReadonlyMap<unknown, unknown>, path: string): JsonValue {
    const pairs = [...map];
    return pairs.every((pair): pair is [string, unknown] => typeof pair[0] === "string")
      ? this.#entries(pairs, path)
      : this.#list(pairs, path);
  }

  #entries(
    entries: readonly (readonly [string, unknown])[],
    path: string,
  ): { readonly [key: string]: JsonValue } {
    // As JSON.stringify has it: a property that is undefined is not there.
    const present = entries.filter(([, value]) => value !== undefined);
    return Object.fromEntries(
      present.map(([key, value]) => [key, this.value(value, `${path}/${key}`)]),
    );
  }

  #loss(what: string, path: string): JsonValue {
    const place = path.length > 80 ? `${path.slice(0, 77).toWellFormed()}...` : path;
    return this.#instead(place === "" ? what : `${what} at ${place}`);
  }
}

function isBytes(value: object): boolean {
  return (
    types.isAnyArrayBuffer(value) ||
    types.isDataView(value) ||
    types.isUint8Array(value) ||
    types.isUint8ClampedArray(value)
  );
}

/** Also of another realm, as `node:vm` makes them. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function className(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" ? name.slice(0, 40) : "value";
}
