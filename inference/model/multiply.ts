import {
  type Address,
  BLOCK,
  FLOAT_BYTES,
  I16_BYTES,
  MXFP4_OFFSET,
  MXFP4_RECORD_BYTES,
  Q8_OFFSET,
  Q8_RECORD_BYTES,
  ROW_GROUP,
} from "../wasm/kernels.ts";
import type { MemoryBank } from "../wasm/memory-bank.ts";
import type { Activations, Matrix, Precision } from "./matrix.ts";

/** Multiplications of a piece of work: 10 to 20 µs. */
const PIECE_MULTIPLICATIONS = 1 << 18;

/** How many `unit`s of rows of a matrix, times `count` columns, make a piece that is dealt out. */
export function unitsPerPiece(width: number, count: number, unit: number): number {
  return Math.ceil(PIECE_MULTIPLICATIONS / (width * Math.max(1, count) * unit));
}

/** Where one thread multiplies. */
export type Workspace = {
  readonly bank: MemoryBank;
  readonly precision: Precision;
  /** This thread's scratch in the bank, for one unpacked row group. */
  readonly strip: Address;
};

/** `y[column · stride + row] = matrix · x + bias` for some columns of `x`. */
export type Product = {
  readonly matrix: Matrix;
  readonly x: Activations;
  /** The first column that is used. */
  readonly first: number;
  /** Address of u32 (count) that picks columns counted from `first`, or 0 for all in order. */
  readonly index: Address;
  readonly count: number;
  readonly y: Address;
  readonly stride: number;
};

/** Rows `from` … `to - 1` of a product, each to its own place. `from` is a multiple of 8. */
export function multiply(
  { bank, precision, strip }: Workspace,
  { matrix, x, first, index, count, y, stride }: Product,
  from: number,
  to: number,
): void {
  if (to <= from || count === 0) return;
  const { kernels } = bank;
  const rows = to - from;
  const width = matrix.columns;
  const blocks = width / BLOCK;
  const bias = matrix.bias === 0 ? 0 : matrix.bias + from * FLOAT_BYTES;
  const out = y + from * FLOAT_BYTES;
  const values = x.values + first * width * FLOAT_BYTES;
  if (matrix.kind === "bf16" || matrix.kind === "f32") {
    const kernel = matrix.kind === "bf16" ? kernels.bf16_matmul : kernels.f32_matmul;
    const elementBytes = matrix.kind === "bf16" ? 2 : FLOAT_BYTES;
    const w = matrix.address + from * width * elementBytes;
    if (index === 0) {
      kernel(w, rows, width, values, count, bias, out, stride);
      return;
    }
    for (let i = 0; i < count; i++) {
      const column = values + bank.ints[index / FLOAT_BYTES + i]! * width * FLOAT_BYTES;
      kernel(w, rows, width, column, 1, bias, out + i * stride * FLOAT_BYTES, stride);
    }
    return;
  }
  const record = matrix.kind === "q8" ? Q8_RECORD_BYTES : MXFP4_RECORD_BYTES;
  const w = matrix.address + (from / ROW_GROUP) * blocks * record;
  if (matrix.kind === "mxfp4" && precision === "exact") {
    kernels.mxfp4_matmul_f32(w, rows, blocks, values, index, count, bias, out, stride, strip);
    return;
  }
  const int8 = x.quantised + first * width;
  const scales = x.scales + first * blocks * FLOAT_BYTES;
  const starts = x.starts + first * blocks * FLOAT_BYTES;
  // The arguments of the kernels in the order of `kernels.ts`.
  if (matrix.kind === "q8") {
    const i16 = x.i16 + first * width * I16_BYTES;
    const { q8_matmul_i8 } = kernels;
    q8_matmul_i8(w, rows, blocks, int8, i16, scales, starts, index, count, bias, out, stride);
  } else {
    const { mxfp4_matmul_i8 } = kernels;
    mxfp4_matmul_i8(w, rows, blocks, int8, scales, starts, index, count, bias, out, stride, strip);
  }
}

/**
 * Brings values `from` … `to - 1` of a column (whole blocks of 32) into the form that products with
 * `matrix` read: nothing to do where they read f32.
 */
export function prepare(
  { bank, precision }: Workspace,
  matrix: Matrix,
  x: Activations,
  column: number,
  from = 0,
  to: number = x.width,
): void {
  if (precision === "exact" || to <= from) return;
  const block = (column * x.width + from) / BLOCK;
  bank.kernels.quantise_i8(
    x.values + block * BLOCK * FLOAT_BYTES,
    (to - from) / BLOCK,
    x.quantised + block * BLOCK,
    x.scales + block * FLOAT_BYTES,
    x.starts + block * FLOAT_BYTES,
    matrix.kind === "q8" ? Q8_OFFSET : MXFP4_OFFSET,
    matrix.kind === "q8" ? x.i16 + block * BLOCK * I16_BYTES : 0,
  );
}
