/**
 * The ordinary tokens of a vocabulary as one run of bytes, with a hash table from bytes to id.
 * 200,000 tokens take about 4 MB and are ready in milliseconds: no object per token.
 */
import { VocabularyError } from "../errors.ts";

/** Tokens 0 … n-1: their lengths in bytes, and their bytes one after another. */
export type PackedTokens = { readonly lengths: Uint8Array; readonly bytes: Uint8Array };

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class ByteVocabulary {
  /** Number of tokens; ids are 0 … size-1. */
  readonly size: number;
  /** Longest token in bytes: no longer run of bytes can be one token. */
  readonly longest: number;
  readonly bytes: Uint8Array;
  /** Token `id` is bytes[offsets[id] … offsets[id+1]). */
  readonly offsets: Uint32Array;
  /** Open addressing, id+1 or 0 for empty. At most half full. */
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** @throws VocabularyError when lengths and bytes do not fit together, or a token occurs twice */
  constructor(packed: PackedTokens) {
    const { lengths, bytes } = packed;
    this.size = lengths.length;
    // Node's `Buffer` is a class of its own: one kind of array everywhere is read faster.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.offsets = new Uint32Array(this.size + 1);
    let offset = 0;
    let longest = 0;
    for (let id = 0; id < this.size; id++) {
      const length = lengths[id]!;
      if (length === 0) throw new VocabularyError(`Token ${id} of the vocabulary is empty`);
      offset += length;
      if (length > longest) longest = length;
      this.offsets[id + 1] = offset;
    }
    if (offset !== bytes.length) {
      throw new VocabularyError(
        `The vocabulary's ${this.size} tokens should take ${offset} bytes; found ${bytes.length}`,
      );
    }
    this.longest = longest;
    let capacity = 16;
    while (capacity < this.size * 2) capacity *= 2;
    this.#slots = new Int32Array(capacity);
    this.#mask = capacity - 1;
    for (let id = 0; id < this.size; id++) this.#insert(id);
  }

  #insert(id: number): void {
    const start = this.offsets[id]!;
    const end = this.offsets[id + 1]!;
    let hash = FNV_OFFSET;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ this.bytes[i]!, FNV_PRIME);
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#equals(entry - 1, this.bytes, start, end)) {
        throw new VocabularyError(
          `Tokens ${entry - 1} and ${id} of the vocabulary are the same bytes`,
        );
      }
      slot = (slot + 1) & this.#mask;
    }
    this.#slots[slot] = id + 1;
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.offsets[id]!;
    if (this.offsets[id + 1]! - own !== end - start) return false;
    for (let i = start, j = own; i < end; i++, j++) {
      if (bytes[i] !== this.bytes[j]) return false;
    }
    return true;
  }

  /** The id of bytes[start … end), or -1. */
  lookup(bytes: Uint8Array, start: number, end: number): number {
    if (end - start > this.longest) return -1;
    let hash = FNV_OFFSET;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#equals(entry - 1, bytes, start, end)) return entry - 1;
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }

  /**
   * The id of text[start … end) if it is ASCII and one token; -1 if it is no token, -2 if it is not
   * ASCII. Most pieces of most texts end here, without a byte or a string being made.
   */
  lookupAscii(text: string, start: number, end: number): number {
    let hash = FNV_OFFSET;
    for (let i = start; i < end; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return -2;
      hash = Math.imul(hash ^ unit, FNV_PRIME);
    }
    const length = end - start;
    if (length > this.longest) return -1;
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      const own = this.offsets[entry - 1]!;
      if (this.offsets[entry]! - own === length) {
        let i = 0;
        while (i < length && text.charCodeAt(start + i) === this.bytes[own + i]) i++;
        if (i === length) return entry - 1;
      }
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }

  /** The id of token `left` followed by token `right`, or -1. */
  lookupPair(left: number, right: number): number {
    const { bytes, offsets } = this;
    const leftStart = offsets[left]!;
    const leftEnd = offsets[left + 1]!;
    const rightStart = offsets[right]!;
    const rightEnd = offsets[right + 1]!;
    const leftLength = leftEnd - leftStart;
    const length = leftLength + rightEnd - rightStart;
    if (length > this.longest) return -1;
    let hash = FNV_OFFSET;
    for (let i = leftStart; i < leftEnd; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
    for (let i = rightStart; i < rightEnd; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      const own = offsets[entry - 1]!;
      if (offsets[entry]! - own === length) {
        let i = 0;
        while (i < leftLength && bytes[own + i] === bytes[leftStart + i]) i++;
        if (i === leftLength) {
          const shift = rightStart - leftLength;
          while (i < length && bytes[own + i] === bytes[shift + i]) i++;
          if (i === length) return entry - 1;
        }
      }
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }
}

/** One file: number of tokens (u32, little endian), their lengths (u8 each), their bytes. */
export function packTokens(tokens: PackedTokens): Uint8Array {
  const { lengths, bytes } = tokens;
  const packed = new Uint8Array(4 + lengths.length + bytes.length);
  new DataView(packed.buffer).setUint32(0, lengths.length, true);
  packed.set(lengths, 4);
  packed.set(bytes, 4 + lengths.length);
  return packed;
}

/**
 * The reverse of `packTokens`; the result shares the given memory.
 * @throws VocabularyError when the file is shorter than it says
 */
export function unpackTokens(packed: Uint8Array): PackedTokens {
  const size =
    packed.length < 4
      ? -1
      : new DataView(packed.buffer, packed.byteOffset, packed.byteLength).getUint32(0, true);
  if (size < 0 || packed.length < 4 + size) {
    throw new VocabularyError(
      `A packed vocabulary starts with its number of tokens and their lengths; found ${packed.length} bytes`,
    );
  }
  return { lengths: packed.subarray(4, 4 + size), bytes: packed.subarray(4 + size) };
}
