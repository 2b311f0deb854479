/** The worker threads' side of loading: each takes a unit, brings it in, and takes the next one. */

import type { Weights } from "../checkpoint/tensors.ts";
import type { MemoryBank } from "../wasm/memory-bank.ts";
import { ExpertPager, type PagingCells } from "./expert-pager.ts";
import { type LoadUnit, loadUnits } from "./load-units.ts";
import type { ModelPlan } from "./plan.ts";
import { packScreen, writeDithers } from "./screen.ts";
import type { ThreadModel } from "./step.ts";
import { TensorLoader } from "./tensor-loader.ts";

/** Rows of the unembedding that are still in the processor's cache when they are copied for its screen. */
const SCREENED_ROWS = 256;

/** What one thread loads with. */
class UnitLoader {
  readonly #plan: ModelPlan;
  readonly #weights: Weights;
  readonly #head: MemoryBank;
  /** By bank. */
  readonly loaders: readonly TensorLoader[];

  constructor(model: ThreadModel, weights: Weights) {
    const { plan, team } = model;
    this.#plan = plan;
    this.#weights = weights;
    this.#head = model.bank(plan.head.bank);
    const { screen, unembedding } = plan.head;
    if (screen !== undefined) writeDithers(this.#head, screen, unembedding.columns);
    const { address, bytes } = plan.scratch.staging;
    const staging = { address: address + team.index * bytes, bytes };
    this.loaders = model.banks.map((bank) => new TensorLoader(bank, staging));
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

/**
 * Loads units until there are none left; the thread that is free takes the next one.
 * @param next a counter that the threads share
 * @param paging where paging is counted, if there is any
 * @param onUnit gets the index of each unit that this thread has brought in
 * @throws CheckpointError as `loadWeights`
 */
export function loadShare(
  model: ThreadModel,
  weights: Weights,
  next: Int32Array<SharedArrayBuffer>,
  paging: PagingCells,
  onUnit: (unit: number) => void,
): void {
  const units = loadUnits(model.plan, weights);
  const loader = new UnitLoader(model, weights);
  if (model.plan.paged) {
    model.pager = new ExpertPager(model.plan, weights, model.team, loader.loaders, paging);
  }
  const take = (): number => Atomics.add(next, 0, 1);
  for (let unit = take(); unit < units.length && !model.team.cancelled; unit = take()) {
    loader.load(units[unit]!);
    onUnit(unit);
  }
}
