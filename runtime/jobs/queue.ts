/**
 * The queue, which is pg-boss: delivery, order, delays, retries with back-off, heartbeats, time tables. Every change of
 * it goes through the transaction that changes the job, so that neither is ever without the other. `pg-boss` is loaded
 * when it is needed.
 */
import { randomUUID } from "node:crypto";
import { type Database, loadPackage, makeOnce, type Sql } from "./database.ts";
import { LONGEST_ATTEMPT_MS, MAX_PARALLEL } from "./submission.ts";

type BossClass = typeof import("pg-boss")["PgBoss"];
type Boss = InstanceType<BossClass>;

const SCHEMA = "chorale_queue";
/** Jobs without a tag. */
const DEFAULT_LINE = "chorale";
/** What pg-boss gave up: the worker was lost in every attempt. */
const DEAD = "chorale-dead";
const SCHEDULED = "chorale-schedule";
const LONGEST_RETRY_DELAY_SECONDS = 3_600;
/** pg-boss forgets deliveries after a time; jobs are kept in the table of jobs. */
const KEPT_SECONDS = 3_600;
const YEAR_SECONDS = 365 * 24 * 3_600;
/** Two workers that look at the same moment would both find the last place free. */
export const FETCH_LOCK = 7_240_312;

/** Most jobs of a group at work, by the number that the job says. */
const TIERS = Object.fromEntries(
  Array.from({ length: MAX_PARALLEL }, (_, at) => [String(at + 1), at + 1]),
);
const NO_LIMIT = 1_000_000;

export type QueueOptions = {
  /** Of what is put into the queue: how long a worker may be silent before another one gets it; at least 10. */
  readonly leaseSeconds: number;
  /** Watches over heartbeats and time tables. */
  readonly isWorker: boolean;
  readonly onProblem?: ((sentence: string) => void) | undefined;
};

/** What is put into the queue. */
export type Delivery = {
  readonly jobId: string;
  readonly priority: number;
  readonly startAfter: Date | null;
  /** Jobs that share a limit. */
  readonly group: string | null;
  readonly parallel: number | null;
  readonly attemptsLeft: number;
  readonly retryDelay: number;
};

/** A delivery that a worker has taken; with it the queue knows a worker that has lost it. */
export type Taken = {
  readonly queue: string;
  readonly id: string;
  readonly retryCount: number;
  readonly jobId: string;
  /** How long the worker may be silent. */
  readonly leaseSeconds: number;
};

type Fetched = {
  readonly id: string;
  readonly retryCount: number;
  readonly heartbeatSeconds: number | null;
};

/** The queue of a job's line. */
export function queueOf(tags: readonly string[]): string {
  const [first] = tags;
  return first === undefined ? DEFAULT_LINE : `${DEFAULT_LINE}/${first}`;
}

export class Queue implements AsyncDisposable {
  readonly #boss: Boss;
  readonly #known = new Set<string>();
  readonly #leaseSeconds: number;

  private constructor(boss: Boss, leaseSeconds: number) {
    this.#boss = boss;
    this.#leaseSeconds = leaseSeconds;
  }

  /** Makes or renews the tables of pg-boss. @throws JobsError */
  static async open(database: Database, options: QueueOptions): Promise<Queue> {
    const { isWorker, leaseSeconds, onProblem } = options;
    const { PgBoss } = await loadPackage("pg-boss", () => import("pg-boss"));
    const boss = await makeOnce(async () => {
      const one = newBoss(PgBoss, database, isWorker);
      one.on("error", (error) => onProblem?.(error.message));
      await one.start();
      return one;
    });
    const queue = new Queue(boss, leaseSeconds);
    await queue.#create(DEAD, null);
    await queue.#create(SCHEDULED, null);
    return queue;
  }

  /** Makes the queue of a line where it is not there yet. */
  async ensure(name: string): Promise<void> {
    if (this.#known.has(name)) return;
    await this.#create(name, DEAD);
    this.#known.add(name);
  }

  async #create(name: string, deadLetter: string | null): Promise<void> {
    if ((await this.#boss.getQueue(name)) !== null) return;
    await this.#boss.createQueue(name, {
      ...(deadLetter !== null && { deadLetter }),
      heartbeatSeconds: this.#leaseSeconds,
      expireInSeconds: Math.ceil(LONGEST_ATTEMPT_MS / 1_000) + 60,
      retentionSeconds: YEAR_SECONDS,
      deleteAfterSeconds: KEPT_SECONDS,
    });
  }

  /** @returns their ids, in order */
  async send(sql: Sql, queue: string, deliveries: readonly Delivery[]): Promise<readonly string[]> {
    const jobs = deliveries.map((delivery) => ({
      id: randomUUID(),
      data: { job: delivery.jobId },
      priority: delivery.priority,
      ...(delivery.startAfter !== null && { startAfter: delivery.startAfter }),
      ...(delivery.group !== null && {
        group: {
          id: delivery.group,
          ...(delivery.parallel !== null && { tier: String(delivery.parallel) }),
        },
      }),
      retryLimit: Math.max(0, delivery.attemptsLeft - 1),
      retryDelay: delivery.retryDelay,
      retryBackoff: true,
      retryDelayMax: LONGEST_RETRY_DELAY_SECONDS,
      heartbeatSeconds: this.#leaseSeconds,
    }));
    await this.#boss.insert(queue, jobs, { db: dbOf(sql) });
    return jobs.map(({ id }) => id);
  }

  /** The next delivery of a queue, for this worker alone; null where there is none to take. */
  async take(sql: Sql, queue: string): Promise<Taken | null> {
    await sql.query("SELECT pg_advisory_xact_lock($1)", [FETCH_LOCK]);
    const [job] = await this.#boss.fetch<{ job: string }>(queue, {
      groupConcurrency: { default: NO_LIMIT, tiers: TIERS },
      db: dbOf(sql),
    });
    return job === undefined ? null : this.#taken(queue, job, job.data.job);
  }

  /** Says that the worker is alive. @returns false where the delivery is no longer its own */
  async touch(sql: Sql, taken: Taken): Promise<boolean> {
    return isAffected(await this.#boss.touch(taken.queue, attemptOf(taken), { db: dbOf(sql) }));
  }

  /** The delivery is done, also where the job failed. @returns false where it is no longer the worker's own */
  async finish(sql: Sql, taken: Taken): Promise<boolean> {
    return isAffected(
      await this.#boss.complete(taken.queue, attemptOf(taken), null, { db: dbOf(sql) }),
    );
  }

  /**
   * The attempt has failed.
   * @returns when the next one may begin; null: there is none any more; false: it is no longer the worker's own
   */
  async fail(sql: Sql, taken: Taken): Promise<Date | null | false> {
    const db = dbOf(sql);
    if (!isAffected(await this.#boss.fail(taken.queue, attemptOf(taken), null, { db })))
      return false;
    const [job] = await this.#boss.findJobs(taken.queue, { id: taken.id, db });
    return job?.state === "retry" ? job.startAfter : null;
  }

  /** Takes a delivery out that its worker gives back. @returns false where it is no longer the worker's own */
  async remove(sql: Sql, taken: Taken): Promise<boolean> {
    return isAffected(await this.#boss.deleteJob(taken.queue, attemptOf(taken), { db: dbOf(sql) }));
  }

  /** Takes deliveries out that no worker has. */
  async removeAll(sql: Sql, queue: string, ids: readonly string[]): Promise<void> {
    await this.#boss.deleteJob(queue, [...ids], { db: dbOf(sql) });
  }

  /** A delivery whose workers were lost in every attempt. @returns with the id that it had, as `of` */
  async takeDead(sql: Sql): Promise<{ readonly taken: Taken; readonly of: string | null } | null> {
    const [job] = await this.#boss.fetch<{ job: string }>(DEAD, {
      includeMetadata: true,
      db: dbOf(sql),
    });
    if (job === undefined) return null;
    return { taken: this.#taken(DEAD, job, job.data.job), of: job.sourceId };
  }

  /** A time of a schedule that has come. @returns its name as `jobId` */
  async takeScheduled(sql: Sql): Promise<Taken | null> {
    const [job] = await this.#boss.fetch<{ schedule: string }>(SCHEDULED, { db: dbOf(sql) });
    return job === undefined ? null : this.#taken(SCHEDULED, job, job.data.schedule);
  }

  #taken(queue: string, job: Fetched, jobId: string): Taken {
    const { id, retryCount, heartbeatSeconds } = job;
    return { queue, id, retryCount, jobId, leaseSeconds: heartbeatSeconds ?? this.#leaseSeconds };
  }

  /** @throws Error for an expression or a time zone that is none */
  async schedule(sql: Sql, name: string, cron: string, tz: string): Promise<void> {
    await this.#boss.schedule(
      SCHEDULED,
      cron,
      { schedule: name },
      { key: name, tz, missed: "once", retryLimit: 10, retryDelay: 5, db: dbOf(sql) },
    );
  }

  async unschedule(sql: Sql, name: string): Promise<void> {
    await this.#boss.unschedule(SCHEDULED, name, { db: dbOf(sql) });
  }

  /** The next times of an expression. @throws Error for one that is none */
  nextTimes(cron: string, tz: string, count: number): readonly Date[] {
    return this.#boss.previewSchedule(cron, { tz, count, from: new Date() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#boss.stop({ graceful: false, close: false });
  }
}

function newBoss(PgBoss: BossClass, database: Database, isWorker: boolean): Boss {
  return new PgBoss({
    db: dbOf(database),
    schema: SCHEMA,
    supervise: isWorker,
    schedule: isWorker,
    superviseIntervalSeconds: WATCH_SECONDS,
    monitorIntervalSeconds: WATCH_SECONDS,
    registerInstance: false,
    openTelemetry: { enabled: false },
  });
}

/** How often lost workers and times that have come are looked for. */
const WATCH_SECONDS = 5;

const attemptOf = ({ id, retryCount }: Taken): { id: string; retryCount: number } => ({
  id,
  retryCount,
});

/** Its type does not say so; its documentation does. */
function isAffected(response: unknown): boolean {
  return ((response as { affected?: number }).affected ?? 0) > 0;
}

const dbOf = (sql: Sql) => ({
  executeSql: async (text: string, values: unknown[] = []) => ({
    // A text of several statements, as pg-boss makes its tables with, has no values.
    rows: [...(await sql.query(text, values))],
  }),
});
