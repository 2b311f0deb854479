/**
 * Loading in units: each is some part of the model that one thread brings in by itself. Units write to
 * different places, so neither their order nor the thread that does each changes a loaded byte.
 */

import type { Tensor } from "../checkpoint/tensor-file.ts";
import {
  type ExpertLinear,
  expertTensors,
  type LayerTensors,
  type Weights,
} from "../checkpoint/tensors.ts";
import { ROW_GROUP } from "../wasm/kernels.ts";
import type { ModelPlan } from "./plan.ts";

/** Bytes in the file of one unit of the embedding or the unembedding, roughly. */
const UNIT_BYTES = 32 << 20;
export type LoadUnit = {
  /** Which part of the model, for progress: 0 the embedding, then the layers, then the head. */
  readonly part: number;
  /** Bytes in the file. */
  readonly bytes: number;
} & (
  | { readonly kind: "embedding"; readonly first: number; readonly rows: number }
  | { readonly kind: "unembedding"; readonly first: number; readonly rows: number }
  | { readonly kind: "layer"; readonly layer: number }
  | { readonly kind: "expert"; readonly layer: number; readonly expert: number }
);

/** All units of a model but paged experts, in the order of the files: the same list in every thread. */
export function loadUnits(plan: ModelPlan, weights: Weights): LoadUnit[] {
  const placed = allUnits(plan, weights).map((unit) => ({
    unit,
    first: firstTensor(unit, weights),
  }));
  // Stable: what begins in the same tensor stays in order.
  placed.sort(
    ({ first: a }, { first: b }) =>
      Number(a.path > b.path) - Number(a.path < b.path) || a.position - b.position,
  );
  return placed.map(({ unit }) => unit);
}

/** What a unit reads first. */
function firstTensor(unit: LoadUnit, { embedding, unembedding, layers }: Weights): Tensor {
  if (unit.kind === "embedding") return embedding;
  if (unit.kind === "unembedding") return unembedding;
  const { q, gateUp } = layers[unit.layer]!;
  return unit.kind === "layer" ? q.weight : (expertTensors(gateUp)[0] ?? q.weight);
}

function allUnits(plan: ModelPlan, weights: Weights): LoadUnit[] {
  const units: LoadUnit[] = rowUnits("embedding", 0, weights.embedding);
  for (const [layer, tensors] of weights.layers.entries()) {
    const part = layer + 1;
    units.push({ kind: "layer", layer, part, bytes: denseBytes(tensors) });
    const bytes = expertBytes(tensors.gateUp) + expertBytes(tensors.down);
    const experts = plan.paged ? 0 : plan.config.experts;
    for (let expert = 0; expert < experts; expert++) {
      units.push({ kind: "expert", layer, expert, part, bytes });
    }
  }
  units.push(...rowUnits("unembedding", weights.layers.length + 1, weights.unembedding));
  return units;
}

function rowUnits(kind: "embedding" | "unembedding", part: number, tensor: Tensor): LoadUnit[] {
  const rows = tensor.shape[0] ?? 0;
  const rowBytes = tensor.byteLength / rows;
  const size = Math.ceil(UNIT_BYTES / rowBytes / ROW_GROUP) * ROW_GROUP;
  const units: LoadUnit[] = [];
  for (let first = 0; first < rows; first += size) {
    const count = Math.min(size, rows - first);
    units.push({ kind, part, first, rows: count, bytes: count * rowBytes });
  }
  return units;
}

function denseBytes({ q, k, v, out, router }: LayerTensors): number {
  return [q, k, v, out, router].reduce((sum, { weight }) => sum + weight.byteLength, 0);
}

/** Of one expert. */
function expertBytes({ weights, experts }: ExpertLinear): number {
  if (weights.form === "dense") {
    return weights.parts.reduce((sum, [first]) => sum + (first?.byteLength ?? 0), 0);
  }
  const tensors =
    weights.form === "separate"
      ? [weights.blocks, weights.scales]
      : [...new Map(weights.parts.map(({ tensor }) => [tensor.position, tensor])).values()];
  return tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0) / experts;
}
