/** One thread that multiplies as fast as it can, see `measureArithmetic`. */
import { parentPort, workerData } from "node:worker_threads";
import type { KernelRate } from "../engine.ts";
import { type Activations, type Matrix, matrixBytes } from "../model/matrix.ts";
import { multiply } from "../model/multiply.ts";
import type { WorkKind } from "../model/pass-work.ts";
import { screenRecordBytes } from "../model/screen.ts";
import {
  ATTENTION_COLUMNS,
  attentionScratchFloats,
  BLOCK,
  FLOAT_BYTES,
  I16_BYTES,
  KV_PAGE,
  MXFP4_F32_SCRATCH_BYTES,
  ROW_GROUP,
  SCREEN_TERMS_BYTES,
} from "../wasm/kernels.ts";
import { BankAllocator, createMemory, MemoryBank } from "../wasm/memory-bank.ts";
import type { ArithmeticInit } from "./arithmetic.ts";

const { module, plan, kv, kinds, gate } = workerData as ArithmeticInit;

/** Less than the fast cache of a core holds, activations included. */
const WEIGHT_BYTES = 192 << 10;
const MAX_ROWS = 128;
const MANY_COLUMNS = 64;
/** Pages of keys and values that a column attends to. */
const PAGES = 4;
/** Of the slices the fastest counts: in the others the machine did something else as well. */
const SLICES = 24;
const SLICE_MS = 2;

const { config, precision } = plan;
const width = config.hidden;
const blocks = width / BLOCK;
const group = config.heads / config.kvHeads;

const allocator = new BankAllocator();
const floats = (count: number): number => allocator.allocate(count * FLOAT_BYTES);
const weights = allocator.allocate(Math.max(WEIGHT_BYTES, ROW_GROUP * width * FLOAT_BYTES));
const x: Activations = {
  width,
  values: floats(MANY_COLUMNS * width),
  quantised: allocator.allocate(MANY_COLUMNS * width),
  i16: allocator.allocate(MANY_COLUMNS * width * I16_BYTES),
  scales: floats(MANY_COLUMNS * blocks),
  starts: floats(MANY_COLUMNS * blocks),
};
const y = floats(MANY_COLUMNS * MAX_ROWS);
const strip = allocator.allocate(blocks * MXFP4_F32_SCRATCH_BYTES);
const terms = allocator.allocate(blocks * SCREEN_TERMS_BYTES);
const headPageBytes = kv.layerPageBytes / config.kvHeads;
const pages = allocator.allocate(PAGES * headPageBytes);
const table = floats(PAGES);
const sinks = floats(group);
const q = floats(ATTENTION_COLUMNS * group * config.headDim);
const z = floats(ATTENTION_COLUMNS * group * config.headDim);
const scratch = floats(attentionScratchFloats(group, config.headDim));
const bank = new MemoryBank(module, createMemory(allocator.byteLength));
const { kernels } = bank;
fill();

parentPort?.postMessage("ready");
Atomics.wait(gate, 0, 0);
const rates: readonly KernelRate[] = kinds.map((kind) => {
  const one = rate(kind, 1);
  // The screen takes one column at a time.
  return { kind, one, many: kind === "screen" ? one : rate(kind, MANY_COLUMNS) };
});
parentPort?.postMessage(rates);

/** Multiply-accumulates per second. */
function rate(kind: WorkKind, columns: number): number {
  const { macs, run } = work(kind, columns);
  let best = 0;
  for (let slice = 0; slice < SLICES; slice++) {
    const from = performance.now();
    let ms = 0;
    let runs = 0;
    while (ms < SLICE_MS) {
      run();
      runs++;
      ms = performance.now() - from;
    }
    best = Math.max(best, (macs * runs * 1000) / ms);
  }
  return best;
}

function work(
  kind: WorkKind,
  columns: number,
): { readonly macs: number; readonly run: () => void } {
  if (kind === "attention") {
    const { heads, kvHeads, headDim } = config;
    const positions = PAGES * KV_PAGE;
    const attend = kv.type === "i16" ? kernels.attention_i16 : kernels.attention;
    const stride = headPageBytes / FLOAT_BYTES;
    const together = Math.min(columns, ATTENTION_COLUMNS);
    const end = positions - together + 1;
    const seen = together * (positions - (together - 1) / 2);
    return {
      macs: 2 * (heads / kvHeads) * headDim * seen,
      run: () =>
        attend(
          q,
          together,
          group,
          headDim,
          pages,
          table,
          stride,
          positions,
          end,
          0.1,
          sinks,
          z,
          scratch,
        ),
    };
  }
  if (kind === "screen") {
    const rows = rowsFor(screenRecordBytes({ rows: ROW_GROUP, columns: width }));
    return {
      macs: rows * width,
      run: () => kernels.screen_bounds(weights, rows, blocks, x.quantised, terms, 60, y),
    };
  }
  const rows = rowsFor(matrixBytes({ kind, rows: ROW_GROUP, columns: width }));
  // Floats of usual size, or scales of usual size among the bytes of blocks.
  const isFloat = kind === "f32" || kind === "bf16";
  bank.bytes.fill(isFloat ? 0x3c : 0x70, weights, weights + WEIGHT_BYTES);
  const matrix: Matrix = { kind, address: weights, rows, columns: width, bias: 0 };
  const product = { matrix, x, first: 0, index: 0, count: columns, y, stride: MAX_ROWS };
  return {
    macs: rows * width * columns,
    run: () => multiply({ bank, precision, strip }, product, 0, rows),
  };
}

/** Whole groups of rows that the cache holds. */
function rowsFor(groupBytes: number): number {
  const rows = Math.floor(WEIGHT_BYTES / groupBytes) * ROW_GROUP;
  return Math.max(ROW_GROUP, Math.min(MAX_ROWS, rows));
}

/** Numbers of usual size everywhere: what is too small to be normal takes longer. */
function fill(): void {
  const put = (address: number, count: number): void => {
    bank.floats.fill(0.01, address / FLOAT_BYTES, address / FLOAT_BYTES + count);
  };
  put(x.values, MANY_COLUMNS * width);
  put(x.scales, MANY_COLUMNS * blocks);
  put(terms, (blocks * SCREEN_TERMS_BYTES) / FLOAT_BYTES);
  put(sinks, group);
  put(q, ATTENTION_COLUMNS * group * config.headDim);
  bank.bytes.fill(3, x.quantised, x.quantised + MANY_COLUMNS * width);
  for (let i = 0; i < MANY_COLUMNS * width; i++) bank.bytes[x.i16 + I16_BYTES * i] = 3;
  // As an integer of a key it is within bounds, as a scale it is small.
  bank.bytes.fill(kv.type === "i16" ? 0x0c : 0x3c, pages, pages + PAGES * headPageBytes);
  for (let page = 0; page < PAGES; page++) bank.ints[table / FLOAT_BYTES + page] = page;
}
