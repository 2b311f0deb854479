/**
 * Brings tensors into one bank, each into the layout of its kind. What is read is staged in the scratch
 * area of the bank, of which every thread has a part of its own, so that loading takes no memory beyond
 * the loaded model. Where a piece ends changes nothing in the result.
 */

import { isStoredAs, openDenseExpert, readStoredRows } from "../checkpoint/dense-experts.ts";
import { bytesOf, type Dtype, elementsIn } from "../checkpoint/dtypes.ts";
import {
  expertScaleError,
  readExpertBias,
  readExpertRows,
  storedRowBytes,
} from "../checkpoint/expert-rows.ts";
import { packMxfp4 } from "../checkpoint/mxfp4-pack.ts";
import type { Tensor } from "../checkpoint/tensor-file.ts";
import { type ExpertLinear, readFloatsInto } from "../checkpoint/tensors.ts";
import { CheckpointError } from "../errors.ts";
import { type Address, BLOCK, FLOAT_BYTES, ROW_GROUP } from "../wasm/kernels.ts";
import { alignUp, type MemoryBank } from "../wasm/memory-bank.ts";
import { type Matrix, matrixBytes } from "./matrix.ts";

/** Most bytes that are staged at a time: a piece is still in the processor's cache when it is converted. */
const PIECE_BYTES = 1 << 20;

/** Of dtypes whose elements are floats by themselves. */
const ELEMENT_BYTES: Partial<Record<Dtype, number>> = { BF16: 2, F16: 2, F32: FLOAT_BYTES };

/** Where a thread stages in every bank. */
export type Staging = { readonly address: Address; readonly bytes: number };

export class TensorLoader {
  readonly #bank: MemoryBank;
  readonly #staging: Address;
  readonly #stagingBytes: number;
  /** Conversions read from the first half of the staging area. */
  readonly #halfBytes: number;

  constructor(bank: MemoryBank, staging: Staging) {
    this.#bank = bank;
    this.#staging = staging.address;
    this.#stagingBytes = Math.min(staging.bytes, PIECE_BYTES);
    this.#halfBytes = alignUp(Math.floor(this.#stagingBytes / 2) - alignUp(1));
  }

  /** Bytes of a tensor as they are, from `offset` on, whole elements. */
  raw(tensor: Tensor, offset: number, address: Address, bytes: number): void {
    tensor.readInto(this.#bank.bytes.subarray(address, address + bytes), offset);
    const size = ELEMENT_BYTES[tensor.dtype];
    if (size === undefined) return;
    const { kernels } = this.#bank;
    const count = bytes / size;
    const exponent = tensor.dtype === "F16" ? 0x7c00 : 0x7f80;
    const found =
      size === FLOAT_BYTES
        ? kernels.not_finite_32(address, count)
        : kernels.not_finite_16(address, count, exponent);
    if (found < count) throw notFinite(tensor, offset / size + found);
  }

  /** Elements `first` … `first + count - 1` of a tensor, as f32; whole blocks of its dtype. */
  floats(
    tensor: Tensor,
    address: Address,
    first = 0,
    count: number = elements(tensor) - first,
  ): void {
    if (tensor.dtype !== "BF16" && tensor.dtype !== "F16" && tensor.dtype !== "F32") {
      const at = address / FLOAT_BYTES;
      readFloatsInto(tensor, first, this.#bank.floats.subarray(at, at + count));
      const found = this.#bank.kernels.not_finite_32(address, count);
      if (found < count) throw notFinite(tensor, first + found);
      return;
    }
    const size = bytesOf(tensor.dtype, 1);
    if (tensor.dtype === "F32") {
      this.raw(tensor, first * size, address, count * size);
      return;
    }
    const { kernels } = this.#bank;
    const convert = tensor.dtype === "BF16" ? kernels.bf16_to_f32 : kernels.f16_to_f32;
    const chunk = Math.floor(this.#halfBytes / size);
    for (let i = 0; i < count; i += chunk) {
      const n = Math.min(chunk, count - i);
      this.raw(tensor, (first + i) * size, this.#staging, n * size);
      convert(this.#staging, address + i * FLOAT_BYTES, n);
    }
  }

  /** A matrix whose rows are those of the tensors, one after the other. */
  dense(matrix: Matrix, tensors: readonly Tensor[]): void {
    let row = 0;
    for (const tensor of tensors) {
      const rows = tensor.shape[0] ?? 0;
      this.denseRows(matrix, row, tensor, 0, rows);
      row += rows;
    }
  }

  /**
   * Rows `first` … `first + rows - 1` of a tensor, to row `to` of a matrix and the following.
   * @param to a multiple of 8, as is `first`
   */
  denseRows(matrix: Matrix, to: number, tensor: Tensor, first: number, rows: number): void {
    const { kind, columns } = matrix;
    const chunk = this.#rowsPerPiece(columns);
    for (let row = 0; row < rows; row += chunk) {
      const n = Math.min(chunk, rows - row);
      const address = matrix.address + matrixBytes({ kind, columns, rows: to + row });
      this.#densePiece(kind, tensor, first + row, n, columns, address);
    }
  }

  /** Rows, in whole row groups, whose f32 values fill at most half of the staging area. */
  #rowsPerPiece(columns: number): number {
    return Math.floor(this.#halfBytes / (columns * FLOAT_BYTES * ROW_GROUP)) * ROW_GROUP;
  }

  #densePiece(
    kind: Matrix["kind"],
    tensor: Tensor,
    row: number,
    rows: number,
    columns: number,
    address: Address,
  ): void {
    const first = row * columns;
    if (kind === "bf16") {
      const bytes = bytesOf(tensor.dtype, rows * columns);
      this.raw(tensor, bytesOf(tensor.dtype, first), address, bytes);
    } else if (kind === "f32") {
      this.floats(tensor, address, first, rows * columns);
    } else if (tensor.dtype === "Q8_0") {
      this.#repackQ8(tensor, first, rows, columns, address);
    } else {
      // The second half of the staging area holds the floats, the first is left to their conversion.
      const values = this.#staging + this.#halfBytes;
      this.floats(tensor, values, first, rows * columns);
      this.#bank.kernels.q8_pack(values, address, rows, columns / BLOCK);
    }
  }

  /** Q8_0 needs no rounding: its values are brought into another order. */
  #repackQ8(tensor: Tensor, first: number, rows: number, columns: number, address: Address): void {
    this.raw(tensor, bytesOf("Q8_0", first), this.#staging, bytesOf("Q8_0", rows * columns));
    const bad = this.#bank.kernels.q8_repack(this.#staging, address, rows, columns / BLOCK);
    if (bad === 0) return;
    throw new CheckpointError(
      tensor.path,
      `the scale of block ${first / BLOCK + bad - 1} of ${tensor.name} is not a finite number.`,
      tensor.name,
    );
  }

  biases(matrix: Matrix, tensors: readonly Tensor[]): void {
    let address = matrix.bias;
    for (const tensor of tensors) {
      this.floats(tensor, address);
      address += elements(tensor) * FLOAT_BYTES;
    }
  }

  expertBias(matrix: Matrix, linear: ExpertLinear, expert: number): void {
    this.#bank.floats.set(readExpertBias(linear, expert), matrix.bias / FLOAT_BYTES);
    const found = this.#bank.kernels.not_finite_32(matrix.bias, matrix.rows);
    if (found === matrix.rows) return;
    const { length } = linear.bias;
    throw notFinite(linear.bias[found % length]![expert]!, Math.floor(found / length));
  }

  /** Rows `from` … `to - 1` of one expert, as records; `from` is a multiple of 8. */
  expertRows(matrix: Matrix, linear: ExpertLinear, expert: number, from: number, to: number): void {
    if (linear.weights.form === "dense") {
      this.#denseExpertRows(matrix, linear, expert, from, to);
      return;
    }
    const { columns } = matrix;
    const rowBlocks = columns / BLOCK;
    const rowBytes = storedRowBytes(linear);
    const chunk = Math.floor(this.#stagingBytes / (rowBytes * ROW_GROUP)) * ROW_GROUP;
    for (let row = from; row < to; row += chunk) {
      const n = Math.min(chunk, to - row);
      const start = this.#staging;
      const target = this.#bank.bytes.subarray(start, start + n * rowBytes);
      const staged = readExpertRows(linear, expert, row, n, target);
      const bad = this.#bank.kernels.mxfp4_repack(
        start + staged.codes,
        start + staged.scales,
        staged.blockBytes,
        staged.split ? 1 : 0,
        staged.odd,
        matrix.address + matrixBytes({ kind: "mxfp4", rows: row, columns }),
        n,
        rowBlocks,
      );
      if (bad !== 0) throw expertScaleError(linear, expert, row * rowBlocks + bad - 1);
    }
  }

  #denseExpertRows(
    matrix: Matrix,
    linear: ExpertLinear,
    expert: number,
    from: number,
    to: number,
  ): void {
    if (to <= from) return;
    const { kind, columns } = matrix;
    const address = (row: number): Address =>
      matrix.address + matrixBytes({ kind, columns, rows: row });
    const chunk = this.#rowsPerPiece(columns);
    if (kind === "q8" && isStoredAs(linear, "Q8_0")) {
      const rowBytes = bytesOf("Q8_0", columns);
      for (let row = from; row < to; row += chunk) {
        const n = Math.min(chunk, to - row);
        const target = this.#bank.bytes.subarray(this.#staging, this.#staging + n * rowBytes);
        readStoredRows(linear, expert, row, n, target);
        const bad = this.#bank.kernels.q8_repack(this.#staging, address(row), n, columns / BLOCK);
        if (bad === 0) continue;
        const found = row + Math.floor((bad - 1) / (columns / BLOCK));
        throw notFinite(openDenseExpert(linear, expert).tensorOf(found), `of row ${found}`);
      }
      return;
    }
    const opened = openDenseExpert(linear, expert);
    const values = this.#staging + this.#halfBytes;
    for (let row = from; row < to; row += chunk) {
      const n = Math.min(chunk, to - row);
      const at = values / FLOAT_BYTES;
      const floats = this.#bank.floats.subarray(at, at + n * columns);
      opened.read(row, n, floats);
      const found = this.#bank.kernels.not_finite_32(values, n * columns);
      if (found < n * columns) {
        const place = row + Math.floor(found / columns);
        throw notFinite(opened.tensorOf(place), `${found % columns} of row ${place}`);
      }
      this.#pack(matrix, values, address(row), n);
    }
  }

  /** Rows of f32 into the form of a matrix. */
  #pack({ kind, columns }: Matrix, values: Address, target: Address, rows: number): void {
    const { bytes, floats, kernels } = this.#bank;
    const blocks = columns / BLOCK;
    const at = values / FLOAT_BYTES;
    const source = floats.subarray(at, at + rows * columns);
    if (kind === "q8") {
      kernels.q8_pack(values, target, rows, blocks);
    } else if (kind === "f32") {
      floats.set(source, target / FLOAT_BYTES);
    } else if (kind === "bf16") {
      // Only where the file has bf16: nothing is rounded.
      const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
      const halves = new Uint16Array(bytes.buffer, target, source.length);
      for (let i = 0; i < bits.length; i++) halves[i] = bits[i]! >>> 16;
    } else {
      const codes = this.#staging;
      const scales = codes + (rows * columns) / 2;
      const ends = [scales, scales + rows * blocks] as const;
      packMxfp4(source, bytes.subarray(codes, ends[0]), bytes.subarray(ends[0], ends[1]));
      kernels.mxfp4_repack(codes, scales, BLOCK / 2, 0, 0, target, rows, blocks);
    }
  }
}

/**
 * A NaN or an infinity in the weights makes every logit NaN, or is passed over by a softmax or a
 * rounding and changes what the model says.
 */
export function notFinite(tensor: Tensor, element: number | string): CheckpointError {
  return new CheckpointError(
    tensor.path,
    `element ${element} of ${tensor.name} is infinite or NaN; accepted: finite numbers.`,
    // Of an expert's part of a tensor, the tensor's.
    tensor.name.replace(/(?:\[[\d:]+\])+$/, ""),
  );
}

function elements(tensor: Tensor): number {
  return elementsIn(tensor.dtype, tensor.byteLength);
}
