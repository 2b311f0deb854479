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
import type { Activations, Matrix, Precision } from "./plan.ts";

/** Multiplications of a piece of work: 10 to 20 µs. */
const PIECE_MULTIPLICATIONS = 1 << 18;

/** How many `unit`s of rows of a matrix, times `count` columns, make a piece that is dealt out. */
export function unitsPerPiece(width: number, count: number, unit: number): number {
  return Math.ceil(PIECE_MULTIPLICATIONS / (width * Math.max(1, count) * unit));
}

/**
 * Rows `from` … `to - 1` of `matrix · x + bias` for `count` columns, written to `y` at their own row:
 * y[column · stride + row]. `from` is a multiple of 8.
 *
 * @param x activations; column `first` is the first one used
 * @param columns address of u32 (count) that picks columns counted from `first`, or 0 for all in order
 * @param strip this thread's scratch for one unpacked row group
 */
export function multiply(
  bank: MemoryBank,
  precision: Precision,
  matrix: Matrix,
  x: Activations,
  first: number,
  columns: Address,
  count: number,
  from: number,
  to: number,
  y: Address,
  stride: number,
  strip: Address,
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
    kernel(w, rows, width, values, count, bias, out, stride);
    return;
  }
  const record = matrix.kind === "q8" ? Q8_RECORD_BYTES : MXFP4_RECORD_BYTES;
  const w = matrix.address + (from / ROW_GROUP) * blocks * record;
  if (matrix.kind === "mxfp4" && precision === "exact") {
    kernels.mxfp4_matmul_f32(w, rows, blocks, values, columns, count, bias, out, stride, strip);
    return;
  }
  const quantised = x.quantised + first * width;
  const scales = x.scales + first * blocks * FLOAT_BYTES;
  const starts = x.starts + first * blocks * FLOAT_BYTES;
  if (matrix.kind === "q8") {
    kernels.q8_matmul_i8(
      w,
      rows,
      blocks,
      quantised,
      x.i16 + first * width * I16_BYTES,
      scales,
      starts,
      columns,
      count,
      bias,
      out,
      stride,
    );
  } else {
    kernels.mxfp4_matmul_i8(
      w,
      rows,
      blocks,
      quantised,
      scales,
      starts,
      columns,
      count,
      bias,
      out,
      stride,
      strip,
    );
  }
}

/**
 * Brings values `from` … `to - 1` of a column (whole blocks of 32) into the form that products with
 * `matrix` read: nothing to do where they read f32.
 */
export function prepare(
  bank: MemoryBank,
  precision: Precision,
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
