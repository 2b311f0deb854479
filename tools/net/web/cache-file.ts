/**
 * Responses in one SQLite file that never holds more than so many bytes of them: what was used least lately
 * goes first. Several processes may use the file at once. It is a cache: where the file is broken it is begun
 * anew, and where another process holds it for too long nothing is stored.
 *
 * undici's own store is not used: it counts entries instead of bytes, fails at once where another process
 * writes, and forgets what is stale, which `--offline` still reads.
 */
import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";

export type StoredResponse = {
  /** As `CachePolicy.toObject()` gives it, in JSON. */
  readonly policy: string;
  readonly status: number;
  readonly contentType: string | null;
  readonly location: string | null;
  /** Decoded. */
  readonly body: Uint8Array;
  /** When a server sent or confirmed it, in ms since 1970. */
  readonly fetchedAt: number;
  /** It came from a host of the own network. */
  readonly isPrivate: boolean;
};

const BUSY_TIMEOUT_MS = 500;
/** Of the bytes allowed, how much one response may have. */
const LARGEST_SHARE = 1 / 8;
/** After something had to go, so much is left, so that not every new response removes another. */
const KEPT_SHARE = 0.9;
/** What an entry takes besides its body, roughly. */
const OVERHEAD_BYTES = 1024;
/** A later layout gets tables of its own, so that versions can share the file. */
const TABLES = `
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA journal_size_limit = 8388608;
  CREATE TABLE IF NOT EXISTS responses_v1 (
    url TEXT PRIMARY KEY,
    policy TEXT NOT NULL,
    status INTEGER NOT NULL,
    content_type TEXT,
    location TEXT,
    body BLOB NOT NULL,
    fetched_at INTEGER NOT NULL,
    is_private INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS responses_v1_use ON responses_v1 (used_at, bytes);
`;
/** SQLite's codes for a file that is no database, or a broken one. */
const BROKEN: ReadonlySet<unknown> = new Set([11, 26]);

export class CacheFile {
  readonly #maxBytes: number;
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #touch: StatementSync;
  readonly #replace: StatementSync;
  readonly #total: StatementSync;
  readonly #oldest: StatementSync;
  readonly #delete: StatementSync;

  /** @throws Error of `node:sqlite` or the file system where the file cannot be opened */
  constructor(path: string, maxBytes: number) {
    this.#maxBytes = maxBytes;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#database = openDatabase(path);
    this.#select = this.#database.prepare("SELECT * FROM responses_v1 WHERE url = ?");
    this.#touch = this.#database.prepare("UPDATE responses_v1 SET used_at = ? WHERE url = ?");
    this.#replace = this.#database.prepare(
      "INSERT OR REPLACE INTO responses_v1 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#total = this.#database.prepare(
      "SELECT coalesce(sum(bytes), 0) AS bytes FROM responses_v1",
    );
    this.#oldest = this.#database.prepare("SELECT url, bytes FROM responses_v1 ORDER BY used_at");
    this.#delete = this.#database.prepare("DELETE FROM responses_v1 WHERE url = ?");
  }

  get(url: string): StoredResponse | null {
    return (
      this.#attempt(() => {
        const row = this.#select.get(url);
        if (row === undefined) return null;
        return {
          policy: String(row["policy"]),
          status: Number(row["status"]),
          contentType: row["content_type"] === null ? null : String(row["content_type"]),
          location: row["location"] === null ? null : String(row["location"]),
          body: row["body"] as Uint8Array,
          fetchedAt: Number(row["fetched_at"]),
          isPrivate: row["is_private"] === 1,
        };
      }) ?? null
    );
  }

  /** Says that a response was of use now. */
  touch(url: string): void {
    this.#attempt(() => this.#touch.run(Date.now(), url));
  }

  put(url: string, response: StoredResponse): void {
    const { policy, status, contentType, location, body, fetchedAt, isPrivate } = response;
    const bytes = body.length + url.length + policy.length + OVERHEAD_BYTES;
    if (bytes > this.#maxBytes * LARGEST_SHARE) {
      this.delete(url);
      return;
    }
    this.#attempt(() => {
      const row = [url, policy, status, contentType, location, body, fetchedAt] as const;
      this.#replace.run(...row, isPrivate ? 1 : 0, Date.now(), bytes);
      this.#evict();
    });
  }

  delete(url: string): void {
    this.#attempt(() => this.#delete.run(url));
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #evict(): void {
    let total = Number(this.#total.get()?.["bytes"]);
    if (total <= this.#maxBytes) return;
    for (const row of this.#oldest.all()) {
      if (total <= this.#maxBytes * KEPT_SHARE) break;
      this.#delete.run(String(row["url"]));
      total -= Number(row["bytes"]);
    }
    this.#database.exec("PRAGMA incremental_vacuum");
  }

  /** Without a cache a page is fetched; so what goes wrong with the file is no error of the caller. */
  #attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch {
      return undefined;
    }
  }
}

function openDatabase(path: string): DatabaseSync {
  for (let isRepaired = false; ; isRepaired = true) {
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      database.exec(TABLES);
      return database;
    } catch (error) {
      database.close();
      const code = (error as { readonly errcode?: unknown }).errcode;
      if (isRepaired || !BROKEN.has(code)) throw error;
      for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
    }
  }
}
