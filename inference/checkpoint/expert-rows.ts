/**
 * Rows of an expert in MXFP4 from every kind of file: read as they lie there, for `mxfp4_repack` to bring
 * into the order of the kernels. Gate and up rows are taken in turn where the file has them apart.
 */

import { CheckpointError } from "../errors.ts";
import type { Tensor } from "./tensor-file.ts";
import {
  type ExpertLinear,
  type ExpertPart,
  type ExpertWeights,
  readFloatsInto,
} from "./tensors.ts";

type Bytes = Uint8Array<ArrayBufferLike>;
type Joined = Extract<ExpertWeights, { readonly form: "joined" }>;

/** Inputs per block. */
const BLOCK = 32;
/** Bytes of a block without its scale. */
const CODES = BLOCK / 2;
const JOINED_BYTES = CODES + 1;

/** E8M0 is a power of two in every code but this one, which is "not a number". */
const SCALE_NAN = 255;

/** How rows lie where they were read to, in the terms of `mxfp4_repack`; offsets from its start. */
export type StagedRows = {
  readonly codes: number;
  readonly scales: number;
  /** 16: codes and scales apart; 17: a block's scale, then its codes. */
  readonly blockBytes: number;
  /** Byte j of a block has inputs j and j+16, not 2j and 2j+1. */
  readonly split: boolean;
  /** How far behind the sequence of rows 0, 2, 4, … that of rows 1, 3, 5, … is; 0: there is but one. */
  readonly odd: number;
};

/** Bytes of one row in the file, scales included. */
export function storedRowBytes(linear: ExpertLinear): number {
  const { weights, inputs, outputs } = linear;
  if (weights.form !== "dense") return (inputs / BLOCK) * JOINED_BYTES;
  return weights.parts.reduce((sum, part) => sum + (part[0]?.byteLength ?? 0), 0) / outputs;
}

/**
 * Reads rows of one expert in MXFP4.
 * @param row the first; even
 * @param target holds `rows · storedRowBytes` at least
 * @throws CheckpointError when the file has become shorter
 */
export function readExpertRows(
  linear: ExpertLinear,
  expert: number,
  row: number,
  rows: number,
  target: Bytes,
): StagedRows {
  const { outputs } = linear;
  const weights = mxfp4Of(linear);
  const rowBlocks = linear.inputs / BLOCK;
  if (weights.form === "separate") {
    const first = (expert * outputs + row) * rowBlocks;
    const scales = rows * rowBlocks * CODES;
    weights.blocks.readInto(target.subarray(0, scales), first * CODES);
    weights.scales.readInto(target.subarray(scales, scales + rows * rowBlocks), first);
    return { codes: 0, scales, blockBytes: CODES, split: false, odd: 0 };
  }
  const rowBytes = rowBlocks * JOINED_BYTES;
  const turns = weights.parts.length;
  let at = 0;
  for (const [turn, { tensor, first }] of weights.parts.entries()) {
    const start = expert * rowsOf(tensor) + first + row / turns;
    const bytes = Math.ceil((rows - turn) / turns) * rowBytes;
    tensor.readInto(target.subarray(at, at + bytes), start * rowBytes);
    at += bytes;
  }
  const odd = turns === 2 ? Math.ceil(rows / 2) * rowBytes : 0;
  const split = weights.parts[0]?.tensor.dtype === "MXFP4";
  return { codes: 1, scales: 0, blockBytes: JOINED_BYTES, split, odd };
}

/**
 * The bias of one expert, f32 (outputs).
 * @throws CheckpointError when the file has become shorter
 */
export function readExpertBias(linear: ExpertLinear, expert: number): Float32Array {
  const out = new Float32Array(linear.outputs);
  const turns = linear.bias.length;
  const values = new Float32Array(linear.outputs / turns);
  for (const [turn, part] of linear.bias.entries()) {
    readFloatsInto(part[expert]!, 0, values);
    for (let i = 0; i < values.length; i++) out[i * turns + turn] = values[i]!;
  }
  return out;
}

/**
 * Refuses MXFP4 scales that are no number: one such byte would silently turn every logit into NaN.
 * @param scales of all rows of the expert
 * @throws CheckpointError naming the tensor and the place
 */
export function checkExpertScales(linear: ExpertLinear, expert: number, scales: Bytes): void {
  const found = scales.indexOf(SCALE_NAN);
  if (found !== -1) throw expertScaleError(linear, expert, found);
}

/** @param index of the scale that is no number among those of the expert: row · inputs/32 + block */
export function expertScaleError(
  linear: ExpertLinear,
  expert: number,
  index: number,
): CheckpointError {
  const place = placeOfScale(linear, expert, index);
  const { name, path } = place.tensor;
  return new CheckpointError(
    path,
    `scale ${place.index} of ${name} is ${SCALE_NAN}, which is not a number in E8M0; accepted: 0 … 254.`,
    name,
  );
}

/** The tensor with scale `index` of an expert, and which of its scales it is. */
function placeOfScale(
  linear: ExpertLinear,
  expert: number,
  index: number,
): { tensor: Tensor; index: number } {
  const { outputs } = linear;
  const weights = mxfp4Of(linear);
  const rowBlocks = linear.inputs / BLOCK;
  if (weights.form === "separate") {
    return { tensor: weights.scales, index: expert * outputs * rowBlocks + index };
  }
  const row = Math.floor(index / rowBlocks);
  const { tensor, first } = partOf(weights, row);
  const partRow = expert * rowsOf(tensor) + first + Math.floor(row / weights.parts.length);
  return { tensor, index: partRow * rowBlocks + (index % rowBlocks) };
}

function mxfp4Of({ weights }: ExpertLinear): Exclude<ExpertWeights, { readonly form: "dense" }> {
  if (weights.form === "dense") throw new Error("these experts are not in MXFP4");
  return weights;
}

function partOf(weights: Joined, row: number): ExpertPart {
  return weights.parts[row % weights.parts.length]!;
}

/** Rows per expert. */
function rowsOf(tensor: Tensor): number {
  return tensor.shape[1] ?? 0;
}
