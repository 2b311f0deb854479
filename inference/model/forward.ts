/**
 * One step of the model: some tokens at the end of one or several sessions through all layers, top to
 * bottom. Decode is a step of one token of each session, prefill a row of steps of many. What is
 * computed for a column does not depend on the others. All threads of the team run this same code; see
 * `Team` for how they share the work. Allocates no memory of a bank.
 */

import { dequantise } from "../checkpoint/dequantise.ts";
import { FLOAT_BYTES } from "../wasm/kernels.ts";
import { attention } from "./attention.ts";
import { feedForward } from "./experts.ts";
import { pagesFor } from "./kv-layout.ts";
import { writeRotation } from "./rope.ts";
import { type Segment, Step, type ThreadModel } from "./step.ts";
import { type OnLogits, unembed } from "./unembed.ts";

export type { Segment } from "./step.ts";
export type { OnLogits } from "./unembed.ts";

/**
 * Whether the columns of a step need logits; without, what only they need is not computed. Where bounds
 * of them may be enough, they are tried first.
 */
export type Wanted = "none" | "bounds" | "all";

/**
 * Computes the ids of each segment at positions `start` … and leaves their keys and values in its
 * pages, which must hold all positions before `start`.
 *
 * @param segments of different sessions; at most `plan.scratch.columns` ids, each below `vocab`
 * @throws Cancelled when the command was cancelled; the pages are then valid up to each `start`
 */
export function forward(
  model: ThreadModel,
  segments: readonly Segment[],
  wanted: Wanted,
  onLogits: OnLogits,
): void {
  const { team, plan } = model;
  const { layers } = plan;
  const step = new Step(segments);
  const { count } = step;
  const firstWanted = wanted === "none" ? count : 0;

  for (let c = team.from(count); c < team.to(count); c++) {
    embed(model, c, step.idOf(c));
    rotations(model, step, c);
  }
  for (let s = team.from(segments.length); s < team.to(segments.length); s++) {
    const { pageTable, start, ids } = segments[s]!;
    model.kv.writeTable(s, pageTable, pagesFor(start + ids.length));
  }
  team.barrier();

  let bank = plan.embedding.bank;
  for (const [index, layer] of layers.entries()) {
    moveResidual(model, bank, layer.bank, 0, count);
    bank = layer.bank;
    // Columns without logits give the last layer their keys and values, and nothing else.
    const first = index === layers.length - 1 ? firstWanted : 0;
    const at = { model, step, index, layer, wanted: first };
    attention(at);
    if (first < count) feedForward(at);
  }
  if (firstWanted === count) return;
  moveResidual(model, bank, plan.head.bank, firstWanted, count);
  unembed(model, firstWanted, count, wanted === "bounds", onLogits);
}

/** x[column] = embedding[id] */
function embed(model: ThreadModel, column: number, id: number): void {
  const { embedding, scratch, config } = model.plan;
  const bank = model.bank(embedding.bank);
  const row = embedding.address + id * embedding.rowBytes;
  const x = scratch.x / FLOAT_BYTES + column * config.hidden;
  dequantise(
    embedding.dtype,
    bank.bytes.subarray(row, row + embedding.rowBytes),
    bank.floats.subarray(x, x + config.hidden),
  );
}

/** The column's cosines and sines, in every memory of keys and values. */
function rotations(model: ThreadModel, step: Step, column: number): void {
  const { step: addresses, banks } = model.kv;
  const row = (column * model.plan.config.headDim) / 2;
  const cos = addresses.cos / FLOAT_BYTES + row;
  const sin = addresses.sin / FLOAT_BYTES + row;
  const { factor } = model.plan.config.rope;
  for (const bank of banks) {
    writeRotation(bank.floats, cos, sin, step.positionOf(column), model.frequencies, factor);
  }
}

/** Takes x to the bank of the next layer, where that is another one. */
function moveResidual(
  model: ThreadModel,
  from: number,
  to: number,
  first: number,
  count: number,
): void {
  if (from === to) return;
  const { team, plan } = model;
  const { hidden } = plan.config;
  const floats = (count - first) * hidden;
  const start = team.from(floats);
  const x = plan.scratch.x + (first * hidden + start) * FLOAT_BYTES;
  model.bank(to).copyFloats(model.bank(from), x, x, team.to(floats) - start);
  team.barrier();
}
