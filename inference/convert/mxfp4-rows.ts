/** Rows of an expert in MXFP4, from every kind of file: what is MXFP4 there keeps every bit. */

import { openDenseExpert } from "../checkpoint/dense-experts.ts";
import {
  checkExpertScales,
  readExpertRows,
  type StagedRows,
  storedRowBytes,
} from "../checkpoint/expert-rows.ts";
import { packMxfp4 } from "../checkpoint/mxfp4-pack.ts";
import type { ExpertLinear } from "../checkpoint/tensors.ts";
import { notFinite } from "../model/tensor-loader.ts";

const BLOCK = 32;
const CODES = BLOCK / 2;

export type Mxfp4Rows = {
  /** 16 bytes per block: byte j has input 2j in its low and 2j+1 in its high nibble. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** A byte per block, E8M0. */
  readonly scales: Uint8Array<ArrayBuffer>;
};

/**
 * All rows of an expert, in order.
 * @throws CheckpointError for a file that is cut short, or values or scales that are no numbers
 */
export function mxfp4Rows(linear: ExpertLinear, expert: number): Mxfp4Rows {
  const { outputs, inputs, weights } = linear;
  const blocks = (outputs * inputs) / BLOCK;
  const rows: Mxfp4Rows = {
    codes: new Uint8Array(blocks * CODES),
    scales: new Uint8Array(blocks),
  };
  if (weights.form === "dense") {
    const values = new Float32Array(outputs * inputs);
    const opened = openDenseExpert(linear, expert);
    opened.read(0, outputs, values);
    const broken = values.findIndex((value) => !Number.isFinite(value));
    if (broken !== -1) {
      const row = Math.floor(broken / inputs);
      throw notFinite(opened.tensorOf(row), `${broken % inputs} of row ${row}`);
    }
    packMxfp4(values, rows.codes, rows.scales);
    return rows;
  }
  const stored = new Uint8Array(outputs * storedRowBytes(linear));
  const staged = readExpertRows(linear, expert, 0, outputs, stored);
  const rowBlocks = inputs / BLOCK;
  for (let row = 0; row < outputs; row++) {
    const from = staged.odd === 0 ? row * rowBlocks : Math.floor(row / 2) * rowBlocks;
    const offset = staged.odd !== 0 && row % 2 === 1 ? staged.odd : 0;
    for (let block = 0; block < rowBlocks; block++) {
      takeBlock(stored, staged, offset, from + block, rows, row * rowBlocks + block);
    }
  }
  checkExpertScales(linear, expert, rows.scales);
  return rows;
}

function takeBlock(
  stored: Uint8Array,
  { codes, scales, blockBytes, split }: StagedRows,
  offset: number,
  block: number,
  out: Mxfp4Rows,
  target: number,
): void {
  // Apart, a scale follows the last; joined, each is a block further.
  const scaleStep = blockBytes === CODES ? 1 : blockBytes;
  out.scales[target] = stored[offset + scales + block * scaleStep]!;
  const from = offset + codes + block * blockBytes;
  const to = target * CODES;
  if (!split) {
    for (let j = 0; j < CODES; j++) out.codes[to + j] = stored[from + j]!;
    return;
  }
  for (let j = 0; j < CODES / 2; j++) {
    const [a, b] = [stored[from + 2 * j]!, stored[from + 2 * j + 1]!];
    out.codes[to + j] = (a & 15) | ((b & 15) << 4);
    out.codes[to + CODES / 2 + j] = (a >> 4) | (b & 0xf0);
  }
}
