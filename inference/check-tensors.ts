/** Looks at every number of a model for what would break its answers: NaN, infinity, and scales that are none. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { blockElements, bytesOf, type Dtype, elementsIn } from "./checkpoint/dtypes.ts";
import { openCheckpoint } from "./checkpoint/open.ts";
import type { Tensor } from "./checkpoint/tensor-file.ts";
import {
  type ExpertLinear,
  expertTensors,
  type Linear,
  type Weights,
} from "./checkpoint/tensors.ts";

export type TensorProblem = {
  /** As the file calls it. */
  readonly tensor: string;
  readonly file: string;
  /** The end of a sentence that begins with the tensor. */
  readonly problem: string;
};

export type TensorCheck = {
  /** How many tensors were looked at. */
  readonly tensors: number;
  readonly problems: readonly TensorProblem[];
};

/** A multiple of every block. */
const CHUNK_ELEMENTS = 1 << 20;
/** An E8M0 scale that is no number. */
const SCALE_NAN = 255;

/**
 * @param path as for `openModel`
 * @param onProgress gets bytes that were looked at, and how many there are
 * @throws ModelNotFoundError, CheckpointError, UnsupportedArchitectureError; the signal's reason
 */
export async function checkTensors(
  path: string,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<TensorCheck> {
  const checkpoint = openCheckpoint(path);
  try {
    const found = tensorsOf(checkpoint);
    const total = found.reduce((sum, { tensor }) => sum + tensor.byteLength, 0);
    const problems: TensorProblem[] = [];
    let before = 0;
    for (const { tensor, content } of found) {
      const problem = await problemOf(tensor, content, signal, (done) => {
        onProgress(before + done, total);
      });
      if (problem !== null) problems.push({ tensor: tensor.name, file: tensor.path, problem });
      before += tensor.byteLength;
    }
    // Rows that belong to one expert are a part of a tensor.
    const names = new Set(found.map(({ tensor }) => tensor.name.replace(/(?:\[[\d:]+\])+$/, "")));
    return { tensors: names.size, problems };
  } finally {
    checkpoint.close();
  }
}

/** What the bytes of a tensor are. */
type Content = "numbers" | "scales";

function tensorsOf(
  weights: Weights,
): readonly { readonly tensor: Tensor; readonly content: Content }[] {
  const found = new Map<string, { readonly tensor: Tensor; readonly content: Content }>();
  const add = (tensor: Tensor, content: Content = "numbers"): void => {
    found.set(`${tensor.path} ${tensor.position}`, { tensor, content });
  };
  const linear = ({ weight, bias }: Linear): void => {
    add(weight);
    add(bias);
  };
  const experts = (linear: ExpertLinear): void => {
    const { weights, bias } = linear;
    // Each of the 16 codes in the blocks is a number.
    if (weights.form === "separate") add(weights.scales, "scales");
    else for (const tensor of expertTensors(linear)) add(tensor);
    for (const tensor of bias.flat()) add(tensor);
  };
  add(weights.embedding);
  for (const layer of weights.layers) {
    for (const one of [layer.attnNorm, layer.sinks, layer.mlpNorm]) add(one);
    for (const one of [layer.q, layer.k, layer.v, layer.out, layer.router]) linear(one);
    experts(layer.gateUp);
    experts(layer.down);
  }
  add(weights.norm);
  add(weights.unembedding);
  return [...found.values()];
}

async function problemOf(
  tensor: Tensor,
  content: Content,
  signal: AbortSignal,
  onProgress: (done: number) => void,
): Promise<string | null> {
  const { dtype, byteLength } = tensor;
  const chunk = bytesOf(dtype, CHUNK_ELEMENTS);
  const buffer = new Uint8Array(Math.min(chunk, byteLength));
  for (let done = 0; done < byteLength; done += chunk) {
    // Ctrl-C is heard between two of them.
    await nextTurn();
    signal.throwIfAborted();
    const bytes = buffer.subarray(0, Math.min(chunk, byteLength - done));
    tensor.readInto(bytes, done);
    const at = content === "scales" ? bytes.indexOf(SCALE_NAN) : firstBroken(dtype, bytes);
    if (at !== -1) {
      const index = elementsIn(dtype, done) + at;
      return content === "scales"
        ? `has the scale ${SCALE_NAN} at ${index}, which is no number`
        : `is infinite or NaN at element ${index}`;
    }
    onProgress(done + bytes.byteLength);
  }
  return null;
}

/** @returns the index of the first element that is not finite; -1 for none */
function firstBroken(dtype: Dtype, bytes: Uint8Array<ArrayBuffer>): number {
  switch (dtype) {
    case "BF16":
      return firstMasked(new Uint16Array(bytes.buffer, 0, bytes.byteLength / 2), 0x7f80);
    case "F16":
      return firstMasked(new Uint16Array(bytes.buffer, 0, bytes.byteLength / 2), 0x7c00);
    case "F32":
      return firstMasked(new Uint32Array(bytes.buffer, 0, bytes.byteLength / 4), 0x7f80_0000);
    case "MXFP4":
    case "MXFP4_ADJACENT": {
      // The scale stands before the codes of its block.
      const blockBytes = bytesOf(dtype, blockElements(dtype));
      for (let at = 0; at < bytes.byteLength; at += blockBytes) {
        if (bytes[at] === SCALE_NAN) return elementsIn(dtype, at);
      }
      return -1;
    }
    case "Q8_0":
    case "Q4_0":
    case "Q5_0":
    case "IQ4_NL":
      return firstBrokenScale(dtype, bytes, [0]);
    case "Q4_1":
    case "Q5_1":
    case "Q4_K":
    case "Q5_K":
      return firstBrokenScale(dtype, bytes, [0, 2]);
    case "Q6_K":
      return firstBrokenScale(dtype, bytes, [208]);
    case "U8":
      return -1;
  }
}

/**
 * Elements of quantised blocks are small integers times scales of f16: they are finite where those are.
 * @param offsets of the scales in a block
 */
function firstBrokenScale(dtype: Dtype, bytes: Uint8Array, offsets: readonly number[]): number {
  const blockBytes = bytesOf(dtype, blockElements(dtype));
  for (let at = 0; at < bytes.byteLength; at += blockBytes) {
    // The upper byte has the exponent.
    for (const offset of offsets) {
      if ((bytes[at + offset + 1]! & 0x7c) === 0x7c) return elementsIn(dtype, at);
    }
  }
  return -1;
}

/** The exponents of numbers that are infinite or NaN have all bits set. */
function firstMasked(values: Uint16Array | Uint32Array, mask: number): number {
  for (let i = 0; i < values.length; i++) if ((values[i]! & mask) >>> 0 === mask) return i;
  return -1;
}
