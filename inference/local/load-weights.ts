/**
 * Loading, as the main thread sees it: the worker threads read the files and repack what they read, all
 * at the same time (`model/unit-loader.ts`); this side says what to load and listens.
 */

import { readFloat32, type Weights } from "../checkpoint/tensors.ts";
import { describeWeights } from "../checkpoint/weight-source.ts";
import { type LoadUnit, loadUnits } from "../model/load-units.ts";
import type { ModelPlan } from "../model/plan.ts";
import { notFinite } from "../model/tensor-loader.ts";
import type { Threads } from "../workers/threads.ts";

/** How far the loading of a model has come. */
export type LoadProgress = {
  /** Parts that are complete: embedding, layers, head. */
  readonly done: number;
  /** `layers` + 2 */
  readonly total: number;
  /** Bytes of the files that were brought in. */
  readonly bytes: number;
  readonly totalBytes: number;
};

export type LoadOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Called some hundred times for a large model; parts need not become complete in order. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
};

/**
 * Has the threads fill their banks.
 * @returns the sinks, f32 (layers, heads): they lie beside each session's cache, not in a bank
 * @throws CheckpointError for a file that is cut short, or holds NaN or infinity
 * @throws EngineFailedError when a thread died
 * @throws the signal's reason
 */
export async function loadWeights(
  weights: Weights,
  plan: ModelPlan,
  threads: Threads,
  options: LoadOptions = {},
): Promise<Float32Array> {
  options.signal?.throwIfAborted();
  const sinks = new Float32Array(plan.config.layers * plan.config.heads);
  for (const [index, layer] of weights.layers.entries()) {
    const values = readFloat32(layer.sinks);
    const found = values.findIndex((value) => !Number.isFinite(value));
    if (found !== -1) throw notFinite(layer.sinks, found);
    sinks.set(values, index * plan.config.heads);
  }
  const units = loadUnits(plan, weights);
  const progress = new Progress(units);
  const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  await threads.run(
    { type: "load", source: describeWeights(weights), next },
    {
      signal: options.signal,
      onReport: (report) => {
        if (report.type === "loaded") options.onProgress?.(progress.after(units[report.unit]!));
      },
    },
  );
  // Messages of the other threads may still arrive after the leading one has ended.
  if (!progress.complete && !options.signal?.aborted) options.onProgress?.(progress.end);
  options.signal?.throwIfAborted();
  return sinks;
}

class Progress {
  readonly #left: number[] = [];
  /** What there is to say when all is in. */
  readonly end: LoadProgress;
  #done = 0;
  #bytes = 0;

  constructor(units: readonly LoadUnit[]) {
    for (const { part } of units) this.#left[part] = (this.#left[part] ?? 0) + 1;
    const total = this.#left.length;
    const totalBytes = units.reduce((sum, unit) => sum + unit.bytes, 0);
    this.end = { done: total, total, bytes: totalBytes, totalBytes };
  }

  get complete(): boolean {
    return this.#done === this.end.total;
  }

  after({ part, bytes }: LoadUnit): LoadProgress {
    const left = this.#left[part]! - 1;
    this.#left[part] = left;
    if (left === 0) this.#done++;
    this.#bytes += bytes;
    return { ...this.end, done: this.#done, bytes: this.#bytes };
  }
}
