/** What is known of jobs: one, or a page of them. */
import type { Row, Sql } from "./database.ts";
import { JobsError } from "./errors.ts";
import {
  JOB_COLUMNS,
  type Job,
  type JobSummary,
  jobOf,
  SUMMARY_COLUMNS,
  summaryOf,
} from "./job.ts";
import type { JobState } from "./states.ts";

export type JobQuery = {
  readonly states?: readonly JobState[] | undefined;
  /** Jobs that have one of these tags. */
  readonly tags?: readonly string[] | undefined;
  /** The jobs of a batch. */
  readonly parent?: string | undefined;
  /** Submitted at this moment or later. */
  readonly since?: Date | undefined;
  /** Jobs older than this one: the last of the page before. */
  readonly after?: string | undefined;
  /** Most jobs, 1 to 100,000. Default 100. */
  readonly limit?: number | undefined;
};

export type JobPage = {
  /** The newest first. */
  readonly jobs: readonly JobSummary[];
  /** Of `after` for the next page; null: this is the last. */
  readonly next: string | null;
};

export async function listJobs(sql: Sql, query: JobQuery): Promise<JobPage> {
  const { states, tags, parent, since, after, limit = 100 } = query;
  const values: unknown[] = [];
  const conditions: string[] = [];
  const add = (condition: string, value: unknown): void => {
    values.push(value);
    conditions.push(condition.replace("?", `$${values.length}`));
  };
  if (states !== undefined && states.length > 0) add("state = ANY(?)", states);
  if (tags !== undefined && tags.length > 0) add("tags && ?::text[]", tags);
  if (parent !== undefined) add("parent = ?", await idOf(sql, parent));
  if (since !== undefined) add("created_at >= ?", since);
  if (after !== undefined) {
    add("seq < (SELECT seq FROM chorale.jobs WHERE id = ?)", await idOf(sql, after));
  }
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  values.push(limit + 1);
  const rows = await sql.query(
    `SELECT ${SUMMARY_COLUMNS} FROM chorale.jobs ${where} ORDER BY seq DESC LIMIT $${values.length}`,
    values,
  );
  const jobs = rows.slice(0, limit).map(summaryOf);
  return { jobs, next: rows.length > limit ? (jobs.at(-1)?.id ?? null) : null };
}

/** How many jobs are in each state, of those that the query names. */
export async function countJobs(sql: Sql): Promise<Readonly<Partial<Record<JobState, number>>>> {
  const rows = await sql.query("SELECT state, count(*)::int AS n FROM chorale.jobs GROUP BY state");
  return Object.fromEntries(rows.map((row) => [String(row["state"]), Number(row["n"])]));
}

/** @throws JobsError where there is no such job */
export async function getJob(sql: Sql, id: string): Promise<Job> {
  return jobOf(await getRow(sql, await idOf(sql, id), JOB_COLUMNS));
}

/** @param lock keeps the row for the transaction */
export async function getRow(sql: Sql, id: string, columns: string, lock = false): Promise<Row> {
  const [row] = await sql.query(
    `SELECT ${columns} FROM chorale.jobs WHERE id = $1 ${lock ? "FOR UPDATE" : ""}`,
    [id],
  );
  if (row === undefined) throw notFound(id);
  return row;
}

const PREFIX = "job_";
const MAX_NAMED = 5;

/**
 * The whole id of the job whose id begins so, with or without `job_`.
 * @throws JobsError for none, or several
 */
export async function idOf(sql: Sql, given: string): Promise<string> {
  const prefix = given.startsWith(PREFIX) ? given : PREFIX + given;
  const isPrefix = /^job_[0-9a-f-]{1,36}$/.test(prefix);
  const rows = isPrefix
    ? await sql.query(
        "SELECT id FROM chorale.jobs WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3",
        [prefix, `${prefix}~`, MAX_NAMED + 1],
      )
    : [];
  const ids = rows.map((row) => String(row["id"]));
  const [id] = ids;
  if (id === undefined) throw notFound(given);
  if (ids.length === 1 || ids.includes(prefix)) return id;
  const named = ids.slice(0, MAX_NAMED).join(", ");
  throw new JobsError(
    "CHORALE_JOB_AMBIGUOUS",
    `Several jobs begin with ${given}: ${named}${ids.length > MAX_NAMED ? " and more" : ""}. Give more of the id.`,
  );
}

function notFound(given: string): JobsError {
  return new JobsError(
    "CHORALE_JOB_NOT_FOUND",
    `There is no job ${given}; chorale jobs list names them.`,
  );
}
