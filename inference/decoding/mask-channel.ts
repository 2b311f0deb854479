/**
 * Brings masks of constrained decoding from the main thread, where the caller's matcher runs, to the
 * leading thread, which samples. A mask is made while the model computes the logits it is for; the
 * leading thread waits only where making it takes longer.
 *
 * The masks lie in a ring of slots: the one of the next position in slot `CURRENT`, behind it those of
 * the positions after each id of a draft. The leading thread asks (by the reports of an id or of a
 * draft) and counts what it asked; the main thread answers in the same order and counts its answers.
 */

import { bitmaskWords } from "../sampling/token-bitmask.ts";
import { MAX_DRAFT } from "./drafter.ts";

const ASKED = 0;
const ANSWERED = 1;
/** Slot of the next position's mask; written by the leading thread. */
const CURRENT = 2;
/** Ids of the last draft that the masks allow. */
const DRAFTED = 3;
const HEAD = 4;
const SLOTS = MAX_DRAFT + 1;

/** Both threads' view of the ring. Plain data, posted to the workers. */
export type MaskCells = Int32Array<SharedArrayBuffer>;

export class MaskChannel {
  readonly cells: MaskCells;
  readonly #slotCells: number;

  constructor(cells: MaskCells) {
    this.cells = cells;
    this.#slotCells = (cells.length - HEAD) / SLOTS;
  }

  static create(vocabSize: number): MaskChannel {
    const cells = HEAD + SLOTS * (1 + bitmaskWords(vocabSize));
    const bytes = cells * Int32Array.BYTES_PER_ELEMENT;
    return new MaskChannel(new Int32Array(new SharedArrayBuffer(bytes)));
  }

  /** Main thread: before another generation uses it. */
  reset(): void {
    this.cells.fill(0, 0, HEAD);
  }

  /**
   * Main thread: puts down the mask of the next position, or of that after some ids of a draft.
   * @param mask null: everything may come at this position
   */
  put(drafted: number, mask: Uint32Array | null): void {
    const at = this.#slot(drafted);
    this.cells[at] = mask === null ? 0 : 1;
    if (mask === null) return;
    const words = this.cells.subarray(at + 1, at + this.#slotCells);
    words.fill(0);
    words.set(mask.subarray(0, words.length));
  }

  /** Main thread: says that what was asked has been put down. */
  answer(drafted = 0): void {
    this.cells[DRAFTED] = drafted;
    Atomics.add(this.cells, ANSWERED, 1);
    Atomics.notify(this.cells, ANSWERED);
  }

  /** Leading thread: another mask, or those of a draft, will be waited for; said before it is reported. */
  ask(): void {
    this.cells[ASKED]!++;
  }

  /** Leading thread: the first id of the draft came. */
  advance(): void {
    this.cells[CURRENT] = (this.cells[CURRENT]! + 1) % SLOTS;
  }

  /**
   * Leading thread: waits for the last answer.
   * @param isGivenUp asked now and then
   * @returns false when it was given up
   */
  wait(isGivenUp: () => boolean): boolean {
    const pollMs = 20;
    for (;;) {
      const answered = Atomics.load(this.cells, ANSWERED);
      if (answered === this.cells[ASKED]) return true;
      if (isGivenUp()) return false;
      Atomics.wait(this.cells, ANSWERED, answered, pollMs);
    }
  }

  /** How many ids of the draft, from its first on, the masks allow. */
  get drafted(): number {
    return this.cells[DRAFTED]!;
  }

  /** The mask of the next position, or of that after some ids of a draft; null: everything may come. */
  mask(drafted = 0): Uint32Array<SharedArrayBuffer> | null {
    const at = this.#slot(drafted);
    if (this.cells[at] === 0) return null;
    const { buffer } = this.cells;
    return new Uint32Array(buffer, (at + 1) * Int32Array.BYTES_PER_ELEMENT, this.#slotCells - 1);
  }

  #slot(drafted: number): number {
    return HEAD + ((this.cells[CURRENT]! + drafted) % SLOTS) * this.#slotCells;
  }
}
