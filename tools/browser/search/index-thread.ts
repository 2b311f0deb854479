/** A search index in a thread beside the main one; all indexes of a process share the thread. */
import type { Piscina } from "piscina";
import type { SearchHit } from "../backend.ts";
import type { PageContent } from "../page.ts";
import type { IndexRequest } from "./index-worker.ts";
import type { IndexChange, StoredDocument } from "./search-index.ts";

/** Of JavaScript objects; what SQLite holds is not among them. */
const HEAP_MB = 1024;

let thread: Promise<Piscina> | undefined;
let opened = 0;

async function startThread(): Promise<Piscina> {
  const { Piscina: Pool } = await import("piscina");
  return new Pool({
    filename: new URL("./index-worker.ts", import.meta.url).href,
    // The state of the indexes is in this one thread; requests are carried out in their order.
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
}

type Call<Request> = Request extends unknown ? Omit<Request, "index"> : never;

export class IndexThread {
  readonly #thread: Piscina;
  readonly #index: number;

  private constructor(started: Piscina, index: number) {
    this.#thread = started;
    this.#index = index;
  }

  /**
   * @param file  path of the database; the empty string: one that goes with the process
   * @param version  of what is written into it; a file with another is made anew
   * @throws an error of SQLite when the file cannot be opened or made
   */
  static async open(file: string, version: number): Promise<IndexThread> {
    thread ??= startThread();
    const index = new IndexThread(await thread, opened++);
    await index.#ask({ call: "open", file, version });
    return index;
  }

  async update(change: IndexChange): Promise<void> {
    await this.#ask({ call: "update", change });
  }

  /** As `SearchIndex.hold`. */
  async hold(): Promise<void> {
    await this.#ask({ call: "hold" });
  }

  async updateVocabulary(): Promise<void> {
    await this.#ask({ call: "updateVocabulary" });
  }

  async documents(): Promise<readonly StoredDocument[]> {
    return (await this.#ask({ call: "documents" })) as readonly StoredDocument[];
  }

  async get(url: string): Promise<PageContent | null> {
    return (await this.#ask({ call: "get", url })) as PageContent | null;
  }

  async search(query: string, limit: number, signal?: AbortSignal): Promise<readonly SearchHit[]> {
    return (await this.#ask({ call: "search", query, limit }, signal)) as readonly SearchHit[];
  }

  async close(): Promise<void> {
    await this.#ask({ call: "close" });
  }

  /** A request that is given up in the middle still ends in its thread: the index stays whole. */
  #ask(call: Call<IndexRequest>, signal?: AbortSignal): Promise<unknown> {
    const answer: Promise<unknown> = this.#thread.run({ ...call, index: this.#index });
    if (signal === undefined) return answer;
    signal.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    return Promise.race([answer, promise]).finally(() => {
      signal.removeEventListener("abort", onAbort);
    });
  }
}
