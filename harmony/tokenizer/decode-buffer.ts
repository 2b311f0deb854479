/**
 * Memory in which the bytes of decoded tokens are laid one after another. It is used again by the next
 * decoding, so that most decodings allocate nothing but their text.
 */
import type { ByteVocabulary } from "./byte-vocabulary.ts";

/** Bytes that are copied of every token at once. */
const COPIED_BYTES = 8;

const INITIAL_BYTES = 4096;
/** English text and code have four to five. */
const BYTES_PER_TOKEN = 5;
/** Memory that is kept for the next decoding. */
const KEPT_BYTES = 1 << 20;

export class DecodeBuffer {
  readonly #vocabulary: ByteVocabulary;
  readonly #source: DataView;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(INITIAL_BYTES);
  #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  constructor(vocabulary: ByteVocabulary) {
    const { bytes } = vocabulary;
    this.#vocabulary = vocabulary;
    this.#source = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The bytes since the last `clear`; valid until the next one. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** @param tokens how many are to come: memory for about as many is made at once */
  clear(tokens: number): void {
    this.#length = 0;
    const expected = tokens * BYTES_PER_TOKEN;
    if (this.#bytes.length > KEPT_BYTES) this.#resize(Math.max(expected, INITIAL_BYTES));
    else if (this.#bytes.length < expected) this.#resize(expected);
  }

  append(bytes: Uint8Array): void {
    // With spare bytes behind it: tokens are nearly all that is appended.
    const needed = this.#length + bytes.length + this.#vocabulary.longest + COPIED_BYTES;
    if (needed > this.#bytes.length) this.#resize(2 * needed);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /**
   * Appends the bytes of ids[from …).
   * @returns where it stopped: at the end, or at an id that needs `append` because it is no ordinary
   *   token, or lies at the very end of the vocabulary, or the memory has to grow first
   */
  appendTokens(ids: Int32Array, from: number): number {
    const { bytes, offsets, size, longest } = this.#vocabulary;
    const source = this.#source;
    const target = this.#view;
    const out = this.#bytes;
    const lastStart = bytes.length - COPIED_BYTES;
    const lastLength = out.length - longest - COPIED_BYTES;
    let length = this.#length;
    let at = from;
    for (; at < ids.length; at++) {
      const id = ids[at]!;
      if (id < 0 || id >= size) break;
      const start = offsets[id]!;
      const count = offsets[id + 1]! - start;
      if (start > lastStart || length > lastLength) break;
      // Nearly all tokens have at most eight bytes. To copy eight of each, some in vain, is twice as
      // fast as to copy their number, which no processor can guess.
      target.setInt32(length, source.getInt32(start, true), true);
      target.setInt32(length + 4, source.getInt32(start + 4, true), true);
      for (let i = COPIED_BYTES; i < count; i++) out[length + i] = bytes[start + i]!;
      length += count;
    }
    this.#length = length;
    return at;
  }

  #resize(size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
