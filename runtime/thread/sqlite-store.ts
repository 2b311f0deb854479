/**
 * Logs in one SQLite file (`node:sqlite`, write-ahead log). Several processes may use the file at once.
 * An entry is in the file when `append` resolves, and survives the end of the process at any moment; after
 * a power failure the last entries may be missing, and the log is then a valid shorter one.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { LogEntry } from "./entry.ts";
import { ThreadConflictError, ThreadStoreError } from "./errors.ts";
import type { ThreadStore, ThreadSummary } from "./store.ts";

const BUSY_TIMEOUT_MS = 5_000;
/** SQLite's result code for a broken primary key. */
const CONSTRAINT_PRIMARYKEY = 1555;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entries (
    thread_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at TEXT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (thread_id, seq)
  ) STRICT, WITHOUT ROWID;
`;

export type SqliteStoreOptions = { readonly busyTimeoutMs?: number | undefined };

export class SqliteThreadStore implements ThreadStore {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #list: StatementSync;
  readonly #delete: StatementSync;

  /**
   * Opens or creates the file, with its folder.
   * @param busyTimeoutMs how long a write waits for another process. Default 5,000
   * @throws ThreadStoreError
   */
  constructor(path: string, { busyTimeoutMs = BUSY_TIMEOUT_MS }: SqliteStoreOptions = {}) {
    this.path = path;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.#database = new DatabaseSync(path, { timeout: busyTimeoutMs });
      this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
      this.#database.exec(SCHEMA);
      this.#insert = this.#database.prepare("INSERT INTO entries VALUES (?, ?, ?, ?)");
      this.#select = this.#database.prepare(
        "SELECT entry FROM entries WHERE thread_id = ? AND seq >= ? ORDER BY seq",
      );
      this.#list = this.#database.prepare(
        "SELECT thread_id, min(at) AS created, max(at) AS updated, count(*) AS entries FROM entries " +
          "GROUP BY thread_id ORDER BY updated DESC, thread_id LIMIT ?",
      );
      this.#delete = this.#database.prepare("DELETE FROM entries WHERE thread_id = ?");
    } catch (cause) {
      throw new ThreadStoreError(`open the conversations in ${path}`, cause);
    }
  }

  async append(threadId: string, entry: LogEntry): Promise<void> {
    try {
      this.#insert.run(threadId, entry.seq, entry.at, JSON.stringify(entry));
    } catch (cause) {
      if ((cause as { errcode?: unknown }).errcode === CONSTRAINT_PRIMARYKEY) {
        throw new ThreadConflictError(threadId, entry.seq);
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

  async list(limit = -1): Promise<readonly ThreadSummary[]> {
    try {
      return this.#list.all(limit).map((row) => ({
        threadId: String(row["thread_id"]),
        createdAt: String(row["created"]),
        updatedAt: String(row["updated"]),
        entries: Number(row["entries"]),
      }));
    } catch (cause) {
      throw new ThreadStoreError(`list the conversations in ${this.path}`, cause);
    }
  }

  async remove(threadId: string): Promise<boolean> {
    try {
      return this.#delete.run(threadId).changes > 0;
    } catch (cause) {
      throw new ThreadStoreError(`remove thread ${threadId} from ${this.path}`, cause);
    }
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
