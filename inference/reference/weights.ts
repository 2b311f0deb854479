import type { ModelConfig } from "../checkpoint/config.ts";
import {
  type Checkpoint,
  checkScales,
  type ExpertLinear,
  type Linear,
  readFloat32,
  type Tensor,
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
  const [count = 0, outputs = 0] = linear.bias.shape;
  const blocks = new Uint8Array(linear.blocks.byteLength / count);
  const scales = new Uint8Array(linear.scales.byteLength / count);
  const biases = read(linear.bias);
  return Array.from({ length: count }, (_, expert) => {
    linear.blocks.readInto(blocks, expert * blocks.length);
    linear.scales.readInto(scales, expert * scales.length);
    checkScales(scales, linear.scales, expert * scales.length);
    return {
      weight: decodeBlocks(blocks, scales),
      bias: biases.slice(expert * outputs, (expert + 1) * outputs),
    };
  });
}
