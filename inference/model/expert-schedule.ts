import type { ModelConfig } from "../checkpoint/config.ts";

/**
 * Which columns go to which expert, in the order the experts are computed. A slot is one column at
 * one of its experts; the slots of an expert follow each other. Every thread makes the same schedule
 * for itself from the router's choice. Allocated once, for the largest step.
 */
export class ExpertSchedule {
  readonly #experts: number;
  readonly #perToken: number;
  /** Experts that were chosen at all, in order. */
  readonly active: number[] = [];
  /** Slots of expert e: starts[e] … starts[e + 1] - 1. */
  readonly starts: Int32Array;
  /** Column of each slot. */
  readonly columnOf: Int32Array;
  /** Slot of each (column, rank), rank 0 being the router's first choice. */
  readonly slotOf: Int32Array;

  constructor(config: ModelConfig, columns: number) {
    this.#experts = config.experts;
    this.#perToken = config.expertsPerToken;
    this.starts = new Int32Array(config.experts + 1);
    this.columnOf = new Int32Array(columns * config.expertsPerToken);
    this.slotOf = new Int32Array(columns * config.expertsPerToken);
  }

  /**
   * Counting sort by expert; stable, so an expert sees its columns in order.
   * @param chosen expert of each (column, rank), from index `at` on
   */
  build(chosen: Int32Array<ArrayBufferLike>, at: number, columns: number): void {
    const { starts } = this;
    const choices = columns * this.#perToken;
    starts.fill(0);
    for (let i = 0; i < choices; i++) starts[chosen[at + i]! + 1]!++;
    for (let e = 0; e < this.#experts; e++) starts[e + 1]! += starts[e]!;
    // Placing the slots moves each start to the next expert's; moved back below.
    for (let i = 0; i < choices; i++) {
      const slot = starts[chosen[at + i]!]!++;
      this.columnOf[slot] = Math.floor(i / this.#perToken);
      this.slotOf[i] = slot;
    }
    starts.copyWithin(1, 0, this.#experts);
    starts[0] = 0;
    this.active.length = 0;
    for (let e = 0; e < this.#experts; e++) {
      if (starts[e + 1]! > starts[e]!) this.active.push(e);
    }
  }
}
