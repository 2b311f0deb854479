/**
 * A worker's hold on a job: how it is taken, kept and given up. The queue's row and the job's row change together, and
 * every change names the attempt, so that a worker that was given up for lost changes nothing any more.
 */
import { type Database, jsonOf, type Row, type Sql } from "./database.ts";
import { JobsError } from "./errors.ts";
import {
  JOB_COLUMNS,
  type Job,
  type JobArtifact,
  type JobFailure,
  type JobProgress,
  type JobResult,
  jobOf,
} from "./job.ts";
import type { Queue, Taken } from "./queue.ts";
import { nextState, statesBefore } from "./states.ts";
import { groupOf, insertJobs, newJob, place } from "./submit.ts";

export type Claim = {
  readonly job: Job;
  readonly taken: Taken;
  /** Names this hold: it grows with each. */
  readonly token: number;
  /** Which turn of its conversation is wanted, counted from 1. */
  readonly turn: number;
  /** It was cancelled while a worker that was lost had it. */
  readonly wantsCancel: boolean;
  readonly retryDelay: number;
};

/** What came of an attempt. */
export type Ending = {
  readonly event: "complete" | "fail" | "cancel";
  readonly result: JobResult | null;
  readonly error: JobFailure | null;
  readonly artifacts: readonly JobArtifact[];
  readonly progress: JobProgress | null;
};

/** Who asks for a job, and where. */
type Asking = {
  readonly worker: string;
  /** Names of queues; null: all. */
  readonly lines: readonly string[] | null;
  /** A line that has just got a job, while nothing else was to do. */
  readonly hint: string | null;
};

/** The next job of these lines, for this worker alone. */
export async function claimJob(
  database: Database,
  queue: Queue,
  asking: Asking,
): Promise<Claim | null> {
  const { hint, lines, worker } = asking;
  const isHinted = hint !== null && (lines === null || lines.includes(hint));
  return (
    (isHinted ? await claimFromOne(database, queue, [hint], worker) : null) ??
    (await claimFromOne(database, queue, await linesToTry(database, asking), worker))
  );
}

async function claimFromOne(
  database: Database,
  queue: Queue,
  names: readonly string[],
  worker: string,
): Promise<Claim | null> {
  for (const name of names) {
    await queue.ensure(name);
    for (;;) {
      const found = await database.transaction((sql) => claimFrom(sql, queue, name, worker));
      if (found === null) break;
      if (found !== "stale") return found;
    }
  }
  return null;
}

/** The shortest lease: a worker that is silent for longer may be lost. */
const SILENT_SECONDS = 10;

/** Lines with something to do, the one with the most urgent job first. */
async function linesToTry(sql: Sql, { lines }: Asking): Promise<readonly string[]> {
  const rows = await sql.query(
    `SELECT queues.name FROM chorale.job_queues queues
     LEFT JOIN LATERAL (
       SELECT priority, seq FROM chorale.jobs
       WHERE queue = queues.name AND state = 'queued' AND start_after <= now()
       ORDER BY priority DESC, seq LIMIT 1) first ON true
     WHERE ($1::text[] IS NULL OR queues.name = ANY($1)) AND (first.seq IS NOT NULL OR EXISTS (
       SELECT FROM chorale.jobs WHERE queue = queues.name AND state = 'active'
         AND heartbeat_at < now() - make_interval(secs => $2)))
     ORDER BY first.priority DESC NULLS LAST, first.seq`,
    [lines, SILENT_SECONDS],
  );
  return rows.map((row) => String(row["name"]));
}

async function claimFrom(
  sql: Sql,
  queue: Queue,
  name: string,
  worker: string,
): Promise<Claim | "stale" | null> {
  const taken = await queue.take(sql, name);
  if (taken === null) return null;
  const [row] = await sql.query(
    `UPDATE chorale.jobs SET state = $5, attempt = attempt + 1, token = token + 1, worker = $3,
       heartbeat_at = now(), started_at = coalesce(started_at, now())
     WHERE id = $1 AND delivery = $2 AND state = ANY($4)
     RETURNING ${JOB_COLUMNS}, token, turn, wants_cancel, retry_delay`,
    [taken.jobId, taken.id, worker, statesBefore("claim"), nextState("queued", "claim")],
  );
  if (row === undefined) {
    // The job has ended or was removed meanwhile.
    await queue.finish(sql, taken);
    return "stale";
  }
  return {
    job: jobOf(row),
    taken,
    token: Number(row["token"]),
    turn: Number(row["turn"]),
    wantsCancel: row["wants_cancel"] === true,
    retryDelay: Number(row["retry_delay"]),
  };
}

/**
 * Says that the worker is alive.
 * @returns whether the job is to be cancelled; null where the hold is lost
 */
export async function heartbeat(
  sql: Sql,
  queue: Queue,
  { job, taken, token }: Claim,
  progress: JobProgress | null,
): Promise<boolean | null> {
  if (!(await queue.touch(sql, taken))) return null;
  const [row] = await sql.query(
    `UPDATE chorale.jobs SET heartbeat_at = now(), progress = coalesce($3, progress)
     WHERE id = $1 AND token = $2 AND state = 'active' RETURNING wants_cancel`,
    [job.id, token, progress],
  );
  return row === undefined ? null : row["wants_cancel"] === true;
}

/** Ends the job. @throws JobsError with the code CHORALE_JOB_LOST: nothing has changed */
export async function endJob(
  database: Database,
  queue: Queue,
  claim: Claim,
  { event, result, error, artifacts, progress }: Ending,
): Promise<void> {
  const { job, taken, token } = claim;
  await database.transaction(async (sql) => {
    if (!(await queue.finish(sql, taken))) throw lost(job.id);
    const [row] = await sql.query(
      `UPDATE chorale.jobs SET state = $3, result = $4, error = $5, artifacts = $6,
         progress = coalesce($7, progress), ended_at = now(), delivery = null, wants_cancel = false
       WHERE id = $1 AND token = $2 AND state = 'active' RETURNING parent`,
      [
        job.id,
        token,
        nextState("active", event),
        result === null ? null : jsonOf(result),
        error === null ? null : jsonOf(error),
        jsonOf(artifacts),
        progress,
      ],
    );
    if (row === undefined) throw lost(job.id);
    await childEnded(sql, queue, row["parent"]);
  });
}

/**
 * Puts a job back whose attempt failed in a way that may pass.
 * @returns when it is tried again
 */
export async function retryLater(
  database: Database,
  queue: Queue,
  { job, taken, token }: Claim,
  error: JobFailure,
): Promise<Date> {
  return await database.transaction(async (sql) => {
    const at = await queue.fail(sql, taken);
    if (at === false || at === null) throw lost(job.id);
    await requeue(sql, job.id, token, { startAfter: at, error, attempt: job.attempt });
    return at;
  });
}

/** Gives a job back untried: the attempt does not count. */
export async function giveBack(database: Database, queue: Queue, claim: Claim): Promise<void> {
  const { job, taken, token, retryDelay } = claim;
  await database.transaction(async (sql) => {
    if (!(await queue.remove(sql, taken))) throw lost(job.id);
    const attempt = job.attempt - 1;
    await requeue(sql, job.id, token, { startAfter: new Date(), error: job.error, attempt });
    await place(sql, queue, taken.queue, [
      {
        jobId: job.id,
        priority: job.priority,
        startAfter: null,
        group: groupOf(job.tags, job.parent),
        parallel: job.parallel,
        attemptsLeft: job.attempts - attempt,
        retryDelay,
      },
    ]);
  });
}

async function requeue(
  sql: Sql,
  id: string,
  token: number,
  to: { readonly startAfter: Date; readonly error: JobFailure | null; readonly attempt: number },
): Promise<void> {
  const [row] = await sql.query(
    `UPDATE chorale.jobs SET state = $3, start_after = $4, error = $5, attempt = $6
     WHERE id = $1 AND token = $2 AND state = 'active' RETURNING id`,
    [
      id,
      token,
      nextState("active", "requeue"),
      to.startAfter,
      to.error === null ? null : jsonOf(to.error),
      to.attempt,
    ],
  );
  if (row === undefined) throw lost(id);
}

/** Counts a child of a batch that has ended; behind the last one the batch goes on or ends. */
export async function childEnded(
  sql: Sql,
  queue: Queue,
  parent: unknown,
  count = 1,
): Promise<void> {
  if (typeof parent !== "string" || count === 0) return;
  const [row] = await sql.query(
    `UPDATE chorale.jobs SET children_left = children_left - $2 WHERE id = $1
     RETURNING ${JOB_COLUMNS}, children, children_left, queue, retry_delay`,
    [parent, count],
  );
  if (row === undefined || row["state"] !== "waiting" || Number(row["children_left"]) > 0) return;
  const batch = jobOf(row);
  if (batch.spec.prompt !== undefined) return await beginReduce(sql, queue, batch, row);
  const [counted] = await sql.query(
    "SELECT count(*)::int AS n FROM chorale.jobs WHERE parent = $1 AND state <> 'completed'",
    [parent],
  );
  const bad = Number(counted?.["n"]);
  const event = bad === 0 ? "complete" : "fail";
  const error =
    bad === 0 ? null : { message: `${bad} of ${String(row["children"])} jobs have no answer.` };
  await sql.query(
    "UPDATE chorale.jobs SET state = $2, error = $3, ended_at = now() WHERE id = $1",
    [parent, nextState("waiting", event), error === null ? null : jsonOf(error)],
  );
}

async function beginReduce(sql: Sql, queue: Queue, batch: Job, row: Row): Promise<void> {
  await sql.query("UPDATE chorale.jobs SET state = $2, start_after = now() WHERE id = $1", [
    batch.id,
    nextState("waiting", "reduce"),
  ]);
  await place(sql, queue, String(row["queue"]), [
    {
      jobId: batch.id,
      priority: batch.priority,
      startAfter: null,
      group: groupOf(batch.tags, batch.id),
      parallel: batch.parallel,
      attemptsLeft: batch.attempts,
      retryDelay: Number(row["retry_delay"]),
    },
  ]);
}

/** Ends a job whose workers were lost in every attempt. @returns whether there was one */
export async function buryLost(database: Database, queue: Queue): Promise<boolean> {
  return await database.transaction(async (sql) => {
    const dead = await queue.takeDead(sql);
    if (dead === null) return false;
    await queue.finish(sql, dead.taken);
    const [row] = await sql.query(
      `UPDATE chorale.jobs SET state = 'failed', error = $3, ended_at = now(), delivery = null,
         wants_cancel = false
       WHERE id = $1 AND delivery = $2 AND state = ANY($4) RETURNING parent`,
      [
        dead.taken.jobId,
        dead.of,
        JSON.stringify({
          code: "CHORALE_JOB_LOST",
          message: "Its worker ended, or could not reach the database, in every attempt.",
        }),
        statesBefore("fail"),
      ],
    );
    if (row !== undefined) await childEnded(sql, queue, row["parent"]);
    return true;
  });
}

/** Submits the job of a schedule whose time has come. @returns whether there was one */
export async function submitScheduled(database: Database, queue: Queue): Promise<boolean> {
  return await database.transaction(async (sql) => {
    const due = await queue.takeScheduled(sql);
    if (due === null) return false;
    await queue.finish(sql, due);
    const [row] = await sql.query("SELECT submission FROM chorale.job_schedules WHERE name = $1", [
      due.jobId,
    ]);
    if (row === undefined) return true;
    const jobs = newJob(row["submission"] as Parameters<typeof newJob>[0], due.jobId);
    await queue.ensure(jobs.queue);
    await insertJobs(sql, queue, jobs);
    return true;
  });
}

function lost(id: string): JobsError {
  return new JobsError(
    "CHORALE_JOB_LOST",
    `${id} is no longer this worker's: it was silent for too long, or the job was removed.`,
  );
}
