/**
 * Fills the banks: reads each tensor and brings it into the layout of its kind. Raw bytes are staged
 * in the scratch area of the bank they are for, so loading takes no memory beyond the loaded model.
 */

import { setImmediate } from "node:timers/promises";
import { bytesOf, elementsIn } from "../checkpoint/dtypes.ts";
import { checkExpertScales, readExpertBias, readExpertRows } from "../checkpoint/expert-rows.ts";
import {
  type Checkpoint,
  type ExpertLinear,
  type LayerTensors,
  readFloatsInto,
  type Tensor,
} from "../checkpoint/tensors.ts";
import { type Address, BLOCK, ROW_GROUP } from "../wasm/kernels.ts";
import { alignUp, type MemoryBank } from "../wasm/memory-bank.ts";
import { type LayerPlan, type Matrix, type ModelPlan, matrixBytes } from "./plan.ts";

const FLOAT_BYTES = 4;
/** Longest time that loading keeps the thread from its other work, but for one piece of a tensor. */
const MAX_BLOCKING_MS = 20;
/** Most bytes of f32 values in one piece of a dense tensor. */
const PIECE_BYTES = 32 << 20;

export type LoadOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Called after each layer, in layers of `config.layers` + 2 (embedding and head). */
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
};

/**
 * @param banks one per entry of `plan.banks`
 * @returns the sinks, f32 (layers, heads): they lie beside each session's cache, not in a bank
 * @throws CheckpointError for a file that is cut short or scales that are no numbers
 * @throws the signal's reason
 */
export async function loadWeights(
  checkpoint: Checkpoint,
  plan: ModelPlan,
  banks: readonly MemoryBank[],
  options: LoadOptions = {},
): Promise<Float32Array> {
  const sinks = new Float32Array(plan.config.layers * plan.config.heads);
  options.signal?.throwIfAborted();
  let pausedAt = performance.now();
  let done = 0;
  for (const step of steps(checkpoint, plan, banks, sinks)) {
    if (step === "unit") {
      options.onProgress?.({ done: ++done, total: plan.config.layers + 2 });
    } else if (performance.now() - pausedAt < MAX_BLOCKING_MS) {
      continue;
    }
    await setImmediate();
    options.signal?.throwIfAborted();
    pausedAt = performance.now();
  }
  return sinks;
}

/** A piece of a tensor was brought in, or a unit (embedding, layer, head) is complete. */
type LoadStep = "piece" | "unit";

function* steps(
  checkpoint: Checkpoint,
  plan: ModelPlan,
  banks: readonly MemoryBank[],
  sinks: Float32Array,
): Generator<LoadStep, void, void> {
  const { config, embedding, head } = plan;
  const loaderOf = (bank: number): Loader => new Loader(banks[bank]!, plan);
  const table: Matrix = { ...embedding, rows: config.vocab, columns: config.hidden, bias: 0 };
  yield* loaderOf(embedding.bank).dense(table, [checkpoint.embedding]);
  yield "unit";
  for (const [index, layer] of plan.layers.entries()) {
    const tensors = checkpoint.layers[index]!;
    const loader = loaderOf(layer.bank);
    yield* loader.layer(layer, tensors);
    sinks.set(loader.readFloats(tensors.sinks), index * config.heads);
    yield "unit";
  }
  const loader = loaderOf(head.bank);
  loader.floats(checkpoint.norm, head.norm);
  yield* loader.dense(head.unembedding, [checkpoint.unembedding]);
  yield "unit";
}

/** Brings tensors into one bank. */
class Loader {
  readonly #bank: MemoryBank;
  readonly #staging: Address;
  readonly #stagingBytes: number;
  /** Conversions read from the first half of the staging area. */
  readonly #halfBytes: number;

  constructor(bank: MemoryBank, plan: ModelPlan) {
    this.#bank = bank;
    this.#staging = plan.scratch.start;
    this.#stagingBytes = plan.scratch.end - plan.scratch.start;
    this.#halfBytes = alignUp(Math.floor(this.#stagingBytes / 2) - alignUp(1));
  }

  *layer(plan: LayerPlan, tensors: LayerTensors): Generator<LoadStep, void, void> {
    this.floats(tensors.attnNorm, plan.attnNorm);
    this.floats(tensors.mlpNorm, plan.mlpNorm);
    const { q, k, v, out, router } = tensors;
    yield* this.dense(plan.qkv, [q.weight, k.weight, v.weight]);
    this.#biases(plan.qkv, [q.bias, k.bias, v.bias]);
    yield* this.dense(plan.out, [out.weight]);
    this.#biases(plan.out, [out.bias]);
    yield* this.dense(plan.router, [router.weight]);
    this.#biases(plan.router, [router.bias]);
    yield* this.#experts(plan.gateUp, tensors.gateUp);
    yield* this.#experts(plan.down, tensors.down);
  }

  /** Elements `first` … `first + count - 1` of a tensor, as f32; whole blocks of its dtype. */
  floats(tensor: Tensor, address: Address, first = 0, count = elements(tensor) - first): void {
    if (tensor.dtype !== "BF16" && tensor.dtype !== "F16" && tensor.dtype !== "F32") {
      const at = address / FLOAT_BYTES;
      readFloatsInto(tensor, first, this.#bank.floats.subarray(at, at + count));
      return;
    }
    const size = bytesOf(tensor.dtype, 1);
    if (tensor.dtype === "F32") {
      this.#read(tensor, first * size, address, count * size);
      return;
    }
    const { kernels } = this.#bank;
    const convert = tensor.dtype === "BF16" ? kernels.bf16_to_f32 : kernels.f16_to_f32;
    const chunk = Math.floor(this.#halfBytes / size);
    for (let i = 0; i < count; i += chunk) {
      const n = Math.min(chunk, count - i);
      this.#read(tensor, (first + i) * size, this.#staging, n * size);
      convert(this.#staging, address + i * FLOAT_BYTES, n);
    }
  }

  /** A small float tensor for this side. */
  readFloats(tensor: Tensor): Float32Array {
    const count = elements(tensor);
    const address = this.#staging + this.#halfBytes;
    this.floats(tensor, address);
    return Float32Array.from(this.#bank.floats.subarray(address / 4, address / 4 + count));
  }

  /** A matrix whose rows are those of the tensors, one after the other. */
  *dense(matrix: Matrix, tensors: readonly Tensor[]): Generator<LoadStep, void, void> {
    const { kind, columns } = matrix;
    let row = 0;
    for (const tensor of tensors) {
      const rows = tensor.shape[0] ?? 0;
      const chunk = this.#rowsPerPiece(columns);
      for (let first = 0; first < rows; first += chunk) {
        const n = Math.min(chunk, rows - first);
        const address = matrix.address + matrixBytes({ kind, columns, rows: row + first });
        this.#denseRows(kind, tensor, first * columns, n, columns, address);
        yield "piece";
      }
      row += rows;
    }
  }

  /** Rows, in whole row groups, whose f32 values fill at most half of the staging area. */
  #rowsPerPiece(columns: number): number {
    const bytes = Math.min(this.#halfBytes, PIECE_BYTES);
    return Math.floor(bytes / (columns * FLOAT_BYTES * ROW_GROUP)) * ROW_GROUP;
  }

  /** `rows` rows from element `first` of a tensor on. */
  #denseRows(
    kind: Matrix["kind"],
    tensor: Tensor,
    first: number,
    rows: number,
    columns: number,
    address: Address,
  ): void {
    if (kind === "bf16") {
      const bytes = bytesOf(tensor.dtype, rows * columns);
      this.#read(tensor, bytesOf(tensor.dtype, first), address, bytes);
    } else if (kind === "f32") {
      this.floats(tensor, address, first, rows * columns);
    } else {
      // The second half of the staging area holds the floats, the first is left to their conversion.
      const values = this.#staging + this.#halfBytes;
      this.floats(tensor, values, first, rows * columns);
      this.#bank.kernels.q8_pack(values, address, rows, columns / BLOCK);
    }
  }

  #biases(matrix: Matrix, tensors: readonly Tensor[]): void {
    let address = matrix.bias;
    for (const tensor of tensors) {
      this.floats(tensor, address);
      address += elements(tensor) * FLOAT_BYTES;
    }
  }

  *#experts(matrices: readonly Matrix[], tensors: ExpertLinear): Generator<LoadStep, void, void> {
    for (const [e, matrix] of matrices.entries()) {
      this.#repack(matrix, tensors, e);
      this.#bank.floats.set(readExpertBias(tensors, e), matrix.bias / FLOAT_BYTES);
      yield "piece";
    }
  }

  /** One expert's blocks and scales to records, some row groups at a time. */
  #repack(matrix: Matrix, tensors: ExpertLinear, expert: number): void {
    const { rows, columns } = matrix;
    const rowBlocks = columns / BLOCK;
    const rowBytes = (rowBlocks * BLOCK) / 2;
    const room = this.#stagingBytes - alignUp(1);
    const chunk = Math.floor(room / ((rowBytes + rowBlocks) * ROW_GROUP)) * ROW_GROUP;
    for (let row = 0; row < rows; row += chunk) {
      const n = Math.min(chunk, rows - row);
      const scales = this.#staging + alignUp(n * rowBytes);
      const scaleBytes = this.#bank.bytes.subarray(scales, scales + n * rowBlocks);
      const blocks = this.#bank.bytes.subarray(this.#staging, this.#staging + n * rowBytes);
      readExpertRows(tensors, expert, row, blocks, scaleBytes);
      const out = matrix.address + matrixBytes({ kind: "mxfp4", rows: row, columns });
      if (this.#bank.kernels.mxfp4_repack(this.#staging, scales, out, n, rowBlocks) !== 0) {
        checkExpertScales(tensors, expert, row, scaleBytes);
      }
    }
  }

  #read(tensor: Tensor, offset: number, address: Address, bytes: number): void {
    tensor.readInto(this.#bank.bytes.subarray(address, address + bytes), offset);
  }
}

function elements(tensor: Tensor): number {
  return elementsIn(tensor.dtype, tensor.byteLength);
}
