/** Matrices and activations in a bank: their layouts, and the precision that decides which they have. */

import {
  type Address,
  BLOCK,
  FLOAT_BYTES,
  MXFP4_RECORD_BYTES,
  Q8_RECORD_BYTES,
  ROW_GROUP,
} from "../wasm/kernels.ts";

/**
 * `int8`: dense weights as Q8_0, activations of every matrix product as int8 (except the router's).
 * `exact`: weights as in the checkpoint, activations f32.
 */
export type Precision = "int8" | "exact";

export type MatrixKind = "q8" | "mxfp4" | "bf16" | "f32";

/**
 * Steps of up to so many columns are made with fewer barriers: each thread does for all columns what is
 * quickly done.
 */
export const ALONE_COLUMNS = 4;

/** A weight matrix in a bank, in the layout of its kind, with its bias. */
export type Matrix = {
  readonly kind: MatrixKind;
  readonly address: Address;
  readonly rows: number;
  readonly columns: number;
  /** f32 (rows); 0 when there is none */
  readonly bias: Address;
};

/** Activations in both forms: the f32 values, and their int8 blocks with scale and start. */
export type Activations = {
  /** Values of one column. */
  readonly width: number;
  readonly values: Address; // f32 (columns, width)
  readonly quantised: Address; // i8 (columns, width)
  /** The same values as i16, for products with Q8_0, where there are such. */
  readonly i16: Address; // i16 (columns, width)
  readonly scales: Address; // f32 (columns, width / 32)
  readonly starts: Address; // i32 (columns, width / 32)
};

/** Bytes of a matrix in the layout of its kind, without bias. */
export function matrixBytes(matrix: Pick<Matrix, "kind" | "rows" | "columns">): number {
  const { kind, rows, columns } = matrix;
  if (kind === "bf16") return rows * columns * 2;
  if (kind === "f32") return rows * columns * FLOAT_BYTES;
  const record = kind === "q8" ? Q8_RECORD_BYTES : MXFP4_RECORD_BYTES;
  return Math.ceil(rows / ROW_GROUP) * (columns / BLOCK) * record;
}
