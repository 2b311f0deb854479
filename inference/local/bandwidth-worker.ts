/** One thread that reads memory as fast as it can, see `measureBandwidth`. */
import { parentPort, workerData } from "node:worker_threads";
import type { BandwidthInit, BandwidthResult } from "./bandwidth.ts";

const { gate, bufferBytes, milliseconds } = workerData as BandwidthInit;
// Pages that were never written all are the same one: filled with something.
const [a, b] = [Buffer.alloc(bufferBytes, 1), Buffer.alloc(bufferBytes, 1)];
parentPort?.postMessage("ready");
Atomics.wait(gate, 0, 0);

const from = performance.now();
let bytes = 0;
let now = from;
do {
  if (!a.equals(b)) throw new Error("memory does not hold what was written");
  bytes += 2 * bufferBytes;
  now = performance.now();
} while (now - from < milliseconds);
const result: BandwidthResult = { bytes, milliseconds: now - from };
parentPort?.postMessage(result);
