/** The tables of jobs. pg-boss keeps its own beside them, in the schema `chorale_queue`. */
import { type Database, makeOnce } from "./database.ts";
import { JobsError } from "./errors.ts";

/** Raised with every change of the tables. */
const VERSION = 1;

/** So that two programs that come first at the same time make the tables once. */
const LOCK = 7_240_311;

const TABLES = `
CREATE TABLE chorale.jobs (
  id text COLLATE "C" PRIMARY KEY,
  seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  state text NOT NULL,
  title text NOT NULL,
  spec jsonb NOT NULL,
  spec_hash text NOT NULL,
  tags text[] NOT NULL,
  priority int NOT NULL,
  key text,
  parallel int,
  attempts int NOT NULL,
  retry_delay int NOT NULL,
  timeout_ms bigint,
  schedule text,
  -- The job's place in the queue.
  queue text NOT NULL,
  delivery uuid,
  start_after timestamptz NOT NULL DEFAULT now(),
  -- Its worker.
  attempt int NOT NULL DEFAULT 0,
  -- Grows whenever the job gets a worker, so that a worker that was given up for lost changes nothing.
  token int NOT NULL DEFAULT 0,
  worker text,
  heartbeat_at timestamptz,
  wants_cancel boolean NOT NULL DEFAULT false,
  -- Its batch.
  parent text COLLATE "C" REFERENCES chorale.jobs ON DELETE CASCADE,
  children int,
  children_left int,
  -- Its conversation.
  thread_id text NOT NULL,
  turn int NOT NULL DEFAULT 1,
  earlier_threads text[] NOT NULL DEFAULT '{}',
  progress jsonb,
  result jsonb,
  error jsonb,
  artifacts jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  ended_at timestamptz
);
CREATE INDEX jobs_by_state ON chorale.jobs (state, seq DESC);
CREATE INDEX jobs_by_parent ON chorale.jobs (parent, seq DESC) WHERE parent IS NOT NULL;
CREATE INDEX jobs_by_tag ON chorale.jobs USING gin (tags);
CREATE INDEX jobs_by_end ON chorale.jobs (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX jobs_to_do ON chorale.jobs (queue, priority DESC, seq) WHERE state = 'queued';
CREATE INDEX jobs_at_work ON chorale.jobs (queue, heartbeat_at) WHERE state = 'active';
CREATE UNIQUE INDEX jobs_by_key ON chorale.jobs (key) WHERE key IS NOT NULL;
CREATE TABLE chorale.job_queues (name text PRIMARY KEY);
CREATE TABLE chorale.job_schedules (
  name text PRIMARY KEY,
  cron text NOT NULL,
  tz text NOT NULL,
  submission jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);`;

/** Makes the tables where they are not there yet. @throws JobsError for tables of a newer version */
export async function prepareTables(database: Database): Promise<void> {
  await makeOnce(() => makeTables(database));
}

async function makeTables(database: Database): Promise<void> {
  const found = await versionOf(database);
  if (found === VERSION) return;
  if (found !== null && found > VERSION) throw newer(database.name, found);
  await database.transaction(async (sql) => {
    await sql.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    await sql.query("CREATE SCHEMA IF NOT EXISTS chorale");
    await sql.query("CREATE TABLE IF NOT EXISTS chorale.job_tables (version int NOT NULL)");
    const [row] = await sql.query("SELECT version FROM chorale.job_tables");
    if (row !== undefined) return;
    await sql.query(TABLES);
    await sql.query("INSERT INTO chorale.job_tables VALUES ($1)", [VERSION]);
  });
}

async function versionOf(database: Database): Promise<number | null> {
  const [there] = await database.query("SELECT to_regclass('chorale.job_tables') AS found");
  if (there?.["found"] === null) return null;
  const [row] = await database.query("SELECT version FROM chorale.job_tables");
  return row === undefined ? null : Number(row["version"]);
}

function newer(name: string, version: number): JobsError {
  return new JobsError(
    "CHORALE_JOBS_DATABASE",
    `The database ${name} has tables of version ${version}; this Chorale knows version ${VERSION}. Use a newer one.`,
  );
}
