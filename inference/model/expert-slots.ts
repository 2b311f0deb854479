/**
 * Which experts of one layer lie in its slots, where there are fewer slots than experts: the least
 * recently used one makes room. Every thread has a copy of this table; from the same requests all
 * copies become the same.
 */
export class ExpertSlots {
  /** Slot of each expert, -1 for one that is not in memory. */
  readonly #slotOf: Int32Array;
  /** Expert in each slot, -1 for an empty one. */
  readonly #expertIn: Int32Array;
  /** When each slot was last used. */
  readonly #usedAt: Float64Array;
  #clock = 0;

  constructor(slots: number, experts: number) {
    this.#slotOf = new Int32Array(experts).fill(-1);
    this.#expertIn = new Int32Array(slots).fill(-1);
    this.#usedAt = new Float64Array(slots);
  }

  /** The slot that holds an expert, -1 when it is not in memory. */
  slotOf(expert: number): number {
    return this.#slotOf[expert]!;
  }

  /**
   * Chooses what is computed next of what is still to be computed: first all that is in memory, and as
   * many more as there are slots for beside it. The slots of these are emptied; they count as filled
   * only after `fill`, so that a load that was broken off leaves no expert that is none.
   *
   * @param needed experts, each once; those that were chosen are removed
   */
  choose(needed: number[]): Wave {
    const resident = needed.filter((expert) => this.slotOf(expert) >= 0);
    const missing = needed.filter((expert) => this.slotOf(expert) < 0);
    this.#clock++;
    for (const expert of resident) this.#usedAt[this.slotOf(expert)] = this.#clock;
    const free = this.#leastRecentlyUsed(resident.length).slice(0, missing.length);
    const loads = free.map((slot, i) => ({ slot, expert: missing[i]! }));
    for (const { slot } of loads) this.#empty(slot);
    needed.splice(0, needed.length, ...missing.slice(loads.length));
    return { experts: [...resident, ...loads.map(({ expert }) => expert)], loads };
  }

  /** Says that what a wave had to load is in its slots now. */
  fill(wave: Wave): void {
    for (const { slot, expert } of wave.loads) {
      this.#slotOf[expert] = slot;
      this.#expertIn[slot] = expert;
      this.#usedAt[slot] = this.#clock;
    }
  }

  /** All slots but the `kept` last used ones, the longest unused first. */
  #leastRecentlyUsed(kept: number): number[] {
    const order = Array.from(this.#usedAt.keys());
    order.sort((a, b) => this.#usedAt[a]! - this.#usedAt[b]! || a - b);
    return order.slice(0, order.length - kept);
  }

  #empty(slot: number): void {
    const expert = this.#expertIn[slot]!;
    if (expert >= 0) this.#slotOf[expert] = -1;
    this.#expertIn[slot] = -1;
    this.#usedAt[slot] = 0;
  }
}

/** Experts that are in memory at the same time, and are computed together. */
export type Wave = {
  readonly experts: readonly number[];
  /** Those that must be read first, and where to. */
  readonly loads: readonly { readonly expert: number; readonly slot: number }[];
};
