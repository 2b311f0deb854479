/**
 * The log of a job's conversation while a worker has the job. It can be frozen: then nothing more is written, and the
 * turn stays open as if the process had been killed, so that the next attempt goes on from the last entry.
 */
import type { LogEntry, ThreadQuery, ThreadStore, ThreadSummary } from "../index.ts";
import { ThreadStoreError } from "../index.ts";
import type { JobFailure } from "./job.ts";
import type { JobFiles } from "./job-files.ts";

type Ended = Extract<LogEntry, { type: "ended" }>;

export class JobLog implements ThreadStore {
  readonly #store: ThreadStore;
  readonly #isPassing: (ended: Ended) => boolean;
  readonly #files: JobFiles;
  /** Calls that are executed now. */
  readonly #calls = new Set<string>();
  #isFrozen = false;
  #isDraining = false;
  #drained = Promise.withResolvers<void>();
  #heldBack: JobFailure | null = null;

  /** @param isPassing whether a turn that ends so is to stay open, for another attempt */
  constructor(store: ThreadStore, files: JobFiles, isPassing: (ended: Ended) => boolean) {
    this.#store = store;
    this.#files = files;
    this.#isPassing = isPassing;
  }

  /** Why the turn would have ended that stays open. */
  get heldBack(): JobFailure | null {
    return this.#heldBack;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** From now on nothing is written. */
  freeze(): void {
    this.#isFrozen = true;
    this.#drained.resolve();
  }

  /** Freezes the log as soon as no call is at work. */
  drain(): Promise<void> {
    this.#isDraining = true;
    if (this.#calls.size === 0) this.freeze();
    return this.#drained.promise;
  }

  async append(threadId: string, ...entries: readonly LogEntry[]): Promise<void> {
    const begins = entries.some(({ type }) => type === "call");
    if (this.#isDraining && begins) this.freeze();
    const ended = entries.find((entry) => entry.type === "ended");
    if (!this.#isFrozen && ended !== undefined && this.#isPassing(ended)) {
      this.#heldBack = ended.error;
      this.freeze();
    }
    if (this.#isFrozen) {
      throw new ThreadStoreError(`write to thread ${threadId}`, "the worker has given the job up");
    }
    // Before it is written: a call that may have been begun counts.
    for (const entry of entries) if (entry.type === "call") this.#calls.add(entry.callId);
    const kept = await Promise.all(entries.map((entry) => this.#files.keep(entry)));
    await this.#store.append(threadId, ...kept);
    for (const entry of entries) if (entry.type === "result") this.#calls.delete(entry.callId);
    if (this.#isDraining && this.#calls.size === 0) this.freeze();
  }

  read(threadId: string, fromSeq?: number): Promise<readonly LogEntry[]> {
    return this.#store.read(threadId, fromSeq);
  }

  list(query?: ThreadQuery): Promise<readonly ThreadSummary[]> {
    return this.#store.list(query);
  }

  search(query: string, limit?: number): ReturnType<ThreadStore["search"]> {
    return this.#store.search(query, limit);
  }

  remove(threadId: string): Promise<boolean> {
    return this.#store.remove(threadId);
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
