import { FLOAT_BYTES } from "../wasm/kernels.ts";
import { type Activations, ALONE_COLUMNS, type Matrix } from "./matrix.ts";
import { prepare } from "./multiply.ts";
import type { LayerStep } from "./step.ts";

/**
 * norm(x) of the columns from `first` on, in the form that products with `matrix` read; complete in all
 * threads when it returns. Each thread has few columns for itself, and shares many with the others.
 *
 * @param norm address of the norm's weights in the layer's bank
 */
export function rmsNorm(
  { model, step, layer }: LayerStep,
  norm: number,
  matrix: Matrix,
  first: number,
): Activations {
  const { team, plan } = model;
  const { scratch, config } = plan;
  const { hidden, rmsEps } = config;
  const { count } = step;
  const workspace = model.workspace(layer.bank);
  const { rms_norm } = workspace.bank.kernels;
  const isAlone = count <= ALONE_COLUMNS;
  const normed = isAlone ? scratch.normedAlone[team.index]! : scratch.normed;
  const from = isAlone ? first : first + team.from(count - first);
  const to = isAlone ? count : first + team.to(count - first);
  for (let c = from; c < to; c++) {
    const offset = c * hidden * FLOAT_BYTES;
    rms_norm(scratch.x + offset, norm, normed.values + offset, hidden, rmsEps);
    prepare(workspace, matrix, normed, c);
  }
  if (!isAlone) team.barrier();
  return normed;
}
