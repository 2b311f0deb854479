/** Where logs are kept. */
import type { LogEntry } from "./entry.ts";
import { ThreadConflictError } from "./errors.ts";
import { excerptOf, positionOf, queryTerms, searchableText, type ThreadMatch } from "./search.ts";
import { summarise, type ThreadSummary } from "./summary.ts";

/** Which threads a listing names. */
export type ThreadQuery = {
  /** Default: all. */
  readonly limit?: number | undefined;
  /** Threads that began in this folder. */
  readonly folder?: string | undefined;
  /** Threads whose id begins with this. */
  readonly prefix?: string | undefined;
};

/**
 * A store keeps entries in order and never changes one. When `append` resolves, the entries survive the end
 * of the process.
 */
export interface ThreadStore extends AsyncDisposable {
  /**
   * Appends entries to one thread: all of them, or none.
   * @throws ThreadConflictError when the thread has an entry with one of these `seq` already
   * @throws ThreadStoreError when they cannot be written
   */
  append(threadId: string, ...entries: readonly LogEntry[]): Promise<void>;
  /** The entries of a thread from `fromSeq` on; none where there is no such thread. @throws ThreadStoreError */
  read(threadId: string, fromSeq?: number): Promise<readonly LogEntry[]>;
  /** Threads, the one that was used last first. @throws ThreadStoreError */
  list(query?: ThreadQuery): Promise<readonly ThreadSummary[]>;
  /**
   * Threads that have every word and every "phrase" of a query, the best match first.
   * @throws ThreadStoreError
   */
  search(query: string, limit?: number): Promise<readonly ThreadMatch[]>;
  /** @returns whether there was such a thread. @throws ThreadStoreError */
  remove(threadId: string): Promise<boolean>;
  close(): Promise<void>;
}

type Kept = { readonly entries: LogEntry[]; readonly summary: ThreadSummary };

/** Keeps logs as long as the process lives. */
export class MemoryThreadStore implements ThreadStore {
  /** The thread that was used last stands last. */
  readonly #threads = new Map<string, Kept>();

  async append(threadId: string, ...added: readonly LogEntry[]): Promise<void> {
    const kept = this.#threads.get(threadId);
    const entries = kept?.entries ?? [];
    for (const [at, entry] of added.entries()) {
      if (entry.seq !== entries.length + at) throw new ThreadConflictError(threadId, entry.seq);
    }
    let summary = kept?.summary ?? null;
    for (const entry of added) summary = summarise(summary, threadId, entry);
    entries.push(...added);
    this.#threads.delete(threadId);
    if (summary !== null) this.#threads.set(threadId, { entries, summary });
  }

  async read(threadId: string, fromSeq = 0): Promise<readonly LogEntry[]> {
    return (this.#threads.get(threadId)?.entries ?? []).slice(fromSeq);
  }

  async list({ limit, folder, prefix = "" }: ThreadQuery = {}): Promise<readonly ThreadSummary[]> {
    return [...this.#threads.values()]
      .map(({ summary }) => summary)
      .reverse()
      .filter((summary) => folder === undefined || summary.folder === folder)
      .filter(({ threadId }) => threadId.startsWith(prefix))
      .slice(0, limit ?? Number.POSITIVE_INFINITY);
  }

  async search(query: string, limit?: number): Promise<readonly ThreadMatch[]> {
    const terms = queryTerms(query);
    if (terms.length === 0) return [];
    const matches = [...this.#threads.values()].reverse().flatMap(({ entries, summary }) => {
      const found = entries.map((entry) => {
        const text = searchableText(entry);
        return { seq: entry.seq, text, terms: terms.filter((term) => positionOf(text, term) >= 0) };
      });
      if (terms.some((term) => found.every((entry) => !entry.terms.includes(term)))) return [];
      const best = found.reduce((a, b) => (b.terms.length > a.terms.length ? b : a));
      return [{ thread: summary, seq: best.seq, excerpt: excerptOf(best.text, best.terms) }];
    });
    return matches.slice(0, limit ?? Number.POSITIVE_INFINITY);
  }

  async remove(threadId: string): Promise<boolean> {
    return this.#threads.delete(threadId);
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
