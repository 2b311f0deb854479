/**
 * Logs in one SQLite file (`node:sqlite`, write-ahead log). Several processes may use the file at once.
 * An entry is in the file when `append` resolves, and survives the end of the process at any moment; after
 * a power failure the last entries may be missing, and the log is then a valid shorter one.
 */
import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { LogEntry } from "./entry.ts";
import { ThreadConflictError, ThreadStoreError } from "./errors.ts";
import { excerptOf, queryTerms, searchableText, spaced, type ThreadMatch } from "./search.ts";
import { prepareTables, summaryOf, ThreadIndex } from "./sqlite-schema.ts";
import type { ThreadQuery, ThreadStore } from "./store.ts";
import type { ThreadSummary } from "./summary.ts";

const BUSY_TIMEOUT_MS = 5_000;
/** SQLite's result code for a broken primary key. */
const CONSTRAINT_PRIMARYKEY = 1555;

export type SqliteStoreOptions = {
  /** How long a write waits for another process. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined;
  /** No other process may open the file while this one has it open. Default false. */
  readonly isExclusive?: boolean | undefined;
};

export class SqliteThreadStore implements ThreadStore {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #index: ThreadIndex;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #list: StatementSync;
  readonly #thread: StatementSync;
  readonly #match: StatementSync;
  readonly #delete: StatementSync;

  /**
   * Opens or creates the file, with its folder.
   * @throws ThreadStoreError
   */
  constructor(path: string, options: SqliteStoreOptions = {}) {
    const { busyTimeoutMs = BUSY_TIMEOUT_MS, isExclusive = false } = options;
    this.path = path;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.#database = new DatabaseSync(path, { timeout: busyTimeoutMs });
      if (isExclusive) this.#database.exec("PRAGMA locking_mode = EXCLUSIVE");
      this.#database.exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;",
      );
      prepareTables(this.#database);
      this.#index = new ThreadIndex(this.#database);
      this.#insert = this.#database.prepare("INSERT INTO entries VALUES (?, ?, ?, ?)");
      this.#select = this.#database.prepare(
        "SELECT entry FROM entries WHERE thread_id = ? AND seq >= ? ORDER BY seq",
      );
      this.#list = this.#database.prepare(
        "SELECT * FROM threads WHERE (?1 IS NULL OR folder = ?1) AND substr(thread_id, 1, length(?2)) = ?2 " +
          "ORDER BY updated_at DESC, rowid DESC LIMIT ?3",
      );
      this.#thread = this.#database.prepare("SELECT * FROM threads WHERE thread_id = ?");
      this.#match = this.#database.prepare(
        "SELECT thread_id, seq FROM words JOIN texts ON texts.id = words.rowid WHERE words MATCH ? ORDER BY rank",
      );
      this.#delete = this.#database.prepare("DELETE FROM entries WHERE thread_id = ?");
    } catch (cause) {
      throw new ThreadStoreError(`open the conversations in ${path}`, cause);
    }
  }

  async append(threadId: string, ...entries: readonly LogEntry[]): Promise<void> {
    let seq = 0;
    try {
      this.#transaction(() => {
        for (const entry of entries) {
          seq = entry.seq;
          this.#insert.run(threadId, seq, entry.at, JSON.stringify(entry));
          this.#index.add(threadId, entry);
        }
      });
    } catch (cause) {
      if ((cause as { errcode?: unknown }).errcode === CONSTRAINT_PRIMARYKEY) {
        throw new ThreadConflictError(threadId, seq);
      }
      throw new ThreadStoreError(`write an entry of thread ${threadId} to ${this.path}`, cause);
    }
  }

  async read(threadId: string, fromSeq = 0): Promise<readonly LogEntry[]> {
    try {
      return this.#select
        .all(threadId, fromSeq)
        .map((row) => JSON.parse(String(row["entry"])) as LogEntry);
    } catch (cause) {
      throw new ThreadStoreError(`read thread ${threadId} from ${this.path}`, cause);
    }
  }

  async list({ limit, folder, prefix }: ThreadQuery = {}): Promise<readonly ThreadSummary[]> {
    try {
      return this.#list.all(folder ?? null, prefix ?? "", limit ?? -1).map(summaryOf);
    } catch (cause) {
      throw new ThreadStoreError(`list the conversations in ${this.path}`, cause);
    }
  }

  async search(
    query: string,
    limit: number = Number.POSITIVE_INFINITY,
  ): Promise<readonly ThreadMatch[]> {
    const terms = queryTerms(query);
    if (terms.length === 0) return [];
    try {
      const having = terms.map((term) => new Set(this.#matches(term).map(({ id }) => id)));
      const best = new Map<string, number>();
      for (const { id, seq } of this.#matches(...terms)) {
        if (!best.has(id) && having.every((threads) => threads.has(id))) best.set(id, seq);
        if (best.size >= limit) break;
      }
      return [...best].map(([id, seq]) => this.#found(id, seq, terms));
    } catch (cause) {
      throw new ThreadStoreError(`search the conversations in ${this.path}`, cause);
    }
  }

  async remove(threadId: string): Promise<boolean> {
    try {
      const isRemoved = this.#transaction(() => {
        this.#index.remove(threadId);
        return this.#delete.run(threadId).changes > 0;
      });
      // What was removed is to be gone from the file as well, not only from its tables.
      if (isRemoved) this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      return isRemoved;
    } catch (cause) {
      throw new ThreadStoreError(`remove thread ${threadId} from ${this.path}`, cause);
    }
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  /**
   * Closes the store and removes its file. A store that was opened with `isExclusive` removes it while no other
   * process can have opened it.
   */
  async destroy(): Promise<void> {
    if (this.#database.isOpen) {
      // Without a log of its own beside it, nothing is left that closing would remove by its name.
      this.#database.exec("PRAGMA journal_mode = DELETE");
      if (process.platform !== "win32") rmSync(this.path, { force: true });
    }
    await this.close();
    if (process.platform === "win32") rmSync(this.path, { force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Entries that have one of the terms, the best first. */
  #matches(...terms: readonly string[]): readonly { readonly id: string; readonly seq: number }[] {
    const quoted = terms.map((term) => `"${spaced(term).trim().replaceAll('"', '""')}"*`);
    return this.#match
      .all(quoted.join(" OR "))
      .map((row) => ({ id: String(row["thread_id"]), seq: Number(row["seq"]) }));
  }

  #found(threadId: string, seq: number, terms: readonly string[]): ThreadMatch {
    const thread = summaryOf(this.#thread.get(threadId) ?? {});
    const [row] = this.#select.all(threadId, seq);
    const text = row === undefined ? "" : searchableText(JSON.parse(String(row["entry"])));
    return { thread, seq, excerpt: excerptOf(text, terms) };
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
