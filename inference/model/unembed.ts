/** The end of a step: from the residual stream to logits, or to bounds of them where those may do. */

import { LogitRow } from "../sampling/logit-row.ts";
import { FLOAT_BYTES, ROW_GROUP } from "../wasm/kernels.ts";
import { multiply, type Product, prepare, unitsPerPiece } from "./multiply.ts";
import { computeRows, prepareScreen, type ScreenedColumn, screenRows } from "./screen.ts";
import type { ThreadModel } from "./step.ts";

/**
 * Called by the leading thread only, column by column; the row is overwritten afterwards.
 * @returns whether that was enough: where the row holds bounds, it may ask for the logits themselves
 */
export type OnLogits = (column: number, row: LogitRow) => boolean;

/**
 * logits = unembedding · norm(x), as many columns at a time as there is room for logits.
 * @param mayScreen whether bounds may be enough
 */
export function unembed(
  model: ThreadModel,
  first: number,
  count: number,
  mayScreen: boolean,
  onLogits: OnLogits,
): void {
  const { team, plan } = model;
  const { config, scratch, head } = plan;
  const { hidden, vocab } = config;
  const workspace = model.workspace(head.bank);
  const { bank } = workspace;
  const matrix = head.unembedding;
  // The matrix is read once for several columns, and for each of them would be screened anew.
  const screen = mayScreen && count - first === 1 ? head.screen : undefined;
  const screened: ScreenedColumn | undefined =
    screen !== undefined && model.screenPause.allows()
      ? { matrix, screen, x: scratch.normed, column: first }
      : undefined;
  for (let c = first + team.from(count - first); c < first + team.to(count - first); c++) {
    const offset = c * hidden * FLOAT_BYTES;
    const { values } = scratch.normed;
    bank.kernels.rms_norm(scratch.x + offset, head.norm, values + offset, hidden, config.rmsEps);
    prepare(workspace, matrix, scratch.normed, c);
    if (screened !== undefined) prepareScreen(bank, screened);
  }
  team.barrier();
  if (screened !== undefined) {
    if (areBoundsEnough(model, screened, onLogits)) return;
    model.screenPause.begin();
  }
  for (let c = first; c < count; c += scratch.logitColumns) {
    const columns = Math.min(scratch.logitColumns, count - c);
    const piece = unitsPerPiece(hidden, columns, ROW_GROUP);
    const product: Product = {
      matrix,
      x: scratch.normed,
      first: c,
      index: 0,
      count: columns,
      y: scratch.logits,
      stride: vocab,
    };
    team.deal(Math.ceil(vocab / ROW_GROUP), piece, (from, to) => {
      multiply(workspace, product, from * ROW_GROUP, Math.min(to * ROW_GROUP, vocab));
    });
    team.barrier();
    for (let i = 0; team.leads && i < columns; i++) {
      const logits = scratch.logits + i * vocab * FLOAT_BYTES;
      onLogits(c + i, new LogitRow(bank, { ...scratch, logits }, vocab));
    }
    team.barrier();
  }
}

/** Computes bounds of one column's logits and offers them. */
function areBoundsEnough(
  model: ThreadModel,
  screened: ScreenedColumn,
  onLogits: OnLogits,
): boolean {
  const { team, plan } = model;
  const { scratch, head } = plan;
  const workspace = model.workspace(head.bank);
  const { bank } = workspace;
  const { rows, columns } = screened.matrix;
  team.deal(Math.ceil(rows / ROW_GROUP), unitsPerPiece(columns, 1, ROW_GROUP), (from, to) => {
    const end = Math.min(to * ROW_GROUP, rows);
    screenRows(bank, screened, from * ROW_GROUP, end, scratch.logits);
  });
  team.barrier();
  const verdict = screened.screen.verdict / FLOAT_BYTES;
  if (team.leads) {
    const row = new LogitRow(bank, scratch, rows, (ids) => computeRows(workspace, screened, ids));
    bank.ints[verdict] = onLogits(screened.column, row) ? 1 : 0;
  }
  team.barrier();
  return bank.ints[verdict] === 1;
}
