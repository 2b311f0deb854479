import { FLOAT_BYTES, ROW_GROUP } from "../wasm/kernels.ts";
import { threadScratch } from "./attention.ts";
import { multiply, prepare, unitsPerPiece } from "./multiply.ts";
import { normalise } from "./normalise.ts";
import { type Activations, ALONE_COLUMNS, GATE_UP_ROWS, type LayerPlan } from "./plan.ts";
import type { Step, ThreadModel } from "./step.ts";

/**
 * x += mixture of experts(norm(x)) for the columns from `wanted` on.
 *
 * The router's largest `expertsPerToken` logits choose the experts, a softmax over those alone weighs
 * them. An expert is computed once for all columns that chose it.
 */
export function feedForward(
  model: ThreadModel,
  step: Step,
  index: number,
  layer: LayerPlan,
  wanted: number,
): void {
  const { team, plan, schedule } = model;
  const { config, scratch, precision } = plan;
  const { hidden, experts, expertsPerToken } = config;
  const bank = model.bank(layer.bank);
  const strip = threadScratch(model);
  const { count } = step;
  const normed = normalise(model, layer, layer.mlpNorm, layer.gateUp[0]!, wanted, count);
  multiply(
    bank,
    precision,
    layer.router,
    normed,
    wanted,
    0,
    count - wanted,
    team.from(experts),
    team.to(experts),
    scratch.routerLogits + wanted * experts * FLOAT_BYTES,
    experts,
    strip,
  );
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
  // Each thread has a copy of its own, so nobody waits for it.
  const columns = strip + scratch.threadStripBytes;
  const slots = (count - wanted) * expertsPerToken;
  for (let slot = 0; slot < slots; slot++) {
    bank.ints[columns / FLOAT_BYTES + slot] = schedule.columnOf[slot]!;
  }

  const { pager } = model;
  if (pager === undefined && count <= ALONE_COLUMNS) {
    gateAndUp(model, layer, index, normed, wanted, schedule.active);
    team.barrier();
    // A piece is some rows of all experts: few enough that who computed them can sum them up.
    const piece = unitsPerPiece(config.intermediate, slots, ROW_GROUP);
    team.deal(Math.ceil(hidden / ROW_GROUP), piece, (from, to) => {
      const row = from * ROW_GROUP;
      const end = Math.min(to * ROW_GROUP, hidden);
      for (const expert of schedule.active) down(model, layer, index, expert, row, end);
      sumUp(model, layer, wanted, count, row, end);
    });
    team.barrier();
    return;
  }

  const needed = [...schedule.active];
  do {
    const wave = pager === undefined ? needed.splice(0) : pager.bringIn(index, needed);
    gateAndUp(model, layer, index, normed, wanted, wave);
    team.barrier();
    dealExperts(model, wave, hidden, ROW_GROUP, config.intermediate, (expert, from, to) => {
      down(model, layer, index, expert, from, to);
    });
    // Before rows are summed up that others computed, or other experts take the place of these.
    team.barrier();
  } while (needed.length > 0);
  sumUp(model, layer, wanted, count, team.from(hidden, ROW_GROUP), team.to(hidden, ROW_GROUP));
  team.barrier();
}

/** x += the weighted sum of what a column's experts gave, for some rows. */
function sumUp(
  model: ThreadModel,
  layer: LayerPlan,
  wanted: number,
  count: number,
  firstRow: number,
  endRow: number,
): void {
  const { team, plan, schedule } = model;
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
  model: ThreadModel,
  layer: LayerPlan,
  index: number,
  normed: Activations,
  wanted: number,
  wave: readonly number[],
): void {
  const { plan, schedule, pager } = model;
  const { config, scratch, precision } = plan;
  const { hidden, intermediate } = config;
  const bank = model.bank(layer.bank);
  const strip = threadScratch(model);
  const columns = strip + scratch.threadStripBytes;
  const joined = scratch.gateUp + model.team.index * scratch.columns * GATE_UP_ROWS * FLOAT_BYTES;
  const compute = (expert: number, from: number, to: number): void => {
    const place = pager?.slotOf(index, expert) ?? expert;
    const slot = schedule.starts[expert]!;
    const size = schedule.starts[expert + 1]! - slot;
    multiply(
      bank,
      precision,
      layer.gateUp[place]!,
      normed,
      wanted,
      columns + slot * FLOAT_BYTES,
      size,
      from,
      to,
      joined - from * FLOAT_BYTES,
      GATE_UP_ROWS,
      strip,
    );
    for (let i = 0; i < size; i++) {
      const s = slot + i;
      bank.kernels.swiglu(
        joined + i * GATE_UP_ROWS * FLOAT_BYTES,
        scratch.inner.values + (s * intermediate + from / 2) * FLOAT_BYTES,
        (to - from) / 2,
        config.swigluLimit,
        config.swigluAlpha,
      );
      prepare(bank, precision, layer.down[place]!, scratch.inner, s, from / 2, to / 2);
    }
  };
  dealExperts(model, wave, 2 * intermediate, GATE_UP_ROWS, hidden, (expert, from, to) => {
    for (let row = from; row < to; row += GATE_UP_ROWS) {
      compute(expert, row, Math.min(row + GATE_UP_ROWS, to));
    }
  });
}

/** What an expert gives to each of its columns, some rows of it. */
function down(
  model: ThreadModel,
  layer: LayerPlan,
  index: number,
  expert: number,
  from: number,
  to: number,
): void {
  const { plan, schedule, pager } = model;
  const { scratch, precision } = plan;
  const { hidden } = plan.config;
  const bank = model.bank(layer.bank);
  const strip = threadScratch(model);
  const place = pager?.slotOf(index, expert) ?? expert;
  const slot = schedule.starts[expert]!;
  const size = schedule.starts[expert + 1]! - slot;
  const y = scratch.down + slot * hidden * FLOAT_BYTES;
  const matrix = layer.down[place]!;
  multiply(bank, precision, matrix, scratch.inner, slot, 0, size, from, to, y, hidden, strip);
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
