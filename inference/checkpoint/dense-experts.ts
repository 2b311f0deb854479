/** Rows of an expert whose weights are floats, or quantised in another way than MXFP4. */

import { HALF } from "./dequantise.ts";
import { bytesOf } from "./dtypes.ts";
import type { Tensor } from "./tensor-file.ts";
import { type ExpertLinear, type ExpertWeights, readFloatsInto } from "./tensors.ts";

type Bytes = Uint8Array<ArrayBufferLike>;
type Floats = Float32Array<ArrayBufferLike>;
type Dense = Extract<ExpertWeights, { readonly form: "dense" }>;

/** What says where its elements are, for errors. */
export type DenseExpert = {
  /**
   * Rows as f32.
   * @param row a multiple of the number of parts, as is `rows`
   * @param target holds `rows · inputs`
   * @throws CheckpointError when the file has become shorter
   */
  read(row: number, rows: number, target: Floats): void;
  /** The tensor that has a row. */
  tensorOf(row: number): Tensor;
};

/** Opens one expert; what lies transposed is read as a whole. @throws CheckpointError */
export function openDenseExpert(linear: ExpertLinear, expert: number): DenseExpert {
  const weights = denseOf(linear);
  const { inputs } = linear;
  const tensors = weights.parts.map((part) => part[expert]!);
  const turns = tensors.length;
  const tensorOf = (row: number): Tensor => tensors[row % turns]!;
  if (weights.transposed) {
    const tensor = tensorOf(0);
    const bytes = new Uint8Array(tensor.byteLength);
    tensor.readInto(bytes, 0);
    return {
      tensorOf,
      read: (row, rows, target) => turnOver(tensor, bytes, inputs, row, rows, target),
    };
  }
  const read = (row: number, rows: number, target: Floats): void => {
    if (turns === 1) {
      readFloatsInto(tensorOf(0), row * inputs, target.subarray(0, rows * inputs));
      return;
    }
    const each = new Float32Array((rows / turns) * inputs);
    for (const [turn, tensor] of tensors.entries()) {
      readFloatsInto(tensor, (row / turns) * inputs, each);
      for (let i = 0; i < rows / turns; i++) {
        target.set(each.subarray(i * inputs, (i + 1) * inputs), (i * turns + turn) * inputs);
      }
    }
  };
  return { read, tensorOf };
}

/** Whether all its weights are of one dtype, in rows. */
export function isStoredAs(linear: ExpertLinear, dtype: Tensor["dtype"]): boolean {
  const { weights } = linear;
  if (weights.form !== "dense" || weights.transposed) return false;
  return weights.parts.every((part) => part.every((tensor) => tensor.dtype === dtype));
}

/**
 * Rows of one expert as they are in the file; those of two parts in turn. All parts have the same dtype.
 * @param target holds `rows · storedRowBytes`
 * @throws CheckpointError when the file has become shorter
 */
export function readStoredRows(
  linear: ExpertLinear,
  expert: number,
  row: number,
  rows: number,
  target: Bytes,
): void {
  const { parts } = denseOf(linear);
  const turns = parts.length;
  for (const [turn, part] of parts.entries()) {
    const tensor = part[expert]!;
    const rowBytes = bytesOf(tensor.dtype, linear.inputs);
    const first = (row / turns) * rowBytes;
    if (turns === 1) {
      tensor.readInto(target.subarray(0, rows * rowBytes), first);
      return;
    }
    const each = new Uint8Array((rows / turns) * rowBytes);
    tensor.readInto(each, first);
    for (let i = 0; i < rows / turns; i++) {
      target.set(each.subarray(i * rowBytes, (i + 1) * rowBytes), (i * turns + turn) * rowBytes);
    }
  }
}

function denseOf({ weights }: ExpertLinear): Dense {
  if (weights.form !== "dense") throw new Error("these experts are in MXFP4");
  return weights;
}

/**
 * Rows of a matrix that lies (inputs, outputs).
 * @param bytes of the whole matrix, floats
 */
function turnOver(
  { dtype, shape }: Tensor,
  bytes: Bytes,
  inputs: number,
  row: number,
  rows: number,
  target: Floats,
): void {
  const outputs = shape.at(-1) ?? 0;
  if (dtype === "F32") {
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, inputs * outputs);
    for (let i = 0; i < inputs; i++) {
      const from = i * outputs + row;
      for (let r = 0; r < rows; r++) target[r * inputs + i] = values[from + r]!;
    }
    return;
  }
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, inputs * outputs);
  if (dtype === "F16") {
    for (let i = 0; i < inputs; i++) {
      const from = i * outputs + row;
      for (let r = 0; r < rows; r++) target[r * inputs + i] = HALF[halves[from + r]!]!;
    }
    return;
  }
  // bf16 is the upper half of a float32.
  const bits = new Uint32Array(target.buffer, target.byteOffset, rows * inputs);
  for (let i = 0; i < inputs; i++) {
    const from = i * outputs + row;
    for (let r = 0; r < rows; r++) bits[r * inputs + i] = halves[from + r]! << 16;
  }
}
