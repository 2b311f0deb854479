/**
 * The ids that a stream left out, where the bytes of the vocabulary leave no doubt: they are what the text of a piece
 * has before the bytes of the id that came with it.
 */
import type { Vocabulary } from "../constrain/token-trie.ts";

/** A character has at most 4 bytes, of which the last came with an id. */
const MOST_BYTES = 16;

export class LostIds {
  readonly #vocabulary: Pick<Vocabulary, "bytes" | "offsets">;
  /** Ids of short texts of bytes, by these in Latin-1; made when first needed. */
  #ids: Map<string, number> | undefined;

  constructor(vocabulary: Pick<Vocabulary, "bytes" | "offsets">) {
    this.#vocabulary = vocabulary;
  }

  /**
   * @param text  of the lost ids and of `lastId` together
   * @returns null where several lists of ids have these bytes, or none
   */
  find(count: number, text: string, lastId: number): readonly number[] | null {
    // Bytes that are no UTF-8 came as this character: which they were is not known.
    if (text.includes("\u{fffd}")) return null;
    const whole = Buffer.from(text, "utf8");
    const last = this.#bytesOf(lastId);
    const lostLength = whole.length - last.length;
    if (lostLength < count || lostLength > MOST_BYTES) return null;
    if (last.length === 0 || !whole.subarray(lostLength).equals(last)) return null;
    return this.#only(whole.subarray(0, lostLength), count);
  }

  /**
   * The one way to write bytes with so many ids. One with fewer is another way: an id without text, such as that of a
   * special token, may be among the lost.
   */
  #only(bytes: Buffer, count: number): readonly number[] | null {
    const ids = this.#shortIds();
    const ways: (readonly number[])[] = [];
    const walk = (from: number, found: readonly number[]): void => {
      if (ways.length > 1) return;
      if (from === bytes.length) {
        ways.push(found);
        return;
      }
      if (found.length === count) return;
      for (let end = from + 1; end <= bytes.length; end++) {
        const id = ids.get(bytes.toString("latin1", from, end));
        if (id !== undefined) walk(end, [...found, id]);
      }
    };
    walk(0, []);
    const [only] = ways;
    return ways.length === 1 && only?.length === count ? only : null;
  }

  #bytesOf(id: number): Uint8Array {
    const { bytes, offsets } = this.#vocabulary;
    return bytes.subarray(offsets[id] ?? 0, offsets[id + 1] ?? offsets[id] ?? 0);
  }

  #shortIds(): ReadonlyMap<string, number> {
    if (this.#ids !== undefined) return this.#ids;
    const ids = new Map<string, number>();
    const { offsets } = this.#vocabulary;
    for (let id = 0; id + 1 < offsets.length; id++) {
      const bytes = this.#bytesOf(id);
      if (bytes.length === 0 || bytes.length > MOST_BYTES) continue;
      ids.set(Buffer.from(bytes).toString("latin1"), id);
    }
    this.#ids = ids;
    return ids;
  }
}
