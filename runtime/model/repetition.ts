/** Notices a thought that goes round: the same few tokens again and again. */

/** So many latest ids have to repeat. A table or a list of that length differs somewhere. */
const WINDOW = 256;
/** Longest cycle that is looked for. */
const MAX_PERIOD = 64;
/** Ids between two looks. */
const INTERVAL = 32;

export class RepetitionDetector {
  /** The latest ids, in a ring. */
  readonly #ids = new Int32Array(WINDOW + MAX_PERIOD);
  #count = 0;

  /**
   * @param id the next id of one message
   * @returns whether the latest 256 ids are one cycle of at most 64 ids, repeated
   */
  take(id: number): boolean {
    this.#ids[this.#count++ % this.#ids.length] = id;
    if (this.#count < this.#ids.length || this.#count % INTERVAL !== 0) return false;
    for (let period = 1; period <= MAX_PERIOD; period++) {
      if (this.#repeats(period)) return true;
    }
    return false;
  }

  /** Another message begins. */
  reset(): void {
    this.#count = 0;
  }

  #repeats(period: number): boolean {
    const { length } = this.#ids;
    for (let back = 1; back <= WINDOW; back++) {
      const at = this.#count - back;
      if (this.#ids[at % length] !== this.#ids[(at - period) % length]) return false;
    }
    return true;
  }
}
