/**
 * Logs in a Postgres database, which workers on several machines may use at once. An entry is committed when `append`
 * resolves. A database that is away is waited for; an append whose connection was lost is looked up before it is
 * repeated, so that no entry is written twice and none is lost.
 */
import { randomUUID } from "node:crypto";
import type { LogEntry } from "./entry.ts";
import { ThreadConflictError, ThreadFencedError, ThreadStoreError } from "./errors.ts";
import { PostgresDatabase, problemOf, type Row, type Run } from "./postgres-database.ts";
import { prepareTables } from "./postgres-schema.ts";
import { findEntries, removeWords, writeWords } from "./postgres-words.ts";
import { excerptOf, queryTerms, searchableText, type ThreadMatch } from "./search.ts";
import type { ThreadQuery, ThreadStore } from "./store.ts";
import { summarise, type ThreadSummary } from "./summary.ts";

export type PostgresStoreOptions = {
  /** How long a database that is away is waited for, in milliseconds. Default 30,000. */
  readonly retryMs?: number | undefined;
  /** Most connections at a time. Default 4. */
  readonly maxConnections?: number | undefined;
};

/** A store for one holder of threads, such as a worker that took a job. */
export type FencedThreadStore = ThreadStore & {
  /**
   * From now on, holders of this thread with a lower token cannot write to it.
   * @throws ThreadFencedError where there is a holder with a higher token already; ThreadStoreError
   */
  claim(threadId: string): Promise<void>;
};

const RETRY_MS = 30_000;
const MAX_CONNECTIONS = 4;

/** What a transaction makes sure of before it changes a thread. */
type Guard = (run: Run, threadId: string) => Promise<void>;

export class PostgresThreadStore implements ThreadStore {
  /** Host, port and database. */
  readonly name: string;
  readonly #database: PostgresDatabase;

  private constructor(database: PostgresDatabase) {
    this.#database = database;
    this.name = database.name;
  }

  /**
   * Connects, and makes the tables where they are not there yet.
   * @param url  postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full. What it leaves out comes from `PGUSER`,
   *   `PGPASSWORD` and so on, as in psql. The package `pg` reads it, and has to be installed.
   * @throws ThreadStoreError, without the password
   */
  static async open(url: string, options: PostgresStoreOptions = {}): Promise<PostgresThreadStore> {
    const { retryMs = RETRY_MS, maxConnections = MAX_CONNECTIONS } = options;
    let database: PostgresDatabase | undefined;
    try {
      database = await PostgresDatabase.open(url, { retryMs, maxConnections });
      await prepareTables(database);
      return new PostgresThreadStore(database);
    } catch (cause) {
      await database?.close();
      const place = database === undefined ? "a database" : database.name;
      throw new ThreadStoreError(`open the conversations in ${place}`, problemOf(cause));
    }
  }

  append(threadId: string, ...entries: readonly LogEntry[]): Promise<void> {
    return this.#append(async () => {}, threadId, entries);
  }

  /**
   * The same store for a holder of threads. What it writes to a thread is refused, in the same transaction, as soon as a
   * holder with a higher token has claimed the thread or written to it.
   * @param token  an integer that grows whenever a thread changes hands, such as the number of an attempt
   */
  fenced(token: number): FencedThreadStore {
    const guard: Guard = async (run, threadId) => {
      const [held] = await run(HOLDER, [threadId]);
      if (Number(held?.["token"]) === token) return;
      const taken = await run(TAKE, [threadId, token]);
      if (taken.length === 0) throw new ThreadFencedError(threadId, token);
    };
    return {
      append: (threadId, ...entries) => this.#append(guard, threadId, entries),
      read: (threadId, fromSeq) => this.read(threadId, fromSeq),
      list: (query) => this.list(query),
      search: (query, limit) => this.search(query, limit),
      remove: (threadId) => this.#remove(guard, threadId),
      claim: (threadId) =>
        this.#doing(`claim thread ${threadId} in ${this.name}`, () =>
          this.#database.transaction((run) => guard(run, threadId)),
        ),
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async read(threadId: string, fromSeq = 0): Promise<readonly LogEntry[]> {
    if (!isStorable(threadId)) return [];
    return await this.#doing(`read thread ${threadId} from ${this.name}`, async () => {
      const rows = await this.#database.query(
        "SELECT entry FROM chorale.thread_entries WHERE thread_id = $1 AND seq >= $2 ORDER BY seq",
        [threadId, fromSeq],
      );
      return rows.map(entryOf);
    });
  }

  async list({ limit, folder, prefix = "" }: ThreadQuery = {}): Promise<readonly ThreadSummary[]> {
    if (!isStorable(prefix)) return [];
    return await this.#doing(`list the conversations in ${this.name}`, async () => {
      const rows = await this.#database.query(
        "SELECT summary FROM chorale.threads WHERE ($1::text IS NULL OR folder = $1) " +
          "AND starts_with(thread_id, $2) ORDER BY updated_at DESC, used DESC LIMIT $3",
        [folder === undefined ? null : JSON.stringify(folder), prefix, limit ?? null],
      );
      return rows.map(summaryOf);
    });
  }

  async search(query: string, limit?: number): Promise<readonly ThreadMatch[]> {
    const terms = queryTerms(query);
    if (terms.length === 0) return [];
    return await this.#doing(`search the conversations in ${this.name}`, async () => {
      const run: Run = (text, values) => this.#database.query(text, values);
      return (await findEntries(run, terms, limit)).map((row) => {
        const entry = entryOf(row);
        const excerpt = excerptOf(searchableText(entry), terms);
        return { thread: summaryOf(row), seq: entry.seq, excerpt };
      });
    });
  }

  remove(threadId: string): Promise<boolean> {
    return this.#remove(async () => {}, threadId);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #append(guard: Guard, threadId: string, entries: readonly LogEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const appendId = randomUUID();
    await this.#doing(`write an entry of thread ${threadId} to ${this.name}`, () =>
      this.#database.transaction<true>(async (run, before) => {
        const kept = await lockThread(run, threadId);
        // Also behind an attempt that was committed: who lost the thread meanwhile is not to act on what it wrote.
        await guard(run, threadId);
        // The lock is free only when the attempt before has been committed or undone.
        if (before === true && (await isAppended(run, threadId, appendId))) return true;
        await write(run, threadId, { appendId, kept, entries });
        return true;
      }),
    );
  }

  async #remove(guard: Guard, threadId: string): Promise<boolean> {
    if (!isStorable(threadId)) return false;
    return await this.#doing(`remove thread ${threadId} from ${this.name}`, () =>
      this.#database.transaction<boolean>(async (run, before) => {
        const found = await run(
          "DELETE FROM chorale.threads WHERE thread_id = $1 RETURNING thread_id",
          [threadId],
        );
        await guard(run, threadId);
        await run("DELETE FROM chorale.thread_entries WHERE thread_id = $1", [threadId]);
        await run("DELETE FROM chorale.thread_fences WHERE thread_id = $1", [threadId]);
        await removeWords(run, threadId);
        return found.length > 0 || before === true;
      }),
    );
  }

  async #doing<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof ThreadConflictError || cause instanceof ThreadFencedError) throw cause;
      throw new ThreadStoreError(doing, problemOf(cause));
    }
  }
}

/** It stays as it is until the transaction ends. */
const HOLDER = "SELECT token FROM chorale.thread_fences WHERE thread_id = $1 FOR SHARE";

/** A row where the token is the highest one so far. */
const TAKE = `
  INSERT INTO chorale.thread_fences AS held (thread_id, token) VALUES ($1, $2)
  ON CONFLICT (thread_id) DO UPDATE SET token = excluded.token WHERE held.token <= excluded.token
  RETURNING token`;

type Kept = { readonly entries: number; readonly summary: ThreadSummary | null };

/** The row of a thread, held until the transaction ends; a thread without one gets one. */
async function lockThread(run: Run, threadId: string): Promise<Kept> {
  for (let time = 0; ; time++) {
    const [row] = await run(
      "SELECT entries, summary FROM chorale.threads WHERE thread_id = $1 FOR UPDATE",
      [threadId],
    );
    if (row !== undefined) {
      const summary = row["summary"] === null ? null : summaryOf(row);
      return { entries: Number(row["entries"]), summary };
    }
    // Another transaction that makes the same row is waited for. It may also have been removed since.
    if (time > MAX_RACES) throw new Error("the thread is made and removed again and again");
    await run(
      "INSERT INTO chorale.threads (thread_id, entries, updated_at, folder) VALUES ($1, 0, '', 'null') " +
        "ON CONFLICT DO NOTHING",
      [threadId],
    );
  }
}

const MAX_RACES = 10;

async function isAppended(run: Run, threadId: string, appendId: string): Promise<boolean> {
  const rows = await run(
    "SELECT 1 FROM chorale.thread_entries WHERE thread_id = $1 AND append_id = $2 LIMIT 1",
    [threadId, appendId],
  );
  return rows.length > 0;
}

type Append = {
  readonly appendId: string;
  readonly kept: Kept;
  readonly entries: readonly LogEntry[];
};

async function write(run: Run, threadId: string, { appendId, kept, entries }: Append) {
  let summary = kept.summary;
  for (const [at, entry] of entries.entries()) {
    if (entry.seq !== kept.entries + at) throw new ThreadConflictError(threadId, entry.seq);
    summary = summarise(summary, threadId, entry);
  }
  await run(
    "INSERT INTO chorale.thread_entries (thread_id, seq, append_id, entry) " +
      "SELECT $1, added.seq, $2::uuid, added.entry FROM unnest($3::integer[], $4::text[]) AS added (seq, entry)",
    [
      threadId,
      appendId,
      entries.map(({ seq }) => seq),
      entries.map((entry) => JSON.stringify(entry)),
    ],
  );
  await run(
    "UPDATE chorale.threads SET entries = $2, updated_at = $3, used = nextval('chorale.thread_uses'), " +
      "folder = $4, summary = $5 WHERE thread_id = $1",
    [
      threadId,
      kept.entries + entries.length,
      summary?.updatedAt ?? "",
      // As JSON, like the summary: in this form each text can be kept.
      JSON.stringify(summary?.folder ?? null),
      JSON.stringify(summary),
    ],
  );
  await writeWords(run, threadId, entries);
}

function entryOf(row: Row): LogEntry {
  return JSON.parse(String(row["entry"])) as LogEntry;
}

function summaryOf(row: Row): ThreadSummary {
  return JSON.parse(String(row["summary"])) as ThreadSummary;
}

/** No text of Postgres has this character, so no thread has it in its id. */
function isStorable(threadId: string): boolean {
  return !threadId.includes("\0");
}
