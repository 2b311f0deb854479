import { Worker } from "node:worker_threads";

export type HashWorkerInit = { readonly path: string };
export type HashRequest = { readonly upTo: number; readonly end: boolean };
export type HashReport = { readonly done: number; readonly sha256?: string };

/** SHA-256 of a file from its beginning on, as far as it is there. */
export class HashThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #digest: Promise<string>;

  /** @param onProgress gets how many bytes were hashed */
  constructor(path: string, onProgress: (bytes: number) => void = () => {}) {
    const init: HashWorkerInit = { path };
    const worker = new Worker(new URL("./hash-worker.ts", import.meta.url), { workerData: init });
    this.#worker = worker;
    this.#digest = new Promise((resolve, reject) => {
      worker.on("message", ({ done, sha256 }: HashReport) => {
        onProgress(done);
        if (sha256 !== undefined) resolve(sha256);
      });
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("the thread that hashes has ended")));
    });
    // Said when the digest is asked for; a download that fails before never asks.
    this.#digest.catch(() => {});
  }

  /** Everything before this byte is there. */
  advance(upTo: number): void {
    this.#worker.postMessage({ upTo, end: false } satisfies HashRequest);
  }

  /** 64 hexadecimal digits. @param bytes of the whole file @throws Error when it cannot be read */
  digest(bytes: number): Promise<string> {
    this.#worker.postMessage({ upTo: bytes, end: true } satisfies HashRequest);
    return this.#digest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}

/** SHA-256 of a file, in another thread. @throws Error when it cannot be read; the signal's reason */
export async function hashFile(
  path: string,
  bytes: number,
  signal: AbortSignal,
  onProgress?: (bytes: number) => void,
): Promise<string> {
  await using thread = new HashThread(path, onProgress);
  const stop = (): void => void thread[Symbol.asyncDispose]();
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    return await thread.digest(bytes);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
