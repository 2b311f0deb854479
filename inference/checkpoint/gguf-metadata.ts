import { CheckpointError } from "../errors.ts";
import { type ByteSource, HeaderReader } from "./header-reader.ts";

/** Where a value lies; arrays also say of what and how many. */
export type GgufValue = {
  readonly type: number;
  readonly position: number;
  readonly byteLength: number;
  readonly elementType: number | undefined;
  readonly count: number;
};

export type GgufScalar = number | boolean | string;

const STRING = 8;
const ARRAY = 9;
const BOOL = 7;

type NumberType = { readonly bytes: number; readonly get: (view: DataView) => number };

/** By type number; strings and arrays have no fixed size. */
const NUMBER_TYPES: ReadonlyMap<number, NumberType> = new Map([
  [0, { bytes: 1, get: (view) => view.getUint8(0) }],
  [1, { bytes: 1, get: (view) => view.getInt8(0) }],
  [2, { bytes: 2, get: (view) => view.getUint16(0, true) }],
  [3, { bytes: 2, get: (view) => view.getInt16(0, true) }],
  [4, { bytes: 4, get: (view) => view.getUint32(0, true) }],
  [5, { bytes: 4, get: (view) => view.getInt32(0, true) }],
  // Written from decimals such as 1e-5, which 7 digits bring back.
  [6, { bytes: 4, get: (view) => Number(view.getFloat32(0, true).toPrecision(7)) }],
  [BOOL, { bytes: 1, get: (view) => view.getUint8(0) }],
  [10, { bytes: 8, get: (view) => Number(view.getBigUint64(0, true)) }],
  [11, { bytes: 8, get: (view) => Number(view.getBigInt64(0, true)) }],
  [12, { bytes: 8, get: (view) => view.getFloat64(0, true) }],
]);

/** An array of arrays of arrays; no known file has more than the first. */
const MAX_ARRAY_DEPTH = 3;
/** Of a string that is read as a scalar; chat templates have some 20 kB. */
const MAX_STRING_BYTES = 1 << 16;
/** Of a string in an array: a token is at most some hundred bytes. */
const MAX_ELEMENT_BYTES = 4096;
/** gpt-oss has 201,088 tokens and 446,189 merges. */
const MAX_ARRAY_STRINGS = 1 << 22;

/**
 * Steps over one value, type first, and says where it lies.
 * @throws CheckpointError for an unknown type or an array that is longer than the header
 */
export function scanValue(reader: HeaderReader, path: string, key: string): GgufValue {
  const type = reader.u32(`the type of ${key}`);
  if (type !== ARRAY) {
    const position = reader.position;
    skipValue(reader, path, key, type, 0);
    const byteLength = reader.position - position;
    return { type, position, byteLength, elementType: undefined, count: 1 };
  }
  const elementType = reader.u32(`the element type of ${key}`);
  const count = reader.u64(`the length of ${key}`);
  const position = reader.position;
  skipElements(reader, path, key, elementType, count, 1);
  return { type, position, byteLength: reader.position - position, elementType, count };
}

function skipValue(
  reader: HeaderReader,
  path: string,
  key: string,
  type: number,
  depth: number,
): void {
  const size = NUMBER_TYPES.get(type)?.bytes;
  if (size !== undefined) {
    reader.skip(size, key);
  } else if (type === STRING) {
    reader.skipStrings(1, key);
  } else if (type === ARRAY) {
    const elementType = reader.u32(`the element type of ${key}`);
    const count = reader.u64(`the length of ${key}`);
    skipElements(reader, path, key, elementType, count, depth + 1);
  } else {
    throw new CheckpointError(path, `${key} has the type ${type}; accepted: 0 … 12.`, key);
  }
}

function skipElements(
  reader: HeaderReader,
  path: string,
  key: string,
  type: number,
  count: number,
  depth: number,
): void {
  if (depth > MAX_ARRAY_DEPTH) {
    throw new CheckpointError(path, `${key} nests deeper than ${MAX_ARRAY_DEPTH} arrays.`, key);
  }
  const size = NUMBER_TYPES.get(type)?.bytes;
  if (size !== undefined) {
    reader.skip(size * count, key);
    return;
  }
  // Every string and every array has at least its length, so a false count ends with the header.
  if (type === STRING) reader.skipStrings(count, key);
  else for (let i = 0; i < count; i++) skipValue(reader, path, key, type, depth);
}

/** The metadata of a file, by key. Values are read from the file when they are asked for. */
export class GgufMetadata {
  readonly path: string;
  readonly #source: ByteSource;
  readonly #values: Map<string, GgufValue> = new Map();

  constructor(source: ByteSource) {
    this.path = source.path;
    this.#source = source;
  }

  /** @throws CheckpointError for a key that is there already */
  add(key: string, value: GgufValue): void {
    if (this.#values.has(key)) throw new CheckpointError(this.path, `${key} is there twice.`, key);
    this.#values.set(key, value);
  }

  get(key: string): GgufValue | undefined {
    return this.#values.get(key);
  }

  /**
   * A number, a truth value or a string; undefined when there is no such key.
   * @throws CheckpointError when it is an array or too long a string
   */
  scalar(key: string): GgufScalar | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    if (value.type === STRING) return this.#reader(value).string(MAX_STRING_BYTES, key);
    const type = NUMBER_TYPES.get(value.type);
    if (type === undefined) throw this.#wrong(key, "an array", "a single value");
    const bytes = this.#reader(value).bytes(type.bytes, key);
    const number = type.get(new DataView(bytes.buffer));
    return value.type === BOOL ? number !== 0 : number;
  }

  /** All single values whose keys begin with `prefix`, without it; overlong strings are left out. */
  scalars(prefix: string): Record<string, GgufScalar> {
    const out: Record<string, GgufScalar> = Object.create(null);
    for (const [key, { type, byteLength }] of this.#values) {
      if (!key.startsWith(prefix) || type === ARRAY || byteLength > MAX_STRING_BYTES) continue;
      const value = this.scalar(key);
      if (value !== undefined) out[key.slice(prefix.length)] = value;
    }
    return out;
  }

  /**
   * An array of numbers or truth values (0 and 1).
   * @param most longer ones are refused
   */
  numbers(key: string, most: number): number[] | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    const type = NUMBER_TYPES.get(value.elementType ?? ARRAY);
    if (type === undefined || value.count > most) {
      throw this.#wrong(key, this.#describe(value), `a list of at most ${most} numbers`);
    }
    const bytes = this.#reader(value).bytes(value.byteLength, key);
    return Array.from({ length: value.count }, (_, i) =>
      type.get(new DataView(bytes.buffer, i * type.bytes, type.bytes)),
    );
  }

  /** An array of strings. */
  strings(key: string, first = 0): string[] | undefined {
    const value = this.#strings(key);
    if (value === undefined) return undefined;
    const reader = this.#reader(value);
    const length = Math.max(0, value.count - first);
    reader.skipStrings(value.count - length, key);
    return Array.from({ length }, () => reader.string(MAX_ELEMENT_BYTES, key));
  }

  /**
   * The first `count` strings of an array as they stand in the file, lengths included.
   * @returns undefined when the array is shorter, or these strings are longer than `mostBytes`
   */
  rawStrings(key: string, count: number, mostBytes: number): Uint8Array | undefined {
    const value = this.#strings(key);
    if (value === undefined || value.count < count) return undefined;
    const reader = this.#reader(value);
    reader.skipStrings(count, key);
    const byteLength = reader.position - value.position;
    return byteLength > mostBytes ? undefined : this.#reader(value).bytes(byteLength, key);
  }

  #strings(key: string): GgufValue | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    if (value.elementType === STRING && value.count <= MAX_ARRAY_STRINGS) return value;
    throw this.#wrong(key, this.#describe(value), `at most ${MAX_ARRAY_STRINGS} strings`);
  }

  #reader(value: GgufValue): HeaderReader {
    return new HeaderReader(this.#source, value.position, value.position + value.byteLength);
  }

  #describe(value: GgufValue): string {
    if (value.type !== ARRAY) return "a single value";
    return `a list of ${value.count} values of type ${value.elementType}`;
  }

  #wrong(key: string, found: string, accepted: string): CheckpointError {
    return new CheckpointError(this.path, `${key} is ${found}; accepted: ${accepted}.`, key);
  }
}
