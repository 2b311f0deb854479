import { Worker } from "node:worker_threads";
import { EngineFailedError } from "../errors.ts";

/** What every thread of a measurement is given beside its own: opened when all threads are ready. */
export type Gate = { readonly gate: Int32Array<SharedArrayBuffer> };

/** A measurement in threads that begin at the same time. */
export type Measurement = {
  /** The module of a thread: it says "ready", waits at the gate, then says what it has measured. */
  readonly entry: URL;
  readonly threads: number;
  readonly data: object;
  /** For errors: "the memory's bandwidth". */
  readonly what: string;
  readonly signal: AbortSignal | undefined;
};

/**
 * @returns what each thread said
 * @throws EngineFailedError when the threads or their memory cannot be had; the signal's reason
 */
export async function measureTogether<T>(measurement: Measurement): Promise<readonly T[]> {
  const { entry, threads, data, what, signal } = measurement;
  signal?.throwIfAborted();
  const gate = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const workerData = { ...data, gate };
  const workers = Array.from({ length: threads }, () => new Worker(entry, { workerData }));
  const end = (): void => {
    for (const worker of workers) void worker.terminate();
  };
  signal?.addEventListener("abort", end, { once: true });
  try {
    await Promise.all(workers.map((worker) => said(worker)));
    const results = workers.map((worker) => said(worker));
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    return (await Promise.all(results)) as readonly T[];
  } catch (cause) {
    signal?.throwIfAborted();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineFailedError(`Cannot measure ${what}: ${reason}.`, { cause });
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
