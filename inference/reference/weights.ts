import type { ModelConfig } from "../checkpoint/config.ts";
import { openDenseExpert } from "../checkpoint/dense-experts.ts";
import { checkExpertScales, readExpertBias } from "../checkpoint/expert-rows.ts";
import type { Tensor } from "../checkpoint/tensor-file.ts";
import {
  type Checkpoint,
  type ExpertLinear,
  type ExpertPart,
  type Linear,
  readFloat32,
  readFloatsInto,
} from "../checkpoint/tensors.ts";
import { decodeBlocks } from "./mxfp4.ts";

/** y = W·x + b */
export type Matrix = {
  /** f64 (outputs, inputs) */
  readonly weight: Float64Array;
  /** f64 (outputs) */
  readonly bias: Float64Array;
};

export type ReferenceLayer = {
  readonly attnNorm: Float64Array; // (hidden)
  readonly q: Matrix; // (heads·headDim, hidden)
  readonly k: Matrix; // (kvHeads·headDim, hidden)
  readonly v: Matrix; // (kvHeads·headDim, hidden)
  readonly out: Matrix; // (hidden, heads·headDim)
  readonly sinks: Float64Array; // (heads)
  readonly mlpNorm: Float64Array; // (hidden)
  readonly router: Matrix; // (experts, hidden)
  readonly gateUp: readonly Matrix[]; // per expert (2·intermediate, hidden), gate and up rows in turn
  readonly down: readonly Matrix[]; // per expert (hidden, intermediate)
};

export type ReferenceWeights = {
  readonly config: ModelConfig;
  readonly embedding: Float64Array; // (vocab, hidden)
  readonly unembedding: Float64Array; // (vocab, hidden)
  readonly norm: Float64Array; // (hidden)
  readonly layers: readonly ReferenceLayer[];
};

/**
 * All weights of a checkpoint in float64: 8 bytes per parameter, so for small models only.
 * @throws CheckpointError
 */
export function readReferenceWeights(checkpoint: Checkpoint): ReferenceWeights {
  return {
    config: checkpoint.config,
    embedding: read(checkpoint.embedding),
    unembedding: read(checkpoint.unembedding),
    norm: read(checkpoint.norm),
    layers: checkpoint.layers.map((layer) => ({
      attnNorm: read(layer.attnNorm),
      q: matrix(layer.q),
      k: matrix(layer.k),
      v: matrix(layer.v),
      out: matrix(layer.out),
      sinks: read(layer.sinks),
      mlpNorm: read(layer.mlpNorm),
      router: matrix(layer.router),
      gateUp: experts(layer.gateUp),
      down: experts(layer.down),
    })),
  };
}

function read(tensor: Tensor): Float64Array {
  return Float64Array.from(readFloat32(tensor));
}

function matrix(linear: Linear): Matrix {
  return { weight: read(linear.weight), bias: read(linear.bias) };
}

function experts(linear: ExpertLinear): Matrix[] {
  return Array.from({ length: linear.experts }, (_, expert) => ({
    weight: expertWeight(linear, expert),
    bias: Float64Array.from(readExpertBias(linear, expert)),
  }));
}

function expertWeight(linear: ExpertLinear, expert: number): Float64Array {
  const { weights, experts: count, outputs, inputs } = linear;
  if (weights.form === "dense") {
    const values = new Float32Array(outputs * inputs);
    openDenseExpert(linear, expert).read(0, outputs, values);
    return Float64Array.from(values);
  }
  if (weights.form === "joined") return expertRows(weights.parts, expert, outputs, inputs);
  const blocks = new Uint8Array(weights.blocks.byteLength / count);
  const scales = new Uint8Array(weights.scales.byteLength / count);
  weights.blocks.readInto(blocks, expert * blocks.length);
  weights.scales.readInto(scales, expert * scales.length);
  checkExpertScales(linear, expert, scales);
  return decodeBlocks(blocks, scales);
}

/** The rows of one expert; those of two parts in turn. */
function expertRows(
  parts: readonly ExpertPart[],
  expert: number,
  outputs: number,
  width: number,
): Float64Array {
  const out = new Float64Array(outputs * width);
  const rows = new Float32Array((outputs / parts.length) * width);
  for (const [i, { tensor, first }] of parts.entries()) {
    const rowsPerExpert = tensor.shape[1] ?? 0;
    readFloatsInto(tensor, (expert * rowsPerExpert + first) * width, rows);
    for (let row = 0; row < outputs / parts.length; row++) {
      const values = rows.subarray(row * width, (row + 1) * width);
      out.set(values, (row * parts.length + i) * width);
    }
  }
  return out;
}
