/**
 * Speed of the two matrix kernels that take nearly all of a token's time, in the width of gpt-oss, by
 * number of columns and threads: `node inference-kernels.ts SETTINGS` (JSON) prints medians as JSON. The
 * weights are more than a cache holds, and read in order, as when decoding.
 */
import { Worker, workerData } from "node:worker_threads";
import { type Activations, type Matrix, matrixBytes } from "../../inference/model/matrix.ts";
import { multiply, type Product, type Workspace } from "../../inference/model/multiply.ts";
import {
  BLOCK,
  compileKernels,
  type KernelModule,
  MXFP4_I8_SCRATCH_BYTES,
  MXFP4_RECORD_BYTES,
  Q8_RECORD_BYTES,
  ROW_GROUP,
} from "../../inference/wasm/kernels.ts";
import {
  BankAllocator,
  type BankMemory,
  createMemory,
  MemoryBank,
} from "../../inference/wasm/memory-bank.ts";
import { createControl, Team, type TeamControl } from "../../inference/wasm/team.ts";
import { median, rounded } from "./median.ts";

export type KernelSettings = { readonly rounds: number };

const WIDTH = 2880;
const WEIGHT_BYTES = 256 << 20;
const COLUMNS = [1, 2, 4, 8, 16, 64];
const THREADS = [1, 2];
/** Multiplications of one measurement, at most; all weights are read once, at most. */
const WORK = 4e8;
/** Rows per call, as they are dealt out when decoding. */
const PIECE_ROWS = 96;
const FLOAT_BYTES = 4;

type Kind = "q8" | "mxfp4";
type ThreadData = {
  readonly module: KernelModule;
  readonly memory: BankMemory;
  readonly control: TeamControl;
  readonly index: number;
  readonly size: number;
  readonly rounds: number;
};
/** Seconds of each round, by kind and columns. */
type Times = { readonly kind: Kind; readonly columns: number; readonly seconds: number[] };

async function measure({ rounds }: KernelSettings): Promise<object> {
  const module = compileKernels();
  const memory = createMemory(planned(2).end);
  fill(new MemoryBank(module, memory));
  const table: Record<string, object> = {};
  for (const size of THREADS) {
    const control = createControl(size);
    const found = await Promise.all(
      Array.from({ length: size }, (_, index) => {
        const data: ThreadData = { module, memory, control, index, size, rounds };
        const worker = new Worker(new URL(import.meta.url), { workerData: data });
        return new Promise<readonly Times[]>((resolve, reject) => {
          worker.on("message", resolve).on("error", reject);
        });
      }),
    );
    for (const { kind, columns, seconds } of found[0] ?? []) {
      const rows = rowsOf(kind, columns);
      const time = median(seconds);
      const key = `${kind}_threads_${size}`;
      table[key] = {
        ...table[key],
        [columns]: {
          GBps: rounded(matrixBytes({ kind, rows, columns: WIDTH }) / time / 1e9),
          GMACps: rounded((rows * WIDTH * columns) / time / 1e9),
        },
      };
    }
    console.error(`kernels, ${size} threads: ${JSON.stringify(table)}`);
  }
  return table;
}

/** Where everything lies: activations and results of the thread with index `threads` - 1 last. */
function planned(threads: number): {
  readonly weights: number;
  readonly x: Activations;
  readonly y: number;
  readonly strip: number;
  readonly end: number;
} {
  const allocator = new BankAllocator();
  const most = Math.max(...COLUMNS);
  const floats = (count: number): number => allocator.allocate(count * FLOAT_BYTES);
  const weights = allocator.allocate(WEIGHT_BYTES);
  const x: Activations = {
    width: WIDTH,
    values: floats(most * WIDTH),
    quantised: allocator.allocate(most * WIDTH),
    i16: allocator.allocate(2 * most * WIDTH),
    scales: floats((most * WIDTH) / BLOCK),
    starts: floats((most * WIDTH) / BLOCK),
  };
  const y = floats(WORK / WIDTH);
  let strip = 0;
  for (let i = 0; i < threads; i++) {
    strip = allocator.allocate((WIDTH / BLOCK) * MXFP4_I8_SCRATCH_BYTES);
  }
  return { weights, x, y, strip, end: allocator.byteLength };
}

/** Whole pieces that the weights have room for, and fewer where a row is much work. */
function rowsOf(kind: Kind, columns: number): number {
  const rowBytes = matrixBytes({ kind, rows: ROW_GROUP, columns: WIDTH }) / ROW_GROUP;
  const rows = Math.min(WEIGHT_BYTES / rowBytes, WORK / (WIDTH * columns));
  return Math.floor(rows / PIECE_ROWS) * PIECE_ROWS;
}

/** Numbers of usual size everywhere. */
function fill(bank: MemoryBank): void {
  const { weights, x } = planned(1);
  const pattern = Buffer.alloc(Q8_RECORD_BYTES * MXFP4_RECORD_BYTES * 4);
  // Scales among them: 2^-27 … 2^-4 as E8M0, 1,000 … 60,000 as float16.
  for (let i = 0; i < pattern.length; i++) pattern[i] = 100 + ((Math.imul(i, 40503) >>> 7) % 24);
  for (let at = 0; at < WEIGHT_BYTES; at += pattern.length) {
    const size = Math.min(pattern.length, WEIGHT_BYTES - at);
    bank.bytes.set(pattern.subarray(0, size), weights + at);
  }
  const most = Math.max(...COLUMNS);
  for (let i = 0; i < most * WIDTH; i++) {
    bank.bytes[x.quantised + i] = Math.imul(i, 7919) >>> 3;
    bank.bytes[x.i16 + 2 * i] = Math.imul(i, 7919) >>> 3;
  }
  bank.floats.fill(0.01, x.scales / FLOAT_BYTES, x.scales / FLOAT_BYTES + (most * WIDTH) / BLOCK);
}

function measureAsThread(data: ThreadData): readonly Times[] {
  const { module, memory, control, index, size, rounds } = data;
  const bank = new MemoryBank(module, memory);
  const team = new Team(control, index, size);
  team.begin(1);
  const { weights, x, y } = planned(1);
  const { strip } = planned(index + 1);
  const workspace: Workspace = { bank, precision: "int8", strip };
  const times: Times[] = (["q8", "mxfp4"] as const).flatMap((kind) =>
    COLUMNS.map((columns) => ({ kind, columns, seconds: [] })),
  );
  // The first round is there for the compiler.
  for (let round = -1; round < rounds; round++) {
    for (const { kind, columns, seconds } of times) {
      const rows = rowsOf(kind, columns);
      const matrix: Matrix = { kind, address: weights, rows, columns: WIDTH, bias: 0 };
      const product: Product = { matrix, x, first: 0, index: 0, count: columns, y, stride: rows };
      team.barrier();
      const from = performance.now();
      team.deal(rows / PIECE_ROWS, 1, (first, end) => {
        const [row, to] = [first * PIECE_ROWS, end * PIECE_ROWS];
        multiply(workspace, product, row, to);
      });
      team.barrier();
      if (round >= 0) seconds.push((performance.now() - from) / 1000);
    }
  }
  return times;
}

if (workerData !== null) {
  const { parentPort } = await import("node:worker_threads");
  parentPort?.postMessage(measureAsThread(workerData as ThreadData));
} else if (process.argv[2] !== undefined && import.meta.filename === process.argv[1]) {
  console.log(JSON.stringify(await measure(JSON.parse(process.argv[2]))));
}
