/**
 * The tables of the file of conversations. `entries` is the log; the other tables are made of it, so that a
 * listing and a search need not read it: `threads` has the summary of each thread, `words` is a full-text index
 * (FTS5, without a copy of the text) whose rows `texts` leads back to their entries. A row of `threads` is
 * replaced with each entry, so the highest `rowid` is that of the thread that was used last.
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { LogEntry } from "./entry.ts";
import { searchableText, spaced } from "./search.ts";
import { summarise, type ThreadSummary } from "./summary.ts";

/** `PRAGMA user_version`; 0 is a file of entries alone. */
const VERSION = 1;

const ENTRIES = `
  CREATE TABLE IF NOT EXISTS entries (
    thread_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at TEXT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (thread_id, seq)
  ) STRICT, WITHOUT ROWID;
`;

const INDEX = `
  CREATE TABLE threads (
    thread_id TEXT NOT NULL PRIMARY KEY,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    entries INTEGER NOT NULL,
    title TEXT,
    folder TEXT,
    model TEXT,
    turns INTEGER NOT NULL,
    is_open INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX threads_by_use ON threads (updated_at);
  CREATE TABLE texts (
    id INTEGER PRIMARY KEY,
    thread_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    UNIQUE (thread_id, seq)
  ) STRICT;
  CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
  );
`;

/**
 * Makes the tables of a new file, and those that an older file lacks.
 * @throws Error for a file of a newer version, or one that cannot be written
 */
export function prepareTables(database: DatabaseSync): void {
  if (versionOf(database) === VERSION) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have been faster.
    const version = versionOf(database);
    if (version > VERSION) {
      throw new Error(
        `the file is of version ${version}, and this Chorale reads versions up to ${VERSION}; use a newer one`,
      );
    }
    if (version < VERSION) {
      database.exec(ENTRIES);
      database.exec(INDEX);
      indexAll(database);
      database.exec(`PRAGMA user_version = ${VERSION}`);
    }
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function indexAll(database: DatabaseSync): void {
  const index = new ThreadIndex(database);
  const all = database.prepare("SELECT thread_id, entry FROM entries ORDER BY thread_id, seq");
  for (const row of all.iterate()) {
    try {
      index.add(String(row["thread_id"]), JSON.parse(String(row["entry"])) as LogEntry);
    } catch (error) {
      // One damaged entry must not hide all other conversations; reading its thread says what is wrong.
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    }
  }
}

type Row = Record<string, SQLOutputValue>;

/** Keeps the tables that are made of the log; every function belongs into the transaction of its entry. */
export class ThreadIndex {
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #text: StatementSync;
  readonly #words: StatementSync;
  readonly #remove: readonly StatementSync[];
  readonly #optimize: StatementSync;

  constructor(database: DatabaseSync) {
    this.#get = database.prepare("SELECT * FROM threads WHERE thread_id = ?");
    this.#put = database.prepare("REPLACE INTO threads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#text = database.prepare("INSERT INTO texts (thread_id, seq) VALUES (?, ?)");
    this.#words = database.prepare("INSERT INTO words (rowid, text) VALUES (?, ?)");
    this.#remove = [
      "DELETE FROM words WHERE rowid IN (SELECT id FROM texts WHERE thread_id = ?)",
      "DELETE FROM texts WHERE thread_id = ?",
      "DELETE FROM threads WHERE thread_id = ?",
    ].map((statement) => database.prepare(statement));
    this.#optimize = database.prepare("INSERT INTO words (words) VALUES ('optimize')");
  }

  add(threadId: string, entry: LogEntry): void {
    const row = this.#get.get(threadId);
    const summary = summarise(row === undefined ? null : summaryOf(row), threadId, entry);
    this.#put.run(
      threadId,
      summary.createdAt,
      summary.updatedAt,
      summary.entries,
      summary.title,
      summary.folder,
      summary.model,
      summary.turns,
      summary.isOpen ? 1 : 0,
    );
    const text = searchableText(entry);
    if (text.trim() === "") return;
    const { lastInsertRowid } = this.#text.run(threadId, entry.seq);
    this.#words.run(lastInsertRowid, spaced(text));
  }

  remove(threadId: string): void {
    for (const statement of this.#remove) statement.run(threadId);
    // Otherwise the index keeps the words of a removed text until it happens to be merged.
    this.#optimize.run();
  }
}

/** A row of `threads`. */
export function summaryOf(row: Row): ThreadSummary {
  const text = (name: string): string | null => (row[name] === null ? null : String(row[name]));
  return {
    threadId: String(row["thread_id"]),
    createdAt: String(row["created_at"]),
    updatedAt: String(row["updated_at"]),
    entries: Number(row["entries"]),
    title: text("title"),
    folder: text("folder"),
    model: text("model"),
    turns: Number(row["turns"]),
    isOpen: row["is_open"] === 1,
  };
}
