/** New jobs: their rows and their places in the queue, in one transaction. */
import { randomUUID } from "node:crypto";
import { Thread } from "../index.ts";
import type { Sql } from "./database.ts";
import { JobsError } from "./errors.ts";
import type { BatchSubmission, JobSpec, JobSubmission } from "./job.ts";
import { type Queue, queueOf } from "./queue.ts";
import {
  checkBatch,
  checkPlacement,
  checkSpec,
  hashOf,
  type Placement,
  titleOf,
} from "./submission.ts";

export type Submitted = {
  readonly id: string;
  /** A job with this key was there already; this is its id. */
  readonly isKnown: boolean;
};

/** The channel on which workers hear of new jobs: the name of a queue, or `cancel:` and the id of a job. */
export const CHANNEL = "chorale_jobs";

/** What a checked submission is made of; made before the transaction begins. */
export type NewJobs = {
  readonly placement: Placement;
  readonly queue: string;
  readonly spec: JobSpec;
  /** Of a batch. */
  readonly children: readonly JobSpec[] | null;
  readonly schedule: string | null;
};

/** @throws UsageError */
export function newJob(
  { prompt, messages, untrusted, settings, output, ...placement }: JobSubmission,
  schedule: string | null = null,
): NewJobs {
  const checked = checkPlacement(placement);
  return {
    placement: checked,
    queue: queueOf(checked.tags),
    spec: checkSpec({ prompt, messages, untrusted, settings, output }),
    children: null,
    schedule,
  };
}

/** @throws UsageError */
export function newBatch(batch: BatchSubmission): NewJobs {
  const placement = checkPlacement(batch);
  const children = checkBatch(batch);
  const spec = batch.reduce === undefined ? {} : checkSpec(batch.reduce);
  return { placement, queue: queueOf(placement.tags), spec, children, schedule: null };
}

/** @throws JobsError with the code CHORALE_JOB_KEY for a key of another job */
export async function insertJobs(sql: Sql, queue: Queue, jobs: NewJobs): Promise<Submitted> {
  const { placement, children, spec } = jobs;
  const id = newId();
  const hash = hashOf([spec, children, placement.tags]);
  const title =
    children === null || spec.prompt !== undefined
      ? titleOf(spec)
      : `${children.length} jobs: ${titleOf(children[0] as JobSpec)}`;
  const row = { id, state: children === null ? "queued" : "waiting", title, spec, spec_hash: hash };
  const [made] = await insertRows(sql, jobs, [{ ...row, key: placement.key }]);
  if (made === undefined) return await known(sql, placement.key ?? "", hash);
  if (children === null) {
    await enqueue(sql, queue, jobs, [id], null);
    return { id, isKnown: false };
  }
  const rows = children.map((child) => ({
    id: newId(),
    state: "queued",
    title: titleOf(child),
    spec: child,
    spec_hash: hashOf(child),
    parent: id,
  }));
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const some = rows.slice(at, at + ROWS_AT_ONCE);
    await insertRows(sql, jobs, some);
    await enqueue(
      sql,
      queue,
      jobs,
      some.map((child) => child.id),
      id,
    );
  }
  await sql.query("UPDATE chorale.jobs SET children = $2, children_left = $2 WHERE id = $1", [
    id,
    rows.length,
  ]);
  return { id, isKnown: false };
}

const ROWS_AT_ONCE = 1_000;

type NewRow = {
  readonly id: string;
  readonly state: string;
  readonly title: string;
  readonly spec: JobSpec;
  readonly spec_hash: string;
  readonly key?: string | null;
  readonly parent?: string;
};

async function insertRows(
  sql: Sql,
  { placement, queue, schedule }: NewJobs,
  rows: readonly NewRow[],
): Promise<readonly unknown[]> {
  const { tags, priority, parallel, attempts, retryDelay, timeoutMs, startAfter } = placement;
  const withThreads = rows.map((row) => ({ ...row, thread_id: Thread.create().id }));
  return await sql.query(
    `INSERT INTO chorale.jobs (id, state, title, spec, spec_hash, key, parent, thread_id, queue, tags, priority,
       parallel, attempts, retry_delay, timeout_ms, start_after, schedule)
     SELECT id, state, title, spec, spec_hash, key, parent, thread_id, $2, $3::text[], $4, $5, $6, $7, $8,
       coalesce($9, now()), $10
     FROM jsonb_to_recordset($1::jsonb) AS new (id text, state text, title text, spec jsonb, spec_hash text, key text,
       parent text, thread_id text)
     ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING
     RETURNING id`,
    [
      JSON.stringify(withThreads),
      ...[queue, tags, priority, parallel, attempts, retryDelay, timeoutMs, startAfter, schedule],
    ],
  );
}

/** @throws JobsError for a key that stands for something else */
async function known(sql: Sql, key: string, hash: string): Promise<Submitted> {
  const [row] = await sql.query("SELECT id, spec_hash FROM chorale.jobs WHERE key = $1", [key]);
  const id = String(row?.["id"]);
  if (row?.["spec_hash"] === hash) return { id, isKnown: true };
  throw new JobsError(
    "CHORALE_JOB_KEY",
    `The key ${JSON.stringify(key)} is that of ${id}, which asks something else. Take another key, or purge that job.`,
  );
}

async function enqueue(
  sql: Sql,
  queue: Queue,
  { placement, queue: name }: NewJobs,
  ids: readonly string[],
  parent: string | null,
): Promise<void> {
  const { priority, startAfter, parallel, attempts, retryDelay, tags } = placement;
  const deliveries = ids.map((jobId) => ({
    jobId,
    priority,
    startAfter,
    group: groupOf(tags, parent),
    parallel,
    attemptsLeft: attempts,
    retryDelay,
  }));
  await place(sql, queue, name, deliveries);
}

/** Puts jobs into the queue, says so in their rows, and wakes the workers. */
export async function place(
  sql: Sql,
  queue: Queue,
  name: string,
  deliveries: Parameters<Queue["send"]>[2],
): Promise<void> {
  await sql.query("INSERT INTO chorale.job_queues VALUES ($1) ON CONFLICT DO NOTHING", [name]);
  const ids = await queue.send(sql, name, deliveries);
  await sql.query(
    `UPDATE chorale.jobs SET delivery = placed.delivery
     FROM unnest($1::text[], $2::uuid[]) AS placed (id, delivery) WHERE jobs.id = placed.id`,
    [deliveries.map(({ jobId }) => jobId), ids],
  );
  await sql.query("SELECT pg_notify($1, $2)", [CHANNEL, name]);
}

/** Jobs that share a limit: those of a line, else those of a batch. */
export function groupOf(tags: readonly string[], parent: string | null): string | null {
  return tags[0] ?? parent;
}

const newId = (): string => `job_${randomUUID()}`;
