/** What a pass through the model reads and multiplies, counted from its shapes and the layout of its weights. */

import { KV_PAGE } from "../wasm/kernels.ts";
import type { KvLayout } from "./kv-layout.ts";
import { type Matrix, type MatrixKind, matrixBytes } from "./matrix.ts";
import type { ModelPlan } from "./plan.ts";
import { screenRecordBytes } from "./screen.ts";

/** Kernels whose multiplications are counted: products by the layout of their weights, and the two others that matter. */
export type WorkKind = MatrixKind | "screen" | "attention";

export type PassWork = {
  /** Of weights, keys and values, each read once: what has to come from memory where no cache holds it. */
  readonly bytes: number;
  /** Multiply-accumulates; a kind that the model does not use is absent. */
  readonly macs: Readonly<Partial<Record<WorkKind, number>>>;
};

/** One pass: so many tokens behind so many positions of one session. */
export type PassShape = {
  readonly start: number;
  readonly count: number;
  /** Whether logits of the last token are wanted; else the last layer only stores keys and values. */
  readonly hasLogits: boolean;
};

/**
 * Work of one pass. Of the experts, as many are read as `count` tokens choose on average if each token
 * chooses evenly and by itself.
 */
export function passWork(plan: ModelPlan, kv: KvLayout, shape: PassShape): PassWork {
  const { config, head } = plan;
  const { start, count, hasLogits } = shape;
  const sum = new WorkSum();
  for (const [index, layer] of plan.layers.entries()) {
    const isWhole = hasLogits || index < plan.layers.length - 1;
    const projected = isWhole ? layer.qkv.rows : 2 * config.kvHeads * config.headDim;
    sum.product({ ...layer.qkv, rows: projected }, count);
    if (!isWhole) continue;
    const window =
      config.layerTypes[index] === "sliding" ? config.slidingWindow : Number.POSITIVE_INFINITY;
    const seen = Math.min(start + count, window + count - 1);
    sum.bytes += (seen * kv.layerPageBytes) / KV_PAGE;
    // Scores, then the mixture of values.
    const perPosition = 2 * config.heads * config.headDim;
    sum.add("attention", perPosition * positionsSeen(start, count, window));
    sum.product(layer.out, count);
    sum.product(layer.router, count);
    const choosing = count * config.expertsPerToken;
    const chosen = config.experts * (1 - (1 - config.expertsPerToken / config.experts) ** count);
    for (const matrices of [layer.gateUp, layer.down]) {
      const matrix = matrices[0]!;
      sum.add(matrix.kind, choosing * matrix.rows * matrix.columns);
      sum.bytes += chosen * matrixBytes(matrix);
    }
  }
  if (!hasLogits) return sum;
  const { unembedding, screen } = head;
  if (screen === undefined) {
    sum.product(unembedding, 1);
  } else {
    sum.add("screen", unembedding.rows * unembedding.columns);
    sum.bytes += screenRecordBytes(unembedding);
  }
  return sum;
}

/** Positions that tokens `start` … `start + count - 1` attend to, all together. */
function positionsSeen(start: number, count: number, window: number): number {
  let positions = 0;
  for (let i = start + 1; i <= start + count; i++) positions += Math.min(i, window);
  return positions;
}

class WorkSum implements PassWork {
  bytes = 0;
  readonly macs: Partial<Record<WorkKind, number>> = {};

  add(kind: WorkKind, macs: number): void {
    this.macs[kind] = (this.macs[kind] ?? 0) + macs;
  }

  /** A matrix times so many columns, read once. */
  product(matrix: Pick<Matrix, "kind" | "rows" | "columns">, columns: number): void {
    this.add(matrix.kind, matrix.rows * matrix.columns * columns);
    this.bytes += matrixBytes(matrix);
  }
}
