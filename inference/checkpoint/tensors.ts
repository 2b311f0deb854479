/**
 * The checkpoint as the forward pass wants it: tensors by role, never by the name a file format
 * gave them. Everything here is lazy: a `Tensor` is a checked place in a file, and bytes move only
 * when somebody says where to.
 */

import { CheckpointError } from "../errors.ts";
import type { ModelConfig } from "./config.ts";

/** Element types a tensor of an accepted checkpoint can have. */
export type Dtype = "BF16" | "F16" | "F32" | "U8";

export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = { BF16: 2, F16: 2, F32: 4, U8: 1 };

/** A tensor in a file: row-major, outermost dimension first, little-endian. */
export interface Tensor {
  /** As the file calls it, for messages. */
  readonly name: string;
  /** The file it is in, for messages. */
  readonly path: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /**
   * Fills all of `target` with the tensor's bytes from `byteOffset` on. The target may be a view of
   * shared memory: no second copy is made.
   * @throws CheckpointError when the range leaves the tensor or the file has become shorter
   */
  readInto(target: Uint8Array<ArrayBufferLike>, byteOffset?: number): void;
}

/** y = W·x + b. */
export type Linear = {
  /** BF16, F16 or F32 (outputs, inputs) */
  readonly weight: Tensor;
  /** BF16, F16 or F32 (outputs) */
  readonly bias: Tensor;
};

/**
 * One matrix per expert in MXFP4. Byte j of a 16-byte block holds input 2j in its low and input
 * 2j+1 in its high nibble; the block's value is E2M1[nibble] · 2^(scale-127).
 */
export type ExpertLinear = {
  /** U8 (experts, outputs, inputs/32, 16) */
  readonly blocks: Tensor;
  /** U8 (experts, outputs, inputs/32), E8M0 */
  readonly scales: Tensor;
  /** BF16, F16 or F32 (experts, outputs) */
  readonly bias: Tensor;
};

export type LayerTensors = {
  /** (hidden) */
  readonly attnNorm: Tensor;
  /** (heads·headDim, hidden) */
  readonly q: Linear;
  /** (kvHeads·headDim, hidden) */
  readonly k: Linear;
  /** (kvHeads·headDim, hidden) */
  readonly v: Linear;
  /** (hidden, heads·headDim) */
  readonly out: Linear;
  /** (heads): one logit per head that takes part in the softmax and has no value */
  readonly sinks: Tensor;
  /** (hidden) */
  readonly mlpNorm: Tensor;
  /** (experts, hidden) */
  readonly router: Linear;
  /** outputs = 2·intermediate, interleaved: row 2i is gate i, row 2i+1 is up i */
  readonly gateUp: ExpertLinear;
  /** outputs = hidden, inputs = intermediate */
  readonly down: ExpertLinear;
};

/** Files beside the weights that others read; absent ones are undefined. */
export type ModelFiles = {
  readonly tokenizer: string | undefined;
  readonly generationConfig: string | undefined;
};

export interface Checkpoint {
  /** The path it was opened from, for messages. */
  readonly path: string;
  readonly config: ModelConfig;
  readonly files: ModelFiles;
  /** Bytes of all tensors. */
  readonly byteLength: number;
  /** (vocab, hidden) */
  readonly embedding: Tensor;
  /** (vocab, hidden) */
  readonly unembedding: Tensor;
  /** (hidden) */
  readonly norm: Tensor;
  readonly layers: readonly LayerTensors[];
  /** Closes the files; tensors can no longer be read. */
  close(): void;
}

// E8M0 is a power of two in every code but this one, which is "not a number".
const SCALE_NAN = 255;

/**
 * Refuses MXFP4 scales that are no number: one such byte would silently turn every logit into NaN.
 * @param scales bytes of `tensor` from `byteOffset` on
 * @throws CheckpointError naming the tensor and the place
 */
export function checkScales(
  scales: Uint8Array<ArrayBufferLike>,
  tensor: Tensor,
  byteOffset = 0,
): void {
  const at = scales.indexOf(SCALE_NAN);
  if (at === -1) return;
  throw new CheckpointError(
    tensor.path,
    `scale ${byteOffset + at} of ${tensor.name} is ${SCALE_NAN}, which is not a number in E8M0; accepted: 0 … 254.`,
    tensor.name,
  );
}

/**
 * A whole float tensor as float32. Exact: BF16 and F16 values are all float32 values.
 * @throws CheckpointError when the file has become shorter
 */
export function readFloat32(tensor: Tensor): Float32Array<ArrayBuffer> {
  const bytes = new Uint8Array(tensor.byteLength);
  tensor.readInto(bytes);
  return toFloat32(bytes, tensor.dtype);
}

/** Little-endian elements as float32; U8 elements as their integer value. */
export function toFloat32(bytes: Uint8Array<ArrayBuffer>, dtype: Dtype): Float32Array<ArrayBuffer> {
  const count = bytes.byteLength / DTYPE_BYTES[dtype];
  const out = new Float32Array(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === "BF16") {
    const bits = new Uint32Array(out.buffer);
    for (let i = 0; i < count; i++) bits[i] = view.getUint16(2 * i, true) << 16;
  } else if (dtype === "F16") {
    for (let i = 0; i < count; i++) out[i] = view.getFloat16(2 * i, true);
  } else if (dtype === "F32") {
    for (let i = 0; i < count; i++) out[i] = view.getFloat32(4 * i, true);
  } else {
    out.set(bytes);
  }
  return out;
}
