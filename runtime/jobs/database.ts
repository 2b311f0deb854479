/** The connections to Postgres: a pool, transactions, and one that listens. */
import type { Client, Pool } from "pg";
import { messageOf } from "../errors.ts";
import {
  ADDRESS_FORM,
  beginStatement,
  connectionOptions,
  createPool,
  databaseName,
  importOptional,
  type Pg,
  takeConnection,
} from "../postgres/pool.ts";
import { JobsError } from "./errors.ts";

export type Row = Readonly<Record<string, unknown>>;

/** What statements are sent through: the pool, or one transaction. */
export type Sql = {
  /** @throws JobsError with the code CHORALE_JOBS_DATABASE */
  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
};

type Listener = { readonly close: () => Promise<void> };

/** Between two attempts to listen again. */
const RECONNECT_MS = 1_000;

const BEGIN = beginStatement(20);

/** Loads an optional package. @throws JobsError with the command that installs it */
export function loadPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  const sentence = `Jobs need the package ${name}, which is not installed; npm install pg@8 pg-boss@12 installs what they need.`;
  return importOptional(load, (cause) => new JobsError("CHORALE_JOBS_PACKAGE", sentence, cause));
}

export class Database implements Sql, AsyncDisposable {
  /** For sentences: without user and password. */
  readonly name: string;
  readonly #pg: Pg;
  readonly #url: string;
  readonly #pool: Pool;

  private constructor(pg: Pg, url: string, name: string, connections: number) {
    this.#pg = pg;
    this.#url = url;
    this.name = name;
    this.#pool = createPool(pg, url, { max: connections });
  }

  /**
   * Nothing is connected yet.
   * @param url postgres://USER@HOST:PORT/DATABASE; a password that it lacks comes from PGPASSWORD or ~/.pgpass
   * @throws JobsError where `pg` is missing, or the text is no such URL
   */
  static async open(url: string, connections = 10): Promise<Database> {
    const name = databaseName(url);
    if (name === null) {
      // What was given may hold a password.
      throw new JobsError(
        "CHORALE_JOBS_DATABASE",
        `The address of the database is none; accepted: ${ADDRESS_FORM}.`,
      );
    }
    const pg = await loadPackage("pg", () => import("pg"));
    return new Database(pg, url, name, connections);
  }

  async query(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    try {
      return rowsOf(await this.#pool.query(text, [...values]));
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** The statements of `work`, all or none. @throws what `work` throws; JobsError */
  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const { client, release } = await takeConnection(this.#pool).catch((error: unknown) => {
      throw this.#failure(error);
    });
    const query: Sql["query"] = async (text, values = []) => {
      try {
        return rowsOf(await client.query(text, [...values]));
      } catch (error) {
        throw this.#failure(error);
      }
    };
    let isBroken = false;
    try {
      await query(BEGIN);
      const result = await work({ query });
      await query("COMMIT");
      return result;
    } catch (error) {
      await query("ROLLBACK").catch(() => {
        isBroken = true;
      });
      throw error;
    } finally {
      release(isBroken);
    }
  }

  /**
   * Hears the notifications of a channel until it is closed, with a connection of its own that is made again when it
   * breaks.
   * @param onMessage also gets an empty text whenever notifications may have been missed
   */
  listen(channel: string, onMessage: (payload: string) => void): Listener {
    let isClosed = false;
    let client: Client | null = null;
    let timer: NodeJS.Timeout | undefined;
    const connect = async (): Promise<void> => {
      const one = new this.#pg.Client(connectionOptions(this.#url));
      client = one;
      const again = (): void => {
        one.removeAllListeners();
        one.on("error", () => {});
        void one.end().catch(() => {});
        if (client !== one || isClosed) return;
        client = null;
        timer = setTimeout(() => void connect(), RECONNECT_MS);
      };
      one.on("error", again);
      one.on("end", again);
      one.on("notification", ({ payload = "" }) => onMessage(payload));
      try {
        await one.connect();
        await one.query(`LISTEN ${channel}`);
        onMessage("");
      } catch {
        again();
      }
    };
    void connect();
    return {
      close: async () => {
        isClosed = true;
        clearTimeout(timer);
        await client?.end().catch(() => {});
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }

  /** Messages of the server never hold the password; those about an address could hold the URL. */
  #failure(cause: unknown): JobsError {
    if (cause instanceof JobsError) return cause;
    const reason = messageOf(cause).replaceAll(this.#url, this.name) || String(cause);
    return new JobsError("CHORALE_JOBS_DATABASE", `The database ${this.name}: ${reason}.`, cause);
  }
}

/** A value as JSON that Postgres takes: its texts have no NUL and no half of a character. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(storable(value));
}

function storable(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed().replaceAll("\0", "\uFFFD");
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([name, one]) => [storable(name), storable(one)]));
}

/** SQLSTATE of what is there already: a row, a schema, a table or a type. */
const THERE = new Set(["23505", "42P06", "42P07", "42710"]);
const MAX_RACES = 5;

/**
 * Makes tables, and looks again where another program made them at the same moment: what a connection remembers of names may
 * be older than the lock under which they are made.
 */
export async function makeOnce<T>(make: () => Promise<T>): Promise<T> {
  for (let race = 1; ; race++) {
    try {
      return await make();
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      if (code === undefined || !THERE.has(code) || race === MAX_RACES) throw error;
    }
  }
}

/** Of a text with several statements: those of each. */
function rowsOf(result: unknown): readonly Row[] {
  const results = (Array.isArray(result) ? result : [result]) as readonly { rows?: Row[] }[];
  return results.flatMap(({ rows = [] }) => rows);
}
