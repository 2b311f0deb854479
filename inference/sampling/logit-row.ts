/**
 * The logits of one column where the kernels reach them, or upper bounds of the logits and a way to have
 * those that matter: a vocabulary of 200,000 takes JavaScript a millisecond to look through once.
 */

import { type Address, FLOAT_BYTES } from "../wasm/kernels.ts";
import type { MemoryBank } from "../wasm/memory-bank.ts";
import type { GumbelKey } from "./gumbel.ts";

/** Places in the bank, each for one number per id. */
export type RowPlaces = {
  readonly logits: Address; // f32
  readonly perturbed: Address; // f32
  readonly ids: Address; // u32
};

/** Numbers by id. */
export class RowNumbers {
  /** May be changed. */
  readonly values: Float32Array<ArrayBufferLike>;
  readonly address: Address;
  readonly #bank: MemoryBank;
  readonly #ids: Address;

  constructor(bank: MemoryBank, address: Address, count: number, ids: Address) {
    const at = address / FLOAT_BYTES;
    this.values = bank.floats.subarray(at, at + count);
    this.address = address;
    this.#bank = bank;
    this.#ids = ids;
  }

  /** The id of the largest number, the lowest of equals; of the first NaN where there is one; 0 when all are -∞. */
  largest(): number {
    return this.#bank.kernels.largest(this.address, this.values.length);
  }

  /** The ids of all numbers from `least` on, lowest first. */
  atLeast(least: number): number[] {
    const { kernels, ints } = this.#bank;
    const count = kernels.at_least(this.address, this.values.length, least, this.#ids);
    const at = this.#ids / FLOAT_BYTES;
    return Array.from(ints.subarray(at, at + count));
  }
}

export class LogitRow {
  /** The logits, or where `isExact` is false bounds that none of them exceeds. */
  readonly logits: RowNumbers;
  readonly #perturbed: RowNumbers;
  readonly #bank: MemoryBank;
  readonly #compute: ((ids: readonly number[]) => Float32Array) | undefined;
  /** Logits that were computed one by one. */
  computed = 0;

  /** @param compute where the row holds bounds: gives the logits of some ids, which are in order */
  constructor(
    bank: MemoryBank,
    places: RowPlaces,
    vocab: number,
    compute?: (ids: readonly number[]) => Float32Array,
  ) {
    this.#bank = bank;
    this.logits = new RowNumbers(bank, places.logits, vocab, places.ids);
    this.#perturbed = new RowNumbers(bank, places.perturbed, vocab, places.ids);
    this.#compute = compute;
  }

  get isExact(): boolean {
    return this.#compute === undefined;
  }

  /** The logits themselves; as they were changed, where the row is exact. */
  exact(ids: readonly number[]): ArrayLike<number> {
    if (this.#compute === undefined) return ids.map((id) => this.logits.values[id]!);
    this.computed += ids.length;
    return this.#compute(ids);
  }

  /**
   * Bounds of `logit + temperature · noise`, a little above it; -∞ where the logit is below `least` or
   * not a number. The next call overwrites them.
   */
  perturbed(temperature: number, least: number, { first, second }: GumbelKey): RowNumbers {
    const { length } = this.logits.values;
    // -∞ plus its own rounding would not be a number.
    const lowest = Math.max(least, -3.4e38);
    const { gumbel_bounds } = this.#bank.kernels;
    const { address } = this.#perturbed;
    gumbel_bounds(this.logits.address, length, temperature, lowest, first, second, address);
    return this.#perturbed;
  }
}
