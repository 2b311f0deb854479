import { Worker } from "node:worker_threads";
import { EngineFailedError } from "../errors.ts";

/** What a thread is given, and what it says: bytes read and the milliseconds that took. */
export type BandwidthInit = {
  /** Opened when all threads are ready. */
  readonly gate: Int32Array<SharedArrayBuffer>;
  readonly bufferBytes: number;
  readonly milliseconds: number;
};
export type BandwidthResult = { readonly bytes: number; readonly milliseconds: number };

/** Larger than caches, of which two are compared. */
const BUFFER_BYTES = 128 << 20;
const MILLISECONDS = 400;

/**
 * Measures how fast this machine reads memory with so many threads, by native code (`memcmp`): the
 * limit of decoding, which reads every active weight once per token. Takes about a second.
 *
 * @returns bytes per second of all threads together
 * @throws EngineFailedError when the threads or their memory cannot be had; the signal's reason
 */
export async function measureBandwidth(threads: number, signal?: AbortSignal): Promise<number> {
  signal?.throwIfAborted();
  const gate = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const init: BandwidthInit = { gate, bufferBytes: BUFFER_BYTES, milliseconds: MILLISECONDS };
  const entry = new URL("./bandwidth-worker.ts", import.meta.url);
  const workers = Array.from({ length: threads }, () => new Worker(entry, { workerData: init }));
  const end = (): void => {
    for (const worker of workers) void worker.terminate();
  };
  signal?.addEventListener("abort", end, { once: true });
  try {
    await Promise.all(workers.map((worker) => said(worker)));
    const results = workers.map((worker) => said(worker));
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    const measured = (await Promise.all(results)) as BandwidthResult[];
    return measured.reduce((sum, { bytes, milliseconds }) => sum + bytes / milliseconds, 0) * 1000;
  } catch (cause) {
    signal?.throwIfAborted();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineFailedError(`Cannot measure the memory's bandwidth: ${reason}.`, { cause });
  } finally {
    signal?.removeEventListener("abort", end);
    end();
  }
}

/** The next message of a thread. */
function said(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`a thread ended with code ${code}`)));
  });
}
