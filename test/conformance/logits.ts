/**
 * Logits against a reference: `logits MODEL REF`, where REF is {ids, logits} (all positions) or
 * {ids, positions, logits, argmax} (logits of those positions, the arg max of every one).
 *
 * Prints one JSON line per precision. Two things are decided: the exact path equals the reference
 * (not asked of a checkpoint whose dense weights are quantised: they differ from the reference's), and
 * a prompt computed at once, in chunks, and token by token gives the same logits.
 */

import { FLOAT_DTYPES } from "../../inference/checkpoint/dtypes.ts";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import type { Checkpoint } from "../../inference/checkpoint/tensors.ts";
import { InferenceError, type Precision } from "../../inference/index.ts";
import { type LocalEngine, openLocalEngine } from "../../inference/local/local-engine.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";

/** Of the exact path: float32 sums in another order than the reference's float64. */
const EXACT_NRMSE = 1e-4;
/** Between chunk sizes, as a part of the logits' root mean square. */
const CHUNK_MAX_ABS = 1e-4;
const CHUNK = 7;

type Reference = {
  readonly ids: readonly number[];
  /** Which positions `logits` has. */
  readonly positions: readonly number[];
  readonly logits: readonly (readonly number[])[];
  /** One per id. */
  readonly argmax: readonly number[] | undefined;
};

type Rows = readonly ArrayLike<number>[];

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  const [model, referencePath, ...more] = paths;
  if (model === undefined || referencePath === undefined || more.length > 0) {
    throw new ConformanceInputError("logits takes two paths: a model and its reference logits.");
  }
  const reference = readReference(referencePath);
  for (const precision of ["exact", "int8"] as const) {
    const { engine, isFloat } = await open(model, precision, reference.ids.length);
    try {
      const whole = await engine.logits(reference.ids);
      const measured = compare(whole, reference);
      console.log(JSON.stringify({ precision, ...measured }));
      if (precision === "exact" && isFloat) {
        yield {
          id: "exact-equals-reference",
          pass: measured.nrmse <= EXACT_NRMSE,
          got: measured.nrmse,
          expected: `nRMSE of at most ${EXACT_NRMSE}`,
        };
      }
      for (const chunk of [CHUNK, 1]) {
        const parts = await engine.logits(reference.ids, chunk);
        const difference = maxAbs(whole, parts) / rootMeanSquare(whole);
        yield {
          id: `${precision}-in-chunks-of-${chunk}`,
          pass: difference <= CHUNK_MAX_ABS,
          got: difference,
          expected: `a largest difference of at most ${CHUNK_MAX_ABS} of the logits' rms`,
        };
      }
    } finally {
      await engine.close();
    }
  }
}

/** An engine whose prefill takes the whole prompt in one step. */
async function open(
  model: string,
  precision: Precision,
  tokens: number,
): Promise<{ engine: LocalEngine; isFloat: boolean }> {
  try {
    const checkpoint = openCheckpoint(model);
    try {
      const contextLength = Math.min(tokens, checkpoint.config.contextLength);
      const options = { precision, contextLength, prefillChunk: tokens };
      const engine = await openLocalEngine(checkpoint, options);
      return { engine, isFloat: hasFloatWeights(checkpoint) };
    } finally {
      checkpoint.close();
    }
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    throw new ConformanceInputError(error.message, { cause: error });
  }
}

/** Whether all matrices but the experts' are floats. */
function hasFloatWeights(checkpoint: Checkpoint): boolean {
  const matrices = checkpoint.layers.flatMap(({ q, k, v, out, router }) =>
    [q, k, v, out, router].map((linear) => linear.weight),
  );
  const dense = [checkpoint.embedding, checkpoint.unembedding, ...matrices];
  return dense.every(({ dtype }) => FLOAT_DTYPES.some((float) => float === dtype));
}

function readReference(path: string): Reference {
  const json = readCases(path) as Partial<Record<keyof Reference, unknown>> | null;
  const { ids, logits, argmax } = json ?? {};
  const positions = json?.positions ?? (Array.isArray(ids) ? [...ids.keys()] : undefined);
  const isRows = Array.isArray(logits) && logits.every(isNumbers);
  if (
    !isNumbers(ids) ||
    !isNumbers(positions) ||
    !isRows ||
    logits.length !== positions.length ||
    !positions.every((position) => ids[position] !== undefined) ||
    !(argmax === undefined || (isNumbers(argmax) && argmax.length === ids.length))
  ) {
    throw new ConformanceInputError(
      `${path} is no reference: expected {ids, logits} or {ids, positions, logits, argmax}.`,
    );
  }
  return { ids, positions, logits, argmax };
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

type Measured = {
  readonly max_abs: number;
  readonly nrmse: number;
  readonly argmax_agreement: number;
  readonly kl: number;
};

function compare(all: Rows, reference: Reference): Measured {
  const rows = reference.positions.map((position) => all[position] ?? []);
  const argmax = reference.argmax ?? reference.logits.map(indexOfLargest);
  const ours = (reference.argmax === undefined ? rows : all).map(indexOfLargest);
  const agreeing = ours.filter((index, i) => index === argmax[i]).length;
  const divergences = rows.map((row, i) => klDivergence(reference.logits[i] ?? [], row));
  return {
    max_abs: maxAbs(rows, reference.logits),
    nrmse: rootMeanSquare(difference(rows, reference.logits)) / rootMeanSquare(reference.logits),
    argmax_agreement: agreeing / argmax.length,
    kl: divergences.reduce((a, b) => a + b, 0) / divergences.length,
  };
}

function difference(a: Rows, b: Rows): number[][] {
  return a.map((row, i) => Array.from(row, (value, j) => value - (b[i]?.[j] ?? Number.NaN)));
}

function maxAbs(a: Rows, b: Rows): number {
  return difference(a, b)
    .flat()
    .reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

function rootMeanSquare(rows: Rows): number {
  const values = rows.flatMap((row) => Array.from(row));
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

function indexOfLargest(row: ArrayLike<number>): number {
  return Array.from(row).reduce((best, value, i) => (value > (row[best] ?? 0) ? i : best), 0);
}

/** KL(p ‖ q) of the distributions that two rows of logits stand for, in nats. */
function klDivergence(p: ArrayLike<number>, q: ArrayLike<number>): number {
  const [logP, logQ] = [logSoftmax(p), logSoftmax(q)];
  return logP.reduce((sum, value, i) => sum + Math.exp(value) * (value - (logQ[i] ?? 0)), 0);
}

function logSoftmax(row: ArrayLike<number>): number[] {
  const values = Array.from(row);
  const max = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const logSum = Math.log(values.reduce((sum, value) => sum + Math.exp(value - max), 0)) + max;
  return values.map((value) => value - logSum);
}
