/**
 * The tensors of a checkpoint as plain data, which can be posted: threads of one process share its
 * open files, so each can read its part of the weights by itself.
 */

import type { Dtype } from "./dtypes.ts";
import type { Tensor } from "./tensor-file.ts";
import { type OpenFile, StoredTensor, TensorFile } from "./tensor-file.ts";
import type { ExpertLinear, ExpertWeights, LayerTensors, Linear, Weights } from "./tensors.ts";

/** Where a tensor lies. */
export type TensorPlace = {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Index into `WeightSource.files`. */
  readonly file: number;
  readonly position: number;
};

export type WeightSource = {
  readonly files: readonly OpenFile[];
  readonly weights: Weights<TensorPlace>;
};

/** @throws CheckpointError when the checkpoint is closed */
export function describeWeights(weights: Weights): WeightSource {
  const files = new Map<TensorFile, number>();
  const described = mapWeights(weights, ({ name, dtype, shape, file, position }): TensorPlace => {
    const index = files.get(file) ?? files.size;
    files.set(file, index);
    return { name, dtype, shape, file: index, position };
  });
  return { files: [...files.keys()].map((file) => file.open), weights: described };
}

/** The tensors again, in another thread. The files must stay open where they were opened. */
export function attachWeights(source: WeightSource): Weights {
  const files = source.files.map((file) => new TensorFile(file));
  return mapWeights(source.weights, ({ name, dtype, shape, file, position }): Tensor => {
    return new StoredTensor(name, dtype, shape, files[file]!, position);
  });
}

function mapWeights<A, B>(weights: Weights<A>, f: (tensor: A) => B): Weights<B> {
  const linear = ({ weight, bias }: Linear<A>): Linear<B> => ({ weight: f(weight), bias: f(bias) });
  const byExpert = (parts: readonly (readonly A[])[]): B[][] =>
    parts.map((part) => part.map((tensor) => f(tensor)));
  const expertWeights = (found: ExpertWeights<A>): ExpertWeights<B> => {
    if (found.form === "dense") return { ...found, parts: byExpert(found.parts) };
    if (found.form === "separate") {
      return { form: "separate", blocks: f(found.blocks), scales: f(found.scales) };
    }
    const parts = found.parts.map(({ tensor, first }) => ({ tensor: f(tensor), first }));
    return { form: "joined", parts };
  };
  const experts = ({ weights: found, bias, ...sizes }: ExpertLinear<A>): ExpertLinear<B> => ({
    ...sizes,
    weights: expertWeights(found),
    bias: byExpert(bias),
  });
  return {
    embedding: f(weights.embedding),
    unembedding: f(weights.unembedding),
    norm: f(weights.norm),
    layers: weights.layers.map(
      (layer): LayerTensors<B> => ({
        attnNorm: f(layer.attnNorm),
        q: linear(layer.q),
        k: linear(layer.k),
        v: linear(layer.v),
        out: linear(layer.out),
        sinks: f(layer.sinks),
        mlpNorm: f(layer.mlpNorm),
        router: linear(layer.router),
        gateUp: experts(layer.gateUp),
        down: experts(layer.down),
      }),
    ),
  };
}
