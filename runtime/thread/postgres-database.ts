/**
 * Connections to a Postgres that may be away for a time: what is asked of it is asked again, up to a bound, when a
 * connection is lost.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { PoolClient as Client, Pool } from "pg";
import { isConnectionLost, reasonOf } from "../postgres/errors.ts";
import {
  ADDRESS_FORM,
  beginStatement,
  createPool,
  databaseName,
  importOptional,
  takeConnection,
} from "../postgres/pool.ts";

/** Values that can be sent. */
export type Value = string | number | boolean | null | readonly string[] | readonly number[];
export type Row = Readonly<Record<string, unknown>>;
/** Runs one statement. */
export type Run = (text: string, values?: readonly Value[]) => Promise<readonly Row[]>;

export type DatabaseOptions = {
  readonly retryMs: number;
  readonly maxConnections: number;
};

const BEGIN = beginStatement(10);
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** No connection, for as long as was to be waited. */
class PostgresGoneError extends Error {
  readonly #waitedMs: number;

  constructor(waitedMs: number, cause: unknown, note = "") {
    super(`no connection within ${waitedMs / 1_000} s (${reasonOf(cause)})${note}`, { cause });
    this.#waitedMs = waitedMs;
  }

  withUnknownOutcome(): PostgresGoneError {
    const note = "; whether it was written is not known, and a look at the thread tells";
    return new PostgresGoneError(this.#waitedMs, this.cause, note);
  }
}

export class PostgresDatabase {
  /** For sentences: without user, password and parameters. */
  readonly name: string;
  readonly #pool: Pool;
  readonly #retryMs: number;
  readonly #closing = new AbortController();

  private constructor(pool: Pool, name: string, retryMs: number) {
    this.#pool = pool;
    this.name = name;
    this.#retryMs = retryMs;
  }

  /**
   * Nothing is connected yet.
   * @throws Error for a text that is no URL of a database, and where `pg` is not installed; it never has the password
   */
  static async open(url: string, options: DatabaseOptions): Promise<PostgresDatabase> {
    const name = databaseName(url);
    // Not the URL itself: it may have a password.
    if (name === null)
      throw new Error(`the address of the database is no URL like ${ADDRESS_FORM}`);
    const missing = "the package pg, which speaks to Postgres, is not installed; npm install pg@8";
    const pg = await importOptional(
      () => import("pg"),
      () => new Error(missing),
    );
    const pool = createPool(pg, url, { max: options.maxConnections, allowExitOnIdle: true });
    return new PostgresDatabase(pool, name, options.retryMs);
  }

  /** A statement that changes nothing, so that it can be run again. */
  query(text: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#insist((client) => runOn(client)(text, values));
  }

  /**
   * All of `work`, or nothing of it.
   * @param work  runs again where the connection was lost. `before` is then what it came to in an attempt of which it
   *   is not known whether it was committed: the work finds out, and does nothing twice.
   * @throws what `work` throws; PostgresGoneError; errors of the database
   */
  async transaction<T>(work: (run: Run, before: T | undefined) => Promise<T>): Promise<T> {
    let before: T | undefined;
    let isUnknown = false;
    const attempt = async (client: Client): Promise<T> => {
      await client.query(BEGIN);
      let result: T;
      try {
        result = await work(runOn(client), before);
      } catch (error) {
        if (!isConnectionLost(error)) await client.query("ROLLBACK");
        throw error;
      }
      before = result;
      isUnknown = true;
      await client.query("COMMIT");
      return result;
    };
    try {
      return await this.#insist(attempt);
    } catch (error) {
      if (isUnknown && error instanceof PostgresGoneError) throw error.withUnknownOutcome();
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#pool.end();
  }

  async #insist<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const { signal } = this.#closing;
    let until: number | undefined;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await this.#once(work);
      } catch (error) {
        if (signal.aborted || !isConnectionLost(error)) throw error;
        until ??= performance.now() + this.#retryMs;
        if (performance.now() + pause > until) throw new PostgresGoneError(this.#retryMs, error);
        await wait(pause, undefined, { signal }).catch(() => {
          throw new PostgresGoneError(0, error);
        });
      }
    }
  }

  async #once<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const { client, release } = await takeConnection(this.#pool);
    let isBroken = true;
    try {
      const result = await work(client);
      isBroken = false;
      return result;
    } catch (error) {
      isBroken = isConnectionLost(error);
      throw error;
    } finally {
      release(isBroken);
    }
  }
}

function runOn(client: Client): Run {
  return async (text, values = []) => (await client.query(text, [...values])).rows as Row[];
}

/** What went wrong, in the words of a sentence's end. */
export function problemOf(error: unknown): unknown {
  const reason = reasonOf(error);
  return error instanceof Error && error.message === reason
    ? error
    : new Error(reason, { cause: error });
}
