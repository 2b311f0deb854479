/** Hashes a file that grows, in a thread of its own: what has come is hashed while the rest is still coming. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { HashReport, HashRequest, HashWorkerInit } from "./hash-thread.ts";

/** Small enough to stay in the cache of a core between reading and hashing. */
const BLOCK_BYTES = 256 << 10;
/** Bytes between two reports. */
const REPORT_BYTES = 8 << 20;

const { path } = workerData as HashWorkerInit;
const port = parentPort;
if (port === null) throw new Error("This module is the entry of a worker.");

const hash = createHash("sha256");
const block = Buffer.allocUnsafe(BLOCK_BYTES);
const descriptor = openSync(path, "r");
let done = 0;

port.on("message", ({ upTo, end }: HashRequest) => {
  while (done < upTo) {
    const read = readSync(descriptor, block, 0, Math.min(BLOCK_BYTES, upTo - done), done);
    if (read === 0) throw new Error(`the file ends at byte ${done} instead of ${upTo}`);
    hash.update(block.subarray(0, read));
    done += read;
    if (done % REPORT_BYTES === 0) port.postMessage({ done } satisfies HashReport);
  }
  if (!end) return;
  closeSync(descriptor);
  port.postMessage({ done, sha256: hash.digest("hex") } satisfies HashReport);
  port.close();
});
