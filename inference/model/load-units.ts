/**
 * Loading in units: each is some part of the model that one thread brings in by itself. Units write to
 * different places, so neither their order nor who does which changes a loaded byte.
 */

import type { ExpertLinear, LayerTensors, Tensor, Weights } from "../checkpoint/tensors.ts";
import { ROW_GROUP } from "../wasm/kernels.ts";
import type { MemoryBank } from "../wasm/memory-bank.ts";
import { Loader } from "./loader.ts";
import type { ModelPlan } from "./plan.ts";
import { packScreen, writeDithers } from "./screen.ts";
import type { ThreadModel } from "./step.ts";

/** Bytes in the file of one unit of the embedding or the unembedding, roughly. */
const UNIT_BYTES = 32 << 20;
/** Rows of the unembedding that are still in the processor's cache when they are copied for its screen. */
const SCREENED_ROWS = 256;

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

/** All units of a model but paged experts, the same list in every thread. */
export function loadUnits(plan: ModelPlan, weights: Weights): LoadUnit[] {
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
  const tensors =
    weights.form === "separate"
      ? [weights.blocks, weights.scales]
      : [...new Map(weights.parts.map(({ tensor }) => [tensor.position, tensor])).values()];
  return tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0) / experts;
}

/** What one thread loads with. */
export class UnitLoader {
  readonly #plan: ModelPlan;
  readonly #weights: Weights;
  readonly #head: MemoryBank;
  /** By bank. */
  readonly loaders: readonly Loader[];

  constructor(model: ThreadModel, weights: Weights) {
    const { plan, team } = model;
    this.#plan = plan;
    this.#weights = weights;
    this.#head = model.bank(plan.head.bank);
    const { screen, unembedding } = plan.head;
    if (screen !== undefined) writeDithers(this.#head, screen, unembedding.columns);
    const { address, bytes } = plan.scratch.staging;
    const staging = { address: address + team.index * bytes, bytes };
    this.loaders = model.banks.map((bank) => new Loader(bank, staging));
  }

  /** @throws CheckpointError for a file that was cut short, or holds NaN or infinity */
  load(unit: LoadUnit): void {
    if (unit.kind === "embedding") this.#embedding(unit.first, unit.rows);
    else if (unit.kind === "unembedding") this.#unembedding(unit.first, unit.rows);
    else if (unit.kind === "layer") this.#layer(unit.layer);
    else this.#expert(unit.layer, unit.expert);
  }

  #embedding(first: number, rows: number): void {
    const { bank, address, rowBytes } = this.#plan.embedding;
    const { embedding } = this.#weights;
    const offset = first * rowBytes;
    this.loaders[bank]!.raw(embedding, offset, address + offset, rows * rowBytes);
  }

  #unembedding(first: number, rows: number): void {
    const { bank, norm, unembedding, screen } = this.#plan.head;
    const loader = this.loaders[bank]!;
    if (first === 0) loader.floats(this.#weights.norm, norm);
    const chunk = screen === undefined ? rows : SCREENED_ROWS;
    for (let row = first; row < first + rows; row += chunk) {
      const n = Math.min(chunk, first + rows - row);
      loader.denseRows(unembedding, row, this.#weights.unembedding, row, n);
      if (screen !== undefined) packScreen(this.#head, unembedding, screen, row, n);
    }
  }

  /** All of a layer but its experts. */
  #layer(index: number): void {
    const plan = this.#plan.layers[index]!;
    const loader = this.loaders[plan.bank]!;
    const { attnNorm, mlpNorm, q, k, v, out, router } = this.#weights.layers[index]!;
    loader.floats(attnNorm, plan.attnNorm);
    loader.floats(mlpNorm, plan.mlpNorm);
    loader.dense(plan.qkv, [q.weight, k.weight, v.weight]);
    loader.biases(plan.qkv, [q.bias, k.bias, v.bias]);
    loader.dense(plan.out, [out.weight]);
    loader.biases(plan.out, [out.bias]);
    loader.dense(plan.router, [router.weight]);
    loader.biases(plan.router, [router.bias]);
  }

  #expert(layer: number, expert: number): void {
    const plan = this.#plan.layers[layer]!;
    const loader = this.loaders[plan.bank]!;
    const { gateUp, down } = this.#weights.layers[layer]!;
    for (const [matrix, linear] of [
      [plan.gateUp[expert]!, gateUp],
      [plan.down[expert]!, down],
    ] as const) {
      loader.expertRows(matrix, linear, expert, 0, matrix.rows);
      loader.expertBias(matrix, linear, expert);
    }
  }
}
