import { LogitRow, type RowPlaces } from "../../inference/sampling/logit-row.ts";
import { compileKernels } from "../../inference/wasm/kernels.ts";
import { BankAllocator, createMemory, MemoryBank } from "../../inference/wasm/memory-bank.ts";

const MOST_IDS = 100_000;

const allocator = new BankAllocator();
const places: RowPlaces = {
  logits: allocator.allocate(MOST_IDS * 4),
  perturbed: allocator.allocate(MOST_IDS * 4),
  ids: allocator.allocate(MOST_IDS * 4),
};
const bank = new MemoryBank(compileKernels(), createMemory(allocator.byteLength));

/** A row of these logits, or of bounds of `logits`; only until the next one is made. */
export function logitRow(values: Float32Array, logits?: Float32Array): LogitRow {
  bank.floats.set(values, places.logits / 4);
  if (logits === undefined) return new LogitRow(bank, places, values.length);
  const compute = (ids: readonly number[]): Float32Array =>
    Float32Array.from(ids, (id) => logits[id] ?? Number.NaN);
  return new LogitRow(bank, places, values.length, compute);
}
