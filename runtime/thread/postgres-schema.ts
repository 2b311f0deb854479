/**
 * The tables of conversations in Postgres, in the schema `chorale`. `thread_entries` is the log: each entry as the text of
 * its JSON, since `jsonb` has no character U+0000. `threads` and `thread_words` are made of it, for listings and for
 * the search. A word is in `lexemes`, cut where it is too long for an index, and the text of the entry as words with a space
 * before each is in `words`, by which phrases are found. `thread_fences` has the highest number by which a holder
 * has written to a thread.
 */
import type { PostgresDatabase, Run } from "./postgres-database.ts";

/** Of the row in `thread_tables`. */
const VERSION = 1;

/** Held by every program that makes tables in the schema `chorale`, so that they are made once. */
const MIGRATION_LOCK = 7_240_311;

const TABLES = `
  CREATE TABLE chorale.thread_entries (
    thread_id text COLLATE "C" NOT NULL,
    seq integer NOT NULL,
    append_id uuid NOT NULL,
    entry text NOT NULL,
    PRIMARY KEY (thread_id, seq)
  );
  CREATE SEQUENCE chorale.thread_uses;
  CREATE TABLE chorale.threads (
    thread_id text COLLATE "C" PRIMARY KEY,
    entries integer NOT NULL,
    updated_at text COLLATE "C" NOT NULL,
    used bigint NOT NULL DEFAULT nextval('chorale.thread_uses'),
    folder text COLLATE "C" NOT NULL,
    summary text
  );
  CREATE INDEX threads_by_use ON chorale.threads (updated_at DESC, used DESC);
  CREATE TABLE chorale.thread_words (
    thread_id text COLLATE "C" NOT NULL,
    seq integer NOT NULL,
    words text COLLATE "C" NOT NULL,
    lexemes tsvector NOT NULL,
    PRIMARY KEY (thread_id, seq)
  );
  CREATE INDEX thread_words_by_lexeme ON chorale.thread_words USING gin (lexemes);
  CREATE TABLE chorale.thread_fences (
    thread_id text COLLATE "C" PRIMARY KEY,
    token bigint NOT NULL
  );
  INSERT INTO chorale.thread_tables VALUES (${VERSION});
`;

/**
 * Makes the tables where they are not there yet.
 * @throws Error for tables of a newer version
 */
export async function prepareTables(database: PostgresDatabase): Promise<void> {
  // Most often there is nothing to do, and the user may not be allowed to make tables.
  const run: Run = (text, values) => database.query(text, values);
  if ((await versionOf(run)) === VERSION) return;
  await database.transaction(async (run) => {
    await run("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    if ((await versionOf(run)) === VERSION) return;
    const schemas = await run("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'chorale'");
    // Without IF NOT EXISTS, which asks for the right to make schemas also where there is nothing to make.
    if (schemas.length === 0) await run("CREATE SCHEMA chorale");
    await run("CREATE TABLE chorale.thread_tables (version integer NOT NULL)");
    await run(TABLES);
  });
}

/** 0 where there are no tables. */
async function versionOf(run: Run): Promise<number> {
  // The table of tables, since what a connection remembers of names is not renewed behind an advisory lock.
  const tables = await run(
    "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'chorale' AND tablename = 'thread_tables'",
  );
  if (tables.length === 0) return 0;
  const [row] = await run("SELECT version FROM chorale.thread_tables");
  const version = Number(row?.["version"] ?? 0);
  if (version > VERSION) {
    throw new Error(
      `its tables are of version ${version}, and this Chorale reads versions up to ${VERSION}; use a newer one`,
    );
  }
  return version;
}
