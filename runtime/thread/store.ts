/** Where logs are kept. */
import type { LogEntry } from "./entry.ts";
import { ThreadConflictError } from "./errors.ts";

/** A thread in a listing. */
export type ThreadSummary = {
  readonly threadId: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly entries: number;
};

/**
 * A store keeps entries in order and never changes one. When `append` resolves, the entry survives the end
 * of the process.
 */
export interface ThreadStore extends AsyncDisposable {
  /**
   * Appends one entry.
   * @throws ThreadConflictError when the thread has an entry with this `seq` already
   * @throws ThreadStoreError when it cannot be written
   */
  append(threadId: string, entry: LogEntry): Promise<void>;
  /** The entries of a thread from `fromSeq` on; none where there is no such thread. @throws ThreadStoreError */
  read(threadId: string, fromSeq?: number): Promise<readonly LogEntry[]>;
  /** Threads, the one that was used last first. @throws ThreadStoreError */
  list(limit?: number): Promise<readonly ThreadSummary[]>;
  /** @returns whether there was such a thread. @throws ThreadStoreError */
  remove(threadId: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Keeps logs as long as the process lives. */
export class MemoryThreadStore implements ThreadStore {
  readonly #threads = new Map<string, LogEntry[]>();

  async append(threadId: string, entry: LogEntry): Promise<void> {
    const entries = this.#threads.get(threadId) ?? [];
    if (entry.seq !== entries.length) throw new ThreadConflictError(threadId, entry.seq);
    entries.push(entry);
    this.#threads.delete(threadId);
    this.#threads.set(threadId, entries);
  }

  async read(threadId: string, fromSeq = 0): Promise<readonly LogEntry[]> {
    return (this.#threads.get(threadId) ?? []).slice(fromSeq);
  }

  async list(limit: number = Number.POSITIVE_INFINITY): Promise<readonly ThreadSummary[]> {
    return [...this.#threads]
      .map(([threadId, entries]) => ({
        threadId,
        createdAt: entries[0]?.at ?? "",
        updatedAt: entries.at(-1)?.at ?? "",
        entries: entries.length,
      }))
      .reverse()
      .slice(0, limit);
  }

  async remove(threadId: string): Promise<boolean> {
    return this.#threads.delete(threadId);
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
