/**
 * Rows of an expert in one form, whatever the file's: blocks whose byte j has input 2j in its low
 * and 2j+1 in its high nibble, scales apart, gate and up rows in turn. Files of the 17-byte form are
 * converted while they are read, in chunks of bounded size.
 */

import { CheckpointError } from "../errors.ts";
import {
  type ExpertLinear,
  type ExpertPart,
  type ExpertWeights,
  readFloatsInto,
  type Tensor,
} from "./tensors.ts";

type Bytes = Uint8Array<ArrayBufferLike>;
type Joined = Extract<ExpertWeights, { readonly form: "joined" }>;

/** Inputs per block. */
const BLOCK = 32;
/** Bytes of a block without its scale. */
const CODES = BLOCK / 2;
const JOINED_BYTES = CODES + 1;
const MAX_CHUNK_BYTES = 1 << 20;

/** E8M0 is a power of two in every code but this one, which is "not a number". */
const SCALE_NAN = 255;

/**
 * Reads rows of one expert.
 * @param row the first; as many are read as `scales` has room for
 * @param blocks filled: U8 (rows, inputs/32, 16)
 * @param scales filled: U8 (rows, inputs/32); not yet checked
 * @throws CheckpointError when the file has become shorter
 */
export function readExpertRows(
  linear: ExpertLinear,
  expert: number,
  row: number,
  blocks: Bytes,
  scales: Bytes,
): void {
  const { weights, outputs } = linear;
  const rowBlocks = linear.inputs / BLOCK;
  if (weights.form === "separate") {
    const first = (expert * outputs + row) * rowBlocks;
    weights.blocks.readInto(blocks, first * CODES);
    weights.scales.readInto(scales, first);
    return;
  }
  const end = row + scales.length / rowBlocks;
  const turns = weights.parts.length;
  for (const [turn, part] of weights.parts.entries()) {
    // The rows of this part among row … end-1 are those that leave `turn` when divided by `turns`.
    const first = Math.ceil((row - turn) / turns);
    const count = Math.ceil((end - turn) / turns) - first;
    const target = { blocks, scales, row: first * turns + turn - row, step: turns, rowBlocks };
    readPart(part, expert, first, count, target);
  }
}

/** Where the rows of a part go: to `row`, `row + step`, … */
type Target = {
  readonly blocks: Bytes;
  readonly scales: Bytes;
  readonly row: number;
  readonly step: number;
  readonly rowBlocks: number;
};

function readPart(
  part: ExpertPart,
  expert: number,
  first: number,
  count: number,
  target: Target,
): void {
  const { tensor } = part;
  const { rowBlocks, step } = target;
  const rowBytes = rowBlocks * JOINED_BYTES;
  const chunk = Math.max(1, Math.floor(MAX_CHUNK_BYTES / rowBytes));
  const buffer = new Uint8Array(Math.min(chunk, count) * rowBytes);
  const joined = new DataView(buffer.buffer);
  const { blocks } = target;
  const out = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
  const split = tensor.dtype === "MXFP4";
  const start = expert * rowsOf(tensor) + part.first + first;
  for (let done = 0; done < count; done += chunk) {
    const rows = Math.min(chunk, count - done);
    tensor.readInto(buffer.subarray(0, rows * rowBytes), (start + done) * rowBytes);
    for (let i = 0; i < rows; i++) {
      const at = (target.row + (done + i) * step) * rowBlocks;
      separateRow(joined, i * rowBytes, split, out, target.scales, at, rowBlocks);
    }
  }
}

/** Blocks of 17 bytes from `from` on, to block `at` and the following. */
function separateRow(
  joined: DataView,
  from: number,
  split: boolean,
  blocks: DataView,
  scales: Bytes,
  at: number,
  count: number,
): void {
  let source = from;
  let out = at * CODES;
  for (let b = 0; b < count; b++) {
    scales[at + b] = joined.getUint8(source);
    const w0 = joined.getInt32(source + 1, true);
    const w1 = joined.getInt32(source + 5, true);
    const w2 = joined.getInt32(source + 9, true);
    const w3 = joined.getInt32(source + 13, true);
    if (split) {
      // Elements 0 … 15 are the low nibbles of the 16 bytes, 16 … 31 the high ones.
      blocks.setInt32(out, pairs(w0) | (pairs(w1) << 16), true);
      blocks.setInt32(out + 4, pairs(w2) | (pairs(w3) << 16), true);
      blocks.setInt32(out + 8, pairs(w0 >>> 4) | (pairs(w1 >>> 4) << 16), true);
      blocks.setInt32(out + 12, pairs(w2 >>> 4) | (pairs(w3 >>> 4) << 16), true);
    } else {
      blocks.setInt32(out, w0, true);
      blocks.setInt32(out + 4, w1, true);
      blocks.setInt32(out + 8, w2, true);
      blocks.setInt32(out + 12, w3, true);
    }
    source += JOINED_BYTES;
    out += CODES;
  }
}

/** The low nibbles of the four bytes of a word, one after the other in 16 bits. */
function pairs(word: number): number {
  const nibbles = word & 0x0f0f0f0f;
  const bytes = nibbles | (nibbles >>> 4);
  return (bytes & 0xff) | ((bytes >>> 8) & 0xff00);
}

/**
 * The bias of one expert, f32 (outputs).
 * @throws CheckpointError when the file has become shorter
 */
export function readExpertBias(linear: ExpertLinear, expert: number): Float32Array {
  const out = new Float32Array(linear.outputs);
  const turns = linear.bias.length;
  const values = new Float32Array(linear.outputs / turns);
  for (const [turn, { tensor, first }] of linear.bias.entries()) {
    readFloatsInto(tensor, expert * rowsOf(tensor) + first, values);
    for (let i = 0; i < values.length; i++) out[i * turns + turn] = values[i]!;
  }
  return out;
}

/**
 * Refuses MXFP4 scales that are no number: one such byte would silently turn every logit into NaN.
 * @param scales those of `row` and the following rows, as `readExpertRows` gave them
 * @throws CheckpointError naming the tensor and the place
 */
export function checkExpertScales(
  linear: ExpertLinear,
  expert: number,
  row: number,
  scales: Bytes,
): void {
  const found = scales.indexOf(SCALE_NAN);
  if (found === -1) return;
  const rowBlocks = linear.inputs / BLOCK;
  const { tensor, index } = placeOfScale(linear, expert, row * rowBlocks + found);
  throw new CheckpointError(
    tensor.path,
    `scale ${index} of ${tensor.name} is ${SCALE_NAN}, which is not a number in E8M0; accepted: 0 … 254.`,
    tensor.name,
  );
}

/** The tensor with scale `index` of an expert, and which of its scales it is. */
function placeOfScale(
  linear: ExpertLinear,
  expert: number,
  index: number,
): { tensor: Tensor; index: number } {
  const { weights, outputs } = linear;
  const rowBlocks = linear.inputs / BLOCK;
  if (weights.form === "separate") {
    return { tensor: weights.scales, index: expert * outputs * rowBlocks + index };
  }
  const row = Math.floor(index / rowBlocks);
  const { tensor, first } = partOf(weights, row);
  const partRow = expert * rowsOf(tensor) + first + Math.floor(row / weights.parts.length);
  return { tensor, index: partRow * rowBlocks + (index % rowBlocks) };
}

function partOf(weights: Joined, row: number): ExpertPart {
  return weights.parts[row % weights.parts.length]!;
}

/** Rows per expert. */
function rowsOf(tensor: Tensor): number {
  return tensor.shape[1] ?? 0;
}
