/**
 * How connections to Postgres are made, for conversations and for jobs. `pg` is an optional package: the caller loads
 * it when a database is opened.
 */
import type { ClientConfig, Pool, PoolClient, PoolConfig } from "pg";

export type Pg = typeof import("pg");

const CONNECT_MS = 10_000;
/** A connection that is silent for longer while an answer is due counts as lost. */
const ANSWER_MS = 30_000;

/** Of every connection. */
export function connectionOptions(url: string): ClientConfig {
  return {
    connectionString: url,
    application_name: "chorale",
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
  };
}

/**
 * Nothing is connected yet.
 * @param options  `allowExitOnIdle`: idle connections do not keep the process alive
 */
export function createPool(
  pg: Pg,
  url: string,
  options: Pick<PoolConfig, "max" | "allowExitOnIdle">,
): Pool {
  const pool = new pg.Pool({ ...connectionOptions(url), query_timeout: ANSWER_MS, ...options });
  // An idle connection that breaks is replaced by the next statement, which says what is wrong.
  pool.on("error", () => {});
  return pool;
}

/** Takes a connection of the pool whose breaking is told by the statement that fails, and by nothing else. */
export async function takeConnection(
  pool: Pool,
): Promise<{ readonly client: PoolClient; readonly release: (isBroken: boolean) => void }> {
  const client = await pool.connect();
  const ignore = (): void => {};
  client.on("error", ignore);
  const release = (isBroken: boolean): void => {
    client.off("error", ignore);
    client.release(isBroken);
  };
  return { client, release };
}

/**
 * Begins a transaction. The server ends one whose client is silent, so that what it holds is free before others stop
 * to wait for it.
 * @param lockSeconds  how long a statement waits for a lock
 */
export function beginStatement(lockSeconds: number): string {
  return `BEGIN; SET LOCAL idle_in_transaction_session_timeout = '5s'; SET LOCAL lock_timeout = '${lockSeconds}s'`;
}

/**
 * Host, port and database of a URL, for sentences: without user, password and parameters.
 * @returns null for a text that is no postgres://USER@HOST:PORT/DATABASE
 */
export function databaseName(url: string): string | null {
  const parsed = URL.parse(url);
  if (parsed === null || !/^postgres(?:ql)?:$/.test(parsed.protocol)) return null;
  const host = parsed.searchParams.get("host") ?? (parsed.host || "localhost");
  return `${host}${parsed.pathname === "/" ? "" : parsed.pathname}`;
}

/** Accepted, and what a password must not have: for the sentences about an address that is none. */
export const ADDRESS_FORM =
  "postgres://USER@HOST:5432/DATABASE; a sign of a name or password that a URL cannot have is written with %, such as %40 for @";

/** Loads an optional package. @throws what `missing` makes, where it is not installed */
export async function importOptional<T>(
  load: () => Promise<T>,
  missing: (cause: unknown) => Error,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw missing(cause);
  }
}
