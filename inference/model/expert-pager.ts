/**
 * Experts that do not all fit into memory: each layer has some slots, and an expert is read from the
 * file when it is needed and not there. Every thread reads its share of the rows of each.
 *
 * Reading and computing take turns. From the page cache, reading is copying and repacking, which keeps
 * every core busy as it is (4.1 GB/s on two; a third of decoding with half of the experts in memory).
 * From a disk, what could be computed meanwhile are those experts of the same layer that are there,
 * which would save some 8 % of the time at 0.6 GB/s; and more readers made the disk no faster.
 */

import { storedRowBytes } from "../checkpoint/expert-rows.ts";
import type { Weights } from "../checkpoint/tensors.ts";
import { ROW_GROUP } from "../wasm/kernels.ts";
import type { Team } from "../wasm/team.ts";
import { ExpertSlots } from "./expert-slots.ts";
import type { ModelPlan } from "./plan.ts";
import type { TensorLoader } from "./tensor-loader.ts";

/** What paging has cost since the model was loaded. */
export type PagingStats = {
  /** Experts that were wanted and there. */
  readonly hits: number;
  /** Experts that had to be read. */
  readonly misses: number;
  readonly bytesRead: number;
  /** Time in which nothing was computed because experts were read. */
  readonly readMs: number;
};

/** The same, counted by the leading thread where the main thread can look at any time. */
export type PagingCells = BigInt64Array<SharedArrayBuffer>;

// Cells.
const HITS = 0;
const MISSES = 1;
const BYTES_READ = 2;
const READ_MICROSECONDS = 3;
const CELLS = 4;

export function createPagingCells(): PagingCells {
  return new BigInt64Array(new SharedArrayBuffer(CELLS * BigInt64Array.BYTES_PER_ELEMENT));
}

export function readPagingStats(cells: PagingCells): PagingStats {
  const read = (cell: number): number => Number(Atomics.load(cells, cell));
  return {
    hits: read(HITS),
    misses: read(MISSES),
    bytesRead: read(BYTES_READ),
    readMs: read(READ_MICROSECONDS) / 1000,
  };
}

export class ExpertPager {
  readonly #plan: ModelPlan;
  readonly #weights: Weights;
  readonly #team: Team;
  /** By bank. */
  readonly #loaders: readonly TensorLoader[];
  /** By layer. */
  readonly #slots: readonly ExpertSlots[];
  readonly #paging: PagingCells;

  /** @param loaders of this thread, by bank, with a staging area that nothing else uses */
  constructor(
    plan: ModelPlan,
    weights: Weights,
    team: Team,
    loaders: readonly TensorLoader[],
    paging: PagingCells,
  ) {
    this.#paging = paging;
    this.#plan = plan;
    this.#weights = weights;
    this.#team = team;
    this.#loaders = loaders;
    this.#slots = plan.layers.map(
      (layer) => new ExpertSlots(layer.gateUp.length, plan.config.experts),
    );
  }

  /** The slot of an expert that was brought in. */
  slotOf(layer: number, expert: number): number {
    return this.#slots[layer]!.slotOf(expert);
  }

  /**
   * Brings some of the needed experts into the slots of a layer, which no thread reads at this time. All
   * threads call it together.
   * @param needed those that were brought in are removed from it
   * @returns those that were brought in
   * @throws CheckpointError when the file is no longer what it was
   * @throws Cancelled
   */
  bringIn(layer: number, needed: number[]): readonly number[] {
    const slots = this.#slots[layer]!;
    const wave = slots.choose(needed);
    if (wave.loads.length > 0) {
      const start = performance.now();
      for (const { expert, slot } of wave.loads) this.#read(layer, expert, slot);
      this.#team.barrier();
      slots.fill(wave);
      this.#count(layer, wave.experts.length, wave.loads.length, performance.now() - start);
    } else {
      this.#count(layer, wave.experts.length, 0, 0);
    }
    return wave.experts;
  }

  #read(layer: number, expert: number, slot: number): void {
    const plan = this.#plan.layers[layer]!;
    const tensors = this.#weights.layers[layer]!;
    const loader = this.#loaders[plan.bank]!;
    for (const [matrix, linear] of [
      [plan.gateUp[slot]!, tensors.gateUp],
      [plan.down[slot]!, tensors.down],
    ] as const) {
      const { rows } = matrix;
      const [from, to] = [this.#team.from(rows, ROW_GROUP), this.#team.to(rows, ROW_GROUP)];
      loader.expertRows(matrix, linear, expert, from, to);
      if (this.#team.leads) loader.expertBias(matrix, linear, expert);
    }
  }

  #count(layer: number, wanted: number, loads: number, ms: number): void {
    if (!this.#team.leads) return;
    const { gateUp, down } = this.#weights.layers[layer]!;
    const bytes = [gateUp, down].reduce(
      (sum, linear) => sum + linear.outputs * storedRowBytes(linear),
      0,
    );
    const add = (cell: number, count: number): void => {
      Atomics.add(this.#paging, cell, BigInt(Math.round(count)));
    };
    add(HITS, wanted - loads);
    add(MISSES, loads);
    add(BYTES_READ, loads * bytes);
    add(READ_MICROSECONDS, ms * 1000);
  }
}
