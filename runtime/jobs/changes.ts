/** What is done to jobs from outside: they are cancelled, tried again, and removed. */
import { Thread, type ThreadStore } from "../index.ts";
import { removeArtifacts } from "./artifacts.ts";
import { childEnded } from "./claims.ts";
import type { Database, Row, Sql } from "./database.ts";
import { JobsError } from "./errors.ts";
import type { JobArtifact } from "./job.ts";
import { getRow, idOf } from "./listing.ts";
import { FETCH_LOCK, type Queue } from "./queue.ts";
import { ENDED, type JobState, nextState } from "./states.ts";
import { CHANNEL, groupOf, place } from "./submit.ts";

const COLUMNS =
  "id, state, queue, delivery, parent, children, children_left, tags, priority, parallel, attempts, retry_delay, thread_id";

/**
 * Workers take jobs by the queue's row first and the job's row second; here it is the other way round, so both wait for
 * this lock.
 */
async function lockQueue(sql: Sql): Promise<void> {
  await sql.query("SELECT pg_advisory_xact_lock($1)", [FETCH_LOCK]);
}

/**
 * A job that waits is cancelled at once; the worker of one that is at work ends it within seconds. A batch is cancelled
 * with all its jobs.
 * @returns the state behind it; `active` where the worker has yet to end it
 * @throws JobsError where there is no such job; one that has ended stays as it is
 */
export async function cancelJob(
  database: Database,
  queue: Queue,
  given: string,
): Promise<JobState> {
  return await database.transaction(async (sql) => {
    const id = await idOf(sql, given);
    await lockQueue(sql);
    const children = await sql.query(
      `SELECT ${COLUMNS} FROM chorale.jobs WHERE parent = $1 AND state IN ('queued', 'active') ORDER BY id FOR UPDATE`,
      [id],
    );
    const row = await getRow(sql, id, COLUMNS, true);
    const state = row["state"] as JobState;
    if (ENDED.includes(state)) return state;
    const gone = await cancelRows(sql, queue, children);
    await sql.query("UPDATE chorale.jobs SET children_left = children_left - $2 WHERE id = $1", [
      id,
      gone,
    ]);
    if ((await cancelRows(sql, queue, [row])) === 0) return "active";
    await childEnded(sql, queue, row["parent"]);
    return "cancelled";
  });
}

/** @returns how many have ended; the others are at work */
async function cancelRows(sql: Sql, queue: Queue, rows: readonly Row[]): Promise<number> {
  const active = rows.filter((row) => row["state"] === "active").map((row) => row["id"]);
  if (active.length > 0) {
    await sql.query("UPDATE chorale.jobs SET wants_cancel = true WHERE id = ANY($1)", [active]);
    await sql.query("SELECT pg_notify($1, 'cancel:' || id) FROM unnest($2::text[]) AS id", [
      CHANNEL,
      active,
    ]);
  }
  const waiting = rows.filter((row) => row["state"] !== "active");
  const lines = Map.groupBy(
    waiting.filter((row) => row["delivery"] !== null),
    (row) => String(row["queue"]),
  );
  for (const [name, placed] of lines) {
    await queue.removeAll(
      sql,
      name,
      placed.map((row) => String(row["delivery"])),
    );
  }
  await sql.query(
    `UPDATE chorale.jobs SET state = 'cancelled', ended_at = now(), delivery = null WHERE id = ANY($1)`,
    [waiting.map((row) => row["id"])],
  );
  return waiting.length;
}

export type RetryOptions = {
  /** In a new conversation; else the old one goes on. */
  readonly fromStart?: boolean | undefined;
};

/**
 * Another attempt at a job that failed or was cancelled. For a batch: at each of its jobs that has no answer.
 * @returns the ids of the jobs that are tried again
 * @throws JobsError for a job in another state
 */
export async function retryJob(
  database: Database,
  queue: Queue,
  store: ThreadStore,
  given: string,
  { fromStart = false }: RetryOptions = {},
): Promise<readonly string[]> {
  const id = await idOf(database, given);
  const bad = await database.query(
    `SELECT id, thread_id FROM chorale.jobs WHERE parent = $1 AND state IN ('failed', 'cancelled') ORDER BY id`,
    [id],
  );
  const rows = bad.length > 0 ? bad : [await getRow(database, id, "id, thread_id")];
  const turns = new Map<string, number>();
  for (const row of rows) {
    const entries = await store.read(String(row["thread_id"]));
    turns.set(String(row["id"]), entries.filter(({ type }) => type === "user").length + 1);
  }
  return await database.transaction(async (sql) => {
    await lockQueue(sql);
    for (const [one, turn] of turns) {
      await again(sql, queue, one, fromStart ? null : turn);
    }
    return [...turns.keys()];
  });
}

async function again(sql: Sql, queue: Queue, id: string, turn: number | null): Promise<void> {
  const row = await getRow(sql, id, COLUMNS, true);
  const state = row["state"] as JobState;
  const next = nextState(state, "retry");
  if (next === null) {
    throw new JobsError(
      "CHORALE_JOB_STATE",
      `${id} is ${state}; a job is tried again that failed or was cancelled.`,
    );
  }
  await reopenBatch(sql, queue, row["parent"]);
  await sql.query(
    `UPDATE chorale.jobs SET state = $2, attempt = 0, wants_cancel = false, error = null, result = null,
       ended_at = null, start_after = now(), turn = coalesce($3, 1), thread_id = coalesce($4, thread_id),
       earlier_threads = CASE WHEN $4::text IS NULL THEN earlier_threads ELSE earlier_threads || thread_id END
     WHERE id = $1`,
    [id, next, turn, turn === null ? Thread.create().id : null],
  );
  await place(sql, queue, String(row["queue"]), [
    {
      jobId: id,
      priority: Number(row["priority"]),
      startAfter: null,
      group: groupOf(row["tags"] as string[], row["parent"] as string | null),
      parallel: row["parallel"] as number | null,
      attemptsLeft: Number(row["attempts"]),
      retryDelay: Number(row["retry_delay"]),
    },
  ]);
}

/** The batch waits for one job more; a reduce step that has not begun waits with it. */
async function reopenBatch(sql: Sql, queue: Queue, parent: unknown): Promise<void> {
  if (typeof parent !== "string") return;
  const batch = await getRow(sql, parent, COLUMNS, true);
  const state = nextState(batch["state"] as JobState, "reopen");
  if (state === null) {
    throw new JobsError(
      "CHORALE_JOB_STATE",
      `The batch ${parent} is at its reduce step; its jobs are tried again behind that.`,
    );
  }
  const { delivery, queue: name } = batch;
  if (typeof delivery === "string") await queue.removeAll(sql, String(name), [delivery]);
  // A reduce step is asked anew, with the new answers.
  await sql.query(
    `UPDATE chorale.jobs SET state = $2, children_left = children_left + 1, delivery = null, attempt = 0, turn = 1,
       error = null, result = null, ended_at = null, wants_cancel = false,
       thread_id = $3, earlier_threads = earlier_threads || thread_id
     WHERE id = $1`,
    [parent, state, Thread.create().id],
  );
}

export type PurgeQuery = {
  /** Jobs that ended before this moment. */
  readonly before: Date;
  /** Default: completed, failed and cancelled ones. */
  readonly states?: readonly JobState[] | undefined;
};

/**
 * Removes jobs that have ended, with their conversations and files; the jobs of a batch go with it.
 * @returns how many
 */
export async function purgeJobs(
  sql: Sql,
  store: ThreadStore,
  env: NodeJS.ProcessEnv,
  { before, states = ENDED }: PurgeQuery,
): Promise<number> {
  const ended = states.filter((state) => ENDED.includes(state));
  for (let removed = 0; ; ) {
    const rows = await sql.query(
      `WITH roots AS (
         SELECT id FROM chorale.jobs WHERE parent IS NULL AND state = ANY($1) AND ended_at < $2
         ORDER BY ended_at LIMIT $3)
       SELECT id, thread_id, earlier_threads, artifacts FROM chorale.jobs
       WHERE id IN (SELECT id FROM roots) OR parent IN (SELECT id FROM roots)`,
      [ended, before, PURGED_AT_ONCE],
    );
    if (rows.length === 0) return removed;
    for (const row of rows) {
      const artifacts = (row["artifacts"] as JobArtifact[] | null) ?? [];
      await removeArtifacts(String(row["id"]), artifacts, env);
      const threads = [String(row["thread_id"]), ...(row["earlier_threads"] as string[])];
      for (const thread of threads) await store.remove(thread);
    }
    // A job that was opened again meanwhile stays, and begins anew.
    await sql.query("DELETE FROM chorale.jobs WHERE id = ANY($1) AND state = ANY($2)", [
      rows.map((row) => row["id"]),
      ENDED,
    ]);
    removed += rows.length;
  }
}

const PURGED_AT_ONCE = 500;
