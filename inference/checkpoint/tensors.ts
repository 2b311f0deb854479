/**
 * The checkpoint as the forward pass wants it: tensors by role, never by the name a file format
 * gave them. Everything here is lazy: a `Tensor` is a checked place in a file, and bytes move only
 * when a caller says where to.
 */

import type { ModelConfig } from "./config.ts";
import { dequantise } from "./dequantise.ts";
import { bytesOf, elementsIn } from "./dtypes.ts";
import type { Tensor } from "./tensor-file.ts";
import type { ListedVocabulary } from "./vocabulary.ts";

/** y = W·x + b. Here and below, `T` is what stands for a tensor: itself, or only its place. */
export type Linear<T = Tensor> = {
  /** (outputs, inputs), of any dense dtype */
  readonly weight: T;
  /** (outputs) */
  readonly bias: T;
};

/**
 * Some rows of every expert: those of expert e begin at row `first` of a tensor's e-th slice. A
 * tensor with the rows of gate above those of up is two such parts.
 */
export type ExpertPart<T = Tensor> = {
  /** (experts, rows, …) */
  readonly tensor: T;
  readonly first: number;
};

/**
 * Where the weights of the experts lie. MXFP4, as gpt-oss was published: `separate`: U8 blocks (experts,
 * outputs, inputs/32, 16) whose byte j has input 2j in its low and 2j+1 in its high nibble, and U8 scales
 * (experts, outputs, inputs/32). `joined`: blocks of 17 bytes, scale first; one part has the rows in order,
 * two parts are taken in turn, a row of the first, then one of the second.
 *
 * Of any other dtype, as fine-tunes are saved: `dense`: for each part, and in it for each expert, a matrix
 * (rows, inputs), or `transposed` (inputs, outputs). Two parts are taken in turn.
 */
export type ExpertWeights<T = Tensor> =
  | { readonly form: "separate"; readonly blocks: T; readonly scales: T }
  | { readonly form: "joined"; readonly parts: readonly ExpertPart<T>[] }
  | {
      readonly form: "dense";
      readonly parts: readonly (readonly T[])[];
      readonly transposed: boolean;
    };

/** One matrix per expert; `expert-rows.ts` and `dense-experts.ts` read it from every kind of file. */
export type ExpertLinear<T = Tensor> = {
  readonly experts: number;
  readonly outputs: number;
  readonly inputs: number;
  readonly weights: ExpertWeights<T>;
  /** For each part, and in it for each expert, (rows) or (1, rows); two parts are taken in turn. */
  readonly bias: readonly (readonly T[])[];
};

/** The tensors that the weights of experts lie in. */
export function expertTensors({ weights }: ExpertLinear): readonly Tensor[] {
  if (weights.form === "separate") return [weights.blocks, weights.scales];
  if (weights.form === "dense") return weights.parts.flat();
  return weights.parts.map(({ tensor }) => tensor);
}

export type LayerTensors<T = Tensor> = {
  /** (hidden) */
  readonly attnNorm: T;
  /** (heads·headDim, hidden) */
  readonly q: Linear<T>;
  /** (kvHeads·headDim, hidden) */
  readonly k: Linear<T>;
  /** (kvHeads·headDim, hidden) */
  readonly v: Linear<T>;
  /** (hidden, heads·headDim) */
  readonly out: Linear<T>;
  /** (heads): one logit per head that takes part in the softmax and has no value */
  readonly sinks: T;
  /** (hidden) */
  readonly mlpNorm: T;
  /** (experts, hidden) */
  readonly router: Linear<T>;
  /** outputs = 2·intermediate, interleaved: row 2i is gate i, row 2i+1 is up i */
  readonly gateUp: ExpertLinear<T>;
  /** outputs = hidden, inputs = intermediate */
  readonly down: ExpertLinear<T>;
};

/** All tensors of a model. */
export type Weights<T = Tensor> = {
  /** (vocab, hidden) */
  readonly embedding: T;
  /** (vocab, hidden) */
  readonly unembedding: T;
  /** (hidden) */
  readonly norm: T;
  readonly layers: readonly LayerTensors<T>[];
};

/** Files beside the weights that others read; absent ones are undefined. */
export type ModelFiles = {
  readonly tokenizer: string | undefined;
  readonly generationConfig: string | undefined;
  /** The vocabulary in the weights' own file, unless it is that of o200k_harmony. */
  readonly vocabulary: ListedVocabulary | undefined;
};

export interface Checkpoint extends Weights {
  /** The path it was opened from, for messages. */
  readonly path: string;
  readonly config: ModelConfig;
  readonly files: ModelFiles;
  /** Bytes of all tensors. */
  readonly byteLength: number;
  /** Closes the files, unless another holder still needs them; tensors can no longer be read. */
  close(): void;
  /** Keeps the files open for one more holder. @returns what says that this one needs them no more */
  retain(): () => void;
  /** Which weights these are: the same for the same files on every machine. @throws CheckpointError */
  fingerprint(): string;
}

/** Bytes read and converted at a time; a multiple of every block. */
const CHUNK_ELEMENTS = 1 << 18;

/**
 * Elements of a tensor as float32, from any dtype: exact, but for MXFP4 scales below 2^-126.
 * @param first a multiple of the dtype's block, as is the length of `target`
 * @throws CheckpointError when the file has become shorter
 */
export function readFloatsInto(
  tensor: Tensor,
  first: number,
  target: Float32Array<ArrayBufferLike>,
): void {
  const { dtype } = tensor;
  const buffer = new Uint8Array(bytesOf(dtype, Math.min(CHUNK_ELEMENTS, target.length)));
  for (let done = 0; done < target.length; done += CHUNK_ELEMENTS) {
    const count = Math.min(CHUNK_ELEMENTS, target.length - done);
    const bytes = buffer.subarray(0, bytesOf(dtype, count));
    tensor.readInto(bytes, bytesOf(dtype, first + done));
    dequantise(dtype, bytes, target.subarray(done, done + count));
  }
}

/** A whole tensor as float32. */
export function readFloat32(tensor: Tensor): Float32Array<ArrayBuffer> {
  const out = new Float32Array(elementsIn(tensor.dtype, tensor.byteLength));
  readFloatsInto(tensor, 0, out);
  return out;
}
