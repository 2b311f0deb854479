/** The ordinary tokens of a vocabulary, sorted by what they begin with and what they consist of. */

import { type Tokenizer, vocabularyOf } from "../tokenizer/tokenizer.ts";
import { characterLength, codePointAt } from "../tokenizer/utf8.ts";

/** All characters are of a tool's name: letters, digits, `_`, `$`, `.`, `-`. */
export const NAME_CLASS = 1;
/** All characters are whole and none is white space. */
export const WORD_CLASS = 2;

export const REPLACEMENT = 0xfffd;

/** Bytes that a token can have in second place; the last stands for none. */
const SECONDS = 257;

export class TokenClasses {
  readonly #tokenizer: Tokenizer;
  /** The ids in the order of their first and second bytes. */
  readonly #ids: Int32Array;
  /** Those that begin with a pair are ids[starts[pair] … starts[pair + 1]). */
  readonly #starts: Int32Array;
  #classes: Uint8Array | null = null;

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
    const { bytes, offsets, size } = vocabularyOf(tokenizer);
    const pairs = new Uint32Array(size);
    const starts = new Int32Array(256 * SECONDS + 1);
    for (let id = 0; id < size; id++) {
      const start = offsets[id]!;
      const second = start + 1 < offsets[id + 1]! ? bytes[start + 1]! : SECONDS - 1;
      const pair = bytes[start]! * SECONDS + second;
      pairs[id] = pair;
      starts[pair + 1]!++;
    }
    for (let pair = 0; pair + 1 < starts.length; pair++) starts[pair + 1]! += starts[pair]!;
    const ends = starts.slice();
    const ids = new Int32Array(size);
    for (let id = 0; id < size; id++) ids[ends[pairs[id]!]!++] = id;
    this.#ids = ids;
    this.#starts = starts;
  }

  /** By id: NAME_CLASS and WORD_CLASS as far as they hold. Made when first asked for. */
  get classes(): Uint8Array {
    this.#classes ??= classesOf(this.#tokenizer);
    return this.#classes;
  }

  /** The ids of the tokens that begin with this byte. */
  beginningWith(first: number): Int32Array {
    return this.#between(first * SECONDS, (first + 1) * SECONDS);
  }

  /** Those of them whose second byte is this one; null: that have no other. */
  beginningWithBoth(first: number, second: number | null): Int32Array {
    const pair = first * SECONDS + (second ?? SECONDS - 1);
    return this.#between(pair, pair + 1);
  }

  #between(from: number, to: number): Int32Array {
    return this.#ids.subarray(this.#starts[from], this.#starts[to]);
  }
}

function classesOf(tokenizer: Tokenizer): Uint8Array {
  const { bytes, offsets, size } = vocabularyOf(tokenizer);
  const classes = new Uint8Array(size);
  for (let id = 0; id < size; id++) classes[id] = classOf(bytes, offsets[id]!, offsets[id + 1]!);
  return classes;
}

const ASCII_CLASSES: Uint8Array = Uint8Array.from({ length: 0x80 }, (_, unit) => {
  const char = String.fromCharCode(unit);
  return /[\w$.-]/.test(char) ? NAME_CLASS | WORD_CLASS : /\s/.test(char) ? 0 : WORD_CLASS;
});

function classOf(bytes: Uint8Array, start: number, end: number): number {
  let classes = NAME_CLASS | WORD_CLASS;
  for (let at = start; at < end && classes !== 0; ) {
    const byte = bytes[at]!;
    if (byte < 0x80) {
      classes &= ASCII_CLASSES[byte]!;
      at++;
      continue;
    }
    const length = characterLength(bytes, at, end);
    if (length <= 0) return 0;
    const point = codePointAt(bytes, at, length);
    if (point === REPLACEMENT || isSpaceBeyondAscii(point)) return 0;
    classes &= WORD_CLASS;
    at += length;
  }
  return classes;
}

/** The white space of ECMAScript (`\s`) that is none of ASCII. */
export function isSpaceBeyondAscii(point: number): boolean {
  if (point < 0x1680) return point === 0xa0;
  if (point >= 0x2000 && point <= 0x200a) return true;
  return OTHER_SPACES.includes(point);
}

const OTHER_SPACES: readonly number[] = [0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff];
