/**
 * Responses that clients come back to: by `previous_response_id`, by the ids of their items, or to read a stream on.
 * One SQLite file (`node:sqlite`, write-ahead log), bounded by count, bytes and age. What was used last is kept
 * longest, and using a response uses those before it in its conversation.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { ServerError } from "../errors.ts";
import type { ResponseEvent, ResponseObject } from "./wire.ts";

/** An item of an input or an output, as JSON, with the id by which it is found again. */
export type StoredItem = {
  readonly id: string;
  /** As clients see it. */
  readonly item: Readonly<Record<string, unknown>>;
  /** What only the model reads: the result of a call that was carried out here. */
  readonly hidden?: string;
};

export type StoredResponse = {
  readonly response: ResponseObject;
  /** New in this response; what comes before is of `previous_response_id`. */
  readonly input: readonly StoredItem[];
  readonly output: readonly StoredItem[];
};

export type ResponseStoreLimits = {
  /** Default 10,000. */
  readonly maxResponses?: number;
  /** Of responses, items and events together. Default 1 GiB. */
  readonly maxBytes?: number;
  /** Days since a response was made or used. Default 30. */
  readonly maxAgeDays?: number;
};

const BUSY_TIMEOUT_MS = 5_000;
const DAY_MS = 86_400_000;
const VERSION = 1;
/** Inflated events of one response; what is longer was not written by this store. */
const MAX_EVENT_BYTES = 1 << 28;

const TABLES = `
  CREATE TABLE IF NOT EXISTS responses (
    id TEXT NOT NULL PRIMARY KEY,
    previous_id TEXT,
    used_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    response TEXT NOT NULL,
    events BLOB
  ) STRICT;
  CREATE INDEX IF NOT EXISTS responses_by_use ON responses (used_at, bytes);
  CREATE TABLE IF NOT EXISTS items (
    response_id TEXT NOT NULL REFERENCES responses (id) ON DELETE CASCADE,
    is_output INTEGER NOT NULL,
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    item TEXT NOT NULL,
    hidden TEXT,
    PRIMARY KEY (response_id, is_output, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS items_by_id ON items (id, is_output);
  CREATE TABLE IF NOT EXISTS secrets (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT;
`;

/** The file of responses cannot be opened, read or written. */
export class ResponseStoreError extends ServerError {
  constructor(what: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super("CHORALE_RESPONSE_STORE", `Cannot ${what}: ${reason}`, { status: 500, cause });
  }
}

export class ResponseStore implements Disposable {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #limits: Required<ResponseStoreLimits>;
  readonly #now: () => number;
  readonly #statements: Statements;

  /**
   * Opens or creates the file, with its folder.
   * @param path a file, or `:memory:`
   * @param now milliseconds since 1970
   * @throws ResponseStoreError
   */
  constructor(path: string, limits: ResponseStoreLimits = {}, now: () => number = Date.now) {
    this.path = path;
    this.#now = now;
    const { maxResponses = 10_000, maxBytes = 2 ** 30, maxAgeDays = 30 } = limits;
    this.#limits = { maxResponses, maxBytes, maxAgeDays };
    try {
      if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.#database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
      this.#database.exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;",
      );
      prepareTables(this.#database);
      this.#statements = statementsOf(this.#database);
    } catch (cause) {
      throw new ResponseStoreError(`open the responses in ${path}`, cause);
    }
  }

  /** Number of responses, and their bytes. */
  get size(): { readonly responses: number; readonly bytes: number } {
    const row = this.#do("count the responses", () => this.#statements.size.get());
    return { responses: Number(row?.["count"]), bytes: Number(row?.["bytes"] ?? 0) };
  }

  /**
   * Keeps a response, in the place of an earlier state of it, and lets go what is over the limits.
   * @param events of its stream, from the first on; null: it cannot be read on
   */
  save({ response, input, output }: StoredResponse, events: readonly ResponseEvent[] | null): void {
    const text = JSON.stringify(response);
    const packed = events === null ? null : packEvents(events);
    const rows = [
      ...input.map((item, position) => rowOf(item, position, 0)),
      ...output.map((item, position) => rowOf(item, position, 1)),
    ];
    const bytes =
      Buffer.byteLength(text) +
      (packed?.length ?? 0) +
      rows.reduce((sum, row) => sum + Buffer.byteLength(row.item) + (row.hidden?.length ?? 0), 0);
    this.#do("keep a response", () =>
      this.#transaction(() => {
        const { id, previous_response_id } = response;
        this.#statements.remove.run(id);
        this.#statements.insert.run(id, previous_response_id, this.#now(), bytes, text, packed);
        for (const { isOutput, position, id: itemId, item, hidden } of rows) {
          this.#statements.insertItem.run(id, isOutput, position, itemId, item, hidden);
        }
        this.#prune();
      }),
    );
  }

  /** null: there is none, or not any more. */
  get(id: string): StoredResponse | null {
    return this.#do("read a response", () => {
      const row = this.#statements.select.get(id);
      if (row === undefined) return null;
      const items = this.#statements.itemsOf.all(id);
      const those = (isOutput: number): readonly StoredItem[] =>
        items.filter((item) => item["is_output"] === isOutput).map(itemOf);
      const response = JSON.parse(String(row["response"])) as ResponseObject;
      return { response, input: those(0), output: those(1) };
    });
  }

  /** The events of a response from a number on; null where there is none, or it has no events. */
  events(id: string, from: number): readonly ResponseEvent[] | null {
    return this.#do("read the events of a response", () => {
      const packed = this.#statements.selectEvents.get(id)?.["events"];
      return packed instanceof Uint8Array ? unpackEvents(packed).slice(from) : null;
    });
  }

  /** The item with this id that was kept last; null where there is none. */
  item(id: string): StoredItem | null {
    return this.#do("read an item", () => {
      const row = this.#statements.item.get(id);
      return row === undefined ? null : itemOf(row);
    });
  }

  /**
   * A conversation: input and output of a response and of those before it, oldest first. All of them count as used.
   * @returns null where the response, or one before it, is not there
   */
  conversation(id: string): readonly StoredItem[] | null {
    return this.#do("read a conversation", () => {
      const responses: (readonly StoredItem[])[] = [];
      const seen: string[] = [];
      for (let next: string | null = id; next !== null; ) {
        const row: Row | undefined = this.#statements.select.get(next);
        if (row === undefined || seen.includes(next)) return null;
        seen.push(next);
        responses.push(this.#statements.itemsOf.all(next).map(itemOf));
        next = row["previous_id"] === null ? null : String(row["previous_id"]);
      }
      const now = this.#now();
      this.#transaction(() => {
        for (const used of seen) this.#statements.touch.run(now, used);
      });
      return responses.toReversed().flat();
    });
  }

  /** @returns whether there was one */
  remove(id: string): boolean {
    return this.#do("delete a response", () => this.#statements.remove.run(id).changes > 0);
  }

  /** 32 random bytes that stay the same as long as the file does. */
  secret(name: string): Uint8Array {
    return this.#do("read a key", () => {
      this.#statements.insertSecret.run(name, randomBytes(32));
      return this.#statements.secret.get(name)?.["value"] as Uint8Array;
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #prune(): void {
    const { maxResponses, maxBytes, maxAgeDays } = this.#limits;
    this.#statements.removeOlder.run(this.#now() - maxAgeDays * DAY_MS);
    let { responses, bytes } = this.size;
    if (responses <= maxResponses && bytes <= maxBytes) return;
    for (const row of this.#statements.oldest.all()) {
      if (responses <= maxResponses && bytes <= maxBytes) break;
      this.#statements.remove.run(String(row["id"]));
      responses--;
      bytes -= Number(row["bytes"]);
    }
  }

  #do<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      if (cause instanceof ResponseStoreError) throw cause;
      throw new ResponseStoreError(`${what} in ${this.path}`, cause);
    }
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

type Row = Record<string, SQLOutputValue>;

type Statements = {
  readonly [name in
    | "insert"
    | "insertItem"
    | "select"
    | "selectEvents"
    | "itemsOf"
    | "item"
    | "touch"
    | "remove"
    | "removeOlder"
    | "oldest"
    | "size"
    | "insertSecret"
    | "secret"]: StatementSync;
};

function statementsOf(database: DatabaseSync): Statements {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  return {
    insert: prepare("INSERT INTO responses VALUES (?, ?, ?, ?, ?, ?)"),
    insertItem: prepare("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)"),
    select: prepare("SELECT response, previous_id FROM responses WHERE id = ?"),
    selectEvents: prepare("SELECT events FROM responses WHERE id = ?"),
    itemsOf: prepare("SELECT * FROM items WHERE response_id = ? ORDER BY is_output, position"),
    // What was given out here counts before what a client sent under the same id.
    item: prepare(
      "SELECT items.* FROM items JOIN responses ON responses.id = response_id WHERE items.id = ? " +
        "ORDER BY is_output DESC, responses.rowid DESC LIMIT 1",
    ),
    touch: prepare("UPDATE responses SET used_at = ? WHERE id = ?"),
    remove: prepare("DELETE FROM responses WHERE id = ?"),
    removeOlder: prepare("DELETE FROM responses WHERE used_at < ?"),
    oldest: prepare("SELECT id, bytes FROM responses ORDER BY used_at, rowid"),
    size: prepare("SELECT count(*) AS count, sum(bytes) AS bytes FROM responses"),
    insertSecret: prepare("INSERT OR IGNORE INTO secrets VALUES (?, ?)"),
    secret: prepare("SELECT value FROM secrets WHERE name = ?"),
  };
}

/** @throws Error for a file of a newer version */
function prepareTables(database: DatabaseSync): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version > VERSION) {
    throw new Error(
      `the file is of version ${version}, and this Chorale reads versions up to ${VERSION}; use a newer one`,
    );
  }
  database.exec("PRAGMA foreign_keys = ON");
  if (version === VERSION) return;
  database.exec(TABLES);
  database.exec(`PRAGMA user_version = ${VERSION}`);
}

type ItemRow = {
  readonly isOutput: 0 | 1;
  readonly position: number;
  readonly id: string;
  readonly item: string;
  readonly hidden: string | null;
};

function rowOf({ id, item, hidden }: StoredItem, position: number, isOutput: 0 | 1): ItemRow {
  return { isOutput, position, id, item: JSON.stringify(item), hidden: hidden ?? null };
}

function itemOf(row: Row): StoredItem {
  const hidden = row["hidden"];
  return {
    id: String(row["id"]),
    item: JSON.parse(String(row["item"])) as Readonly<Record<string, unknown>>,
    ...(typeof hidden === "string" && { hidden }),
  };
}

/** Events are small and alike, and pack well. */
function packEvents(events: readonly ResponseEvent[]): Uint8Array {
  return zstdCompressSync(events.map((event) => JSON.stringify(event)).join("\n"));
}

function unpackEvents(packed: Uint8Array): readonly ResponseEvent[] {
  const text = zstdDecompressSync(packed, { maxOutputLength: MAX_EVENT_BYTES }).toString("utf8");
  const lines = text === "" ? [] : text.split("\n");
  return lines.map((line) => JSON.parse(line) as ResponseEvent);
}
