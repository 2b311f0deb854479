/**
 * Extraction under a clock. Markup can be built so that taking it apart takes hours (deep nesting makes
 * HTML parsing quadratic), and nothing in the same thread could stop it; so it runs in a thread of its
 * own, which is ended at the time limit and started anew for the next document.
 */
import { Worker } from "node:worker_threads";
import type { DocumentSource } from "../convert/extract.ts";
import type { PageContent } from "../page.ts";

export type Extraction = { readonly page: PageContent } | { readonly reason: string };

const HEAP_MEGABYTES = 512;

export class Extractor {
  readonly #timeoutMs: number;
  #worker: Worker | null = null;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** One document at a time. */
  async extract(document: DocumentSource): Promise<Extraction> {
    this.#worker ??= await startWorker();
    const worker = this.#worker;
    const { promise, resolve } = Promise.withResolvers<Extraction>();
    const tooLong = { reason: `its text was not extracted within ${this.#timeoutMs / 1000} s` };
    const timer = setTimeout(() => resolve(tooLong), this.#timeoutMs);
    const onError = (error: Error): void => resolve({ reason: error.message });
    worker.once("message", resolve);
    worker.once("error", onError);
    worker.postMessage(document);
    const result = await promise;
    clearTimeout(timer);
    worker.off("message", resolve);
    worker.off("error", onError);
    if ("reason" in result) await this.close();
    return result;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    // A worker that fails while it is ended has nobody left to tell.
    worker?.on("error", () => {});
    await worker?.terminate();
  }
}

/** Loading the HTML parser takes longer than most documents; it does not count against their time. */
async function startWorker(): Promise<Worker> {
  const file = new URL("./extract-worker.ts", import.meta.url);
  const worker = new Worker(file, {
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
  });
  await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  worker.removeAllListeners("error");
  return worker;
}
