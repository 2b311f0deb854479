/**
 * Screening of the unembedding, which is a quarter of what a token reads: from a copy of half the size
 * come upper bounds of all logits, and the sampler asks for those logits that can still matter. They
 * come from the matrix itself, by the same steps as always, so that nothing that is sampled changes.
 *
 * The bounds hold with a probability: the copy is rounded with a dither that was drawn at random, and
 * over the draws of it no row of a column exceeds its bound but with a probability of 1e-12
 * (`screen.rs`). The dither is drawn anew for each load, so that no model and no prompt can be made for it.
 */

import {
  type Address,
  BLOCK,
  FLOAT_BYTES,
  Q8_RECORD_BYTES,
  ROW_GROUP,
  SCREEN_DITHERS,
  SCREEN_RECORD_BYTES,
  SCREEN_TERMS_BYTES,
} from "../wasm/kernels.ts";
import type { BankAllocator, MemoryBank } from "../wasm/memory-bank.ts";
import type { Activations, Matrix } from "./matrix.ts";
import { multiply, type Workspace } from "./multiply.ts";

/** A copy of a Q8 matrix in 4 bits per weight: what tells which rows' products can be the largest. */
export type ScreenPlan = {
  readonly records: Address;
  /** u8 (columns): what was added to each column's weights before they were rounded */
  readonly dithers: Address;
  /** Of the random numbers that they are. */
  readonly seed: number;
  /** What the kernel wants of the activations of one column. */
  readonly terms: Address;
  /** i32: 1 when the bounds were enough for the last column */
  readonly verdict: Address;
};

/** That any of the logits of one token is above its bound. */
const FAILURE = 1e-12;
/** Variance of the copy's rounding, in units of the Q8 weights: evenly distributed over -8 … 8. */
const VARIANCE = (SCREEN_DITHERS ** 2 - 1) / 12;
/** Tokens after which it is tried again, where bounds were not enough. */
const PAUSE = 64;

/** @param seed of the dither, an integer below 2^48; drawn anew for each load */
export function planScreen(
  allocator: BankAllocator,
  { rows, columns }: Pick<Matrix, "rows" | "columns">,
  seed: number,
): ScreenPlan {
  return {
    records: allocator.allocate(screenRecordBytes({ rows, columns })),
    dithers: allocator.allocate(columns),
    seed,
    terms: allocator.allocate((columns / BLOCK) * SCREEN_TERMS_BYTES),
    verdict: allocator.allocate(FLOAT_BYTES),
  };
}

/** Bytes of the copy that screens a matrix. */
export function screenRecordBytes({ rows, columns }: Pick<Matrix, "rows" | "columns">): number {
  return Math.ceil(rows / ROW_GROUP) * (columns / BLOCK) * SCREEN_RECORD_BYTES;
}

/**
 * Deviations of a row's error that its bound allows for, and what rounding to f32 can add to both the
 * bound and the logit: each sum has a rounding per block and some more in each of its terms, whose norm is
 * at most √32 · 255 times that of the activations.
 */
export function spreadOf(rows: number, columns: number): number {
  const blocks = columns / BLOCK;
  const rounding = (blocks + 16) * 2 ** -24 * 2 * 255 * Math.sqrt(BLOCK * blocks);
  return 1.0001 * Math.sqrt(2 * VARIANCE * Math.log(rows / FAILURE)) + rounding;
}

/** Every thread writes the same bytes, so their order does not matter. */
export function writeDithers(bank: MemoryBank, screen: ScreenPlan, columns: number): void {
  let state = BigInt(screen.seed);
  for (let column = 0; column < columns; column++) {
    // SplitMix64
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    z ^= z >> 31n;
    bank.bytes[screen.dithers + column] = Number(z % BigInt(SCREEN_DITHERS));
  }
}

/** Copies rows `first` … `first + rows - 1`; `first` is a multiple of 8. */
export function packScreen(
  bank: MemoryBank,
  matrix: Matrix,
  screen: ScreenPlan,
  first: number,
  rows: number,
): void {
  const blocks = matrix.columns / BLOCK;
  const group = first / ROW_GROUP;
  bank.kernels.screen_pack(
    matrix.address + group * blocks * Q8_RECORD_BYTES,
    screen.dithers,
    screen.records + screenRecordBytes({ rows: first, columns: matrix.columns }),
    Math.ceil(rows / ROW_GROUP),
    blocks,
  );
}

/** A product of a screened matrix with one column of activations. */
export type ScreenedColumn = {
  readonly matrix: Matrix;
  readonly screen: ScreenPlan;
  readonly x: Activations;
  readonly column: number;
};

/** Prepares a quantised column for `screenRows`. */
export function prepareScreen(
  bank: MemoryBank,
  { matrix, screen, x, column }: ScreenedColumn,
): void {
  const blocks = matrix.columns / BLOCK;
  bank.kernels.screen_terms(
    x.quantised + column * matrix.columns,
    x.scales + column * blocks * FLOAT_BYTES,
    screen.dithers,
    blocks,
    screen.terms,
  );
}

/** Bounds of rows `from` … `to - 1` of a product, at their own places in `y`; `from` a multiple of 8. */
export function screenRows(
  bank: MemoryBank,
  { matrix, screen, x, column }: ScreenedColumn,
  from: number,
  to: number,
  y: Address,
): void {
  bank.kernels.screen_bounds(
    screen.records + screenRecordBytes({ rows: from, columns: matrix.columns }),
    to - from,
    matrix.columns / BLOCK,
    x.quantised + column * matrix.columns,
    screen.terms,
    spreadOf(matrix.rows, matrix.columns),
    y + from * FLOAT_BYTES,
  );
}

/**
 * Some rows of a product, exactly as all of them together would be.
 * @param rows in order
 */
export function computeRows(
  workspace: Workspace,
  { matrix, x, column }: ScreenedColumn,
  rows: readonly number[],
): Float32Array {
  // One row group; a matrix of kind q8 needs no strip.
  const results = workspace.strip;
  let group = -1;
  return Float32Array.from(rows, (row) => {
    const first = row - (row % ROW_GROUP);
    if (first !== group) {
      group = first;
      const end = Math.min(first + ROW_GROUP, matrix.rows);
      // `multiply` puts each row at its own place behind `y`.
      const y = results - first * FLOAT_BYTES;
      multiply(
        workspace,
        { matrix, x, first: column, index: 0, count: 1, y, stride: 0 },
        first,
        end,
      );
    }
    return workspace.bank.floats[results / FLOAT_BYTES + row - first]!;
  });
}

/** Whether to screen: not for a while after bounds left too much open. The same in every thread. */
export class ScreenPause {
  #left = 0;

  /** Asked once for each token that could be screened. */
  allows(): boolean {
    if (this.#left === 0) return true;
    this.#left--;
    return false;
  }

  begin(): void {
    this.#left = PAUSE;
  }
}
