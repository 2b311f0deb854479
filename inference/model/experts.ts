import { FLOAT_BYTES, ROW_GROUP } from "../wasm/kernels.ts";
import { type Activations, ALONE_COLUMNS } from "./matrix.ts";
import { multiply, type Product, prepare, unitsPerPiece } from "./multiply.ts";
import { GATE_UP_ROWS } from "./plan.ts";
import { rmsNorm } from "./rms-norm.ts";
import type { LayerStep, ThreadModel } from "./step.ts";

/**
 * x += mixture of experts(norm(x)) for the columns from `wanted` on.
 *
 * The router's largest `expertsPerToken` logits choose the experts, a softmax over those alone weighs
 * them. An expert is computed once for all columns that chose it.
 */
export function feedForward(at: LayerStep): void {
  const { model, step, index, layer, wanted } = at;
  const { team, plan, schedule } = model;
  const { config, scratch } = plan;
  const { hidden, experts, expertsPerToken } = config;
  const workspace = model.workspace(layer.bank);
  const { bank, strip } = workspace;
  const { count } = step;
  const normed = rmsNorm(at, layer.mlpNorm, layer.gateUp[0]!, wanted);
  const logits: Product = {
    matrix: layer.router,
    x: normed,
    first: wanted,
    index: 0,
    count: count - wanted,
    y: scratch.routerLogits + wanted * experts * FLOAT_BYTES,
    stride: experts,
  };
  multiply(workspace, logits, team.from(experts), team.to(experts));
  team.barrier();

  const chosen = scratch.chosen[team.index]!;
  const weights = scratch.chosenWeights[team.index]!;
  for (let c = wanted; c < count; c++) {
    const choice = c * expertsPerToken * FLOAT_BYTES;
    bank.kernels.top_k_softmax(
      scratch.routerLogits + c * experts * FLOAT_BYTES,
      experts,
      expertsPerToken,
      chosen + choice,
      weights + choice,
    );
  }
  const firstChoice = chosen / FLOAT_BYTES + wanted * expertsPerToken;
  schedule.build(bank.ints, firstChoice, count - wanted);
  // Each thread has a copy of its own, so that no thread waits for it.
  const columns = strip + scratch.threadStripBytes;
  const slots = (count - wanted) * expertsPerToken;
  for (let slot = 0; slot < slots; slot++) {
    bank.ints[columns / FLOAT_BYTES + slot] = schedule.columnOf[slot]!;
  }

  const { pager } = model;
  if (pager === undefined && count <= ALONE_COLUMNS) {
    gateAndUp(at, normed, schedule.active);
    team.barrier();
    // A piece is some rows of all experts, so that the thread that computed them can sum them up.
    const piece = unitsPerPiece(config.intermediate, slots, ROW_GROUP);
    team.deal(Math.ceil(hidden / ROW_GROUP), piece, (from, to) => {
      const row = from * ROW_GROUP;
      const end = Math.min(to * ROW_GROUP, hidden);
      for (const expert of schedule.active) down(at, expert, row, end);
      sumUp(at, row, end);
    });
    team.barrier();
    return;
  }

  const needed = [...schedule.active];
  do {
    const wave = pager === undefined ? needed.splice(0) : pager.bringIn(index, needed);
    gateAndUp(at, normed, wave);
    team.barrier();
    dealExperts(model, wave, hidden, ROW_GROUP, config.intermediate, (expert, from, to) => {
      down(at, expert, from, to);
    });
    // Before rows are summed up that others computed, or other experts take the place of these.
    team.barrier();
  } while (needed.length > 0);
  sumUp(at, team.from(hidden, ROW_GROUP), team.to(hidden, ROW_GROUP));
  team.barrier();
}

/** x += the weighted sum of what a column's experts gave, for some rows. */
function sumUp({ model, step, layer, wanted }: LayerStep, firstRow: number, endRow: number): void {
  const { team, plan, schedule } = model;
  const { count } = step;
  const { scratch } = plan;
  const { hidden, expertsPerToken } = plan.config;
  const bank = model.bank(layer.bank);
  const weights = scratch.chosenWeights[team.index]! / FLOAT_BYTES;
  for (let c = wanted; c < count; c++) {
    for (let rank = 0; rank < expertsPerToken; rank++) {
      const slot = schedule.slotOf[(c - wanted) * expertsPerToken + rank]!;
      bank.kernels.add_scaled(
        scratch.x + (c * hidden + firstRow) * FLOAT_BYTES,
        scratch.down + (slot * hidden + firstRow) * FLOAT_BYTES,
        bank.floats[weights + c * expertsPerToken + rank]!,
        endRow - firstRow,
      );
    }
  }
}

/** inner = swiglu(gateUp · x) of some experts, for the columns that chose them. */
function gateAndUp(
  { model, index, layer, wanted }: LayerStep,
  normed: Activations,
  wave: readonly number[],
): void {
  const { plan, schedule, pager } = model;
  const { config, scratch } = plan;
  const { hidden, intermediate } = config;
  const workspace = model.workspace(layer.bank);
  const { bank, strip } = workspace;
  const columns = strip + scratch.threadStripBytes;
  const joined = scratch.gateUp + model.team.index * scratch.columns * GATE_UP_ROWS * FLOAT_BYTES;
  const compute = (expert: number, from: number, to: number): void => {
    const place = pager?.slotOf(index, expert) ?? expert;
    const slot = schedule.starts[expert]!;
    const size = schedule.starts[expert + 1]! - slot;
    const product: Product = {
      matrix: layer.gateUp[place]!,
      x: normed,
      first: wanted,
      index: columns + slot * FLOAT_BYTES,
      count: size,
      y: joined - from * FLOAT_BYTES,
      stride: GATE_UP_ROWS,
    };
    multiply(workspace, product, from, to);
    for (let i = 0; i < size; i++) {
      const s = slot + i;
      bank.kernels.swiglu(
        joined + i * GATE_UP_ROWS * FLOAT_BYTES,
        scratch.inner.values + (s * intermediate + from / 2) * FLOAT_BYTES,
        (to - from) / 2,
        config.swigluLimit,
        config.swigluAlpha,
      );
      prepare(workspace, layer.down[place]!, scratch.inner, s, from / 2, to / 2);
    }
  };
  dealExperts(model, wave, 2 * intermediate, GATE_UP_ROWS, hidden, (expert, from, to) => {
    for (let row = from; row < to; row += GATE_UP_ROWS) {
      compute(expert, row, Math.min(row + GATE_UP_ROWS, to));
    }
  });
}

/** What an expert gives to each of its columns, some rows of it. */
function down({ model, index, layer }: LayerStep, expert: number, from: number, to: number): void {
  const { plan, schedule, pager } = model;
  const { scratch } = plan;
  const { hidden } = plan.config;
  const place = pager?.slotOf(index, expert) ?? expert;
  const slot = schedule.starts[expert]!;
  const product: Product = {
    matrix: layer.down[place]!,
    x: scratch.inner,
    first: slot,
    index: 0,
    count: schedule.starts[expert + 1]! - slot,
    y: scratch.down + slot * hidden * FLOAT_BYTES,
    stride: hidden,
  };
  multiply(model.workspace(layer.bank), product, from, to);
}

/**
 * Deals out the rows of some experts, one expert after the other.
 * @param unit rows that stay together
 * @param width columns of the matrices
 */
function dealExperts(
  { team, schedule }: ThreadModel,
  wave: readonly number[],
  rows: number,
  unit: number,
  width: number,
  compute: (expert: number, from: number, to: number) => void,
): void {
  const units = Math.ceil(rows / unit);
  const slots = schedule.starts.at(-1)! / schedule.active.length;
  team.deal(wave.length * units, unitsPerPiece(width, slots, unit), (from, to) => {
    for (let at = from; at < to; ) {
      const turn = Math.floor(at / units);
      const end = Math.min(to, (turn + 1) * units);
      const row = (at - turn * units) * unit;
      compute(wave[turn]!, row, Math.min(row + (end - at) * unit, rows));
      at = end;
    }
  });
}
