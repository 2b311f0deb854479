/** Durable jobs on Postgres: submitted here, run by workers anywhere, continued by another one when a worker is lost. */
import { setTimeout as wait } from "node:timers/promises";
import { codeOf, messageOf, UsageError } from "../errors.ts";
import type { RunEvent } from "../events.ts";
import { type LogEntry, PostgresThreadStore, type ThreadStore } from "../index.ts";
import { turnsOfLog } from "../tracing/index.ts";
import { cancelJob, type PurgeQuery, purgeJobs, type RetryOptions, retryJob } from "./changes.ts";
import { Database } from "./database.ts";
import { isDatabaseAway } from "./errors.ts";
import type { BatchSubmission, Job, JobSubmission } from "./job.ts";
import { countJobs, getJob, type JobPage, type JobQuery, listJobs } from "./listing.ts";
import { Queue } from "./queue.ts";
import { type JobSchedules, Schedules } from "./schedules.ts";
import { prepareTables } from "./schema.ts";
import type { JobState } from "./states.ts";
import { insertJobs, type NewJobs, newBatch, newJob, type Submitted } from "./submit.ts";
import { Worker, type WorkOptions } from "./worker.ts";

export type JobsOptions = {
  /**
   * Of jobs that are submitted: how long a worker may be silent before another one takes the job, in seconds. Default
   * 30, at least 10.
   */
  readonly leaseSeconds?: number | undefined;
  /** Gets sentences about what the queue could not do and tries again. */
  readonly onProblem?: ((sentence: string) => void) | undefined;
  /** Waits for a database that cannot be reached yet, instead of throwing. Other failures are thrown at once. */
  readonly waitForDatabase?:
    | {
        /** Ends the waiting; `openJobs` throws its reason. */
        readonly signal?: AbortSignal | undefined;
        /** Gets a sentence on why the database cannot be reached, whenever that is another one. */
        readonly onWait?: ((sentence: string) => void) | undefined;
      }
    | undefined;
};

/** Between two attempts to reach a database that is waited for. */
const AGAIN_MS = 1_000;
const LEASE_SECONDS = 30;
const LEAST_LEASE_SECONDS = 10;
const LONGEST_LEASE_SECONDS = 3_600;

/**
 * Opens the jobs of a database, and makes their tables where they are not there yet.
 * @param url postgres://USER@HOST:PORT/DATABASE; a password that it lacks comes from PGPASSWORD or ~/.pgpass
 * @throws JobsError where the database cannot be reached, or `pg` or `pg-boss` is not installed; UsageError; the reason
 *   of the signal of `waitForDatabase`
 */
export function openJobs(url: string, options: JobsOptions = {}): Promise<Jobs> {
  return Jobs.open(url, options);
}

/** @throws UsageError */
function checkLease(seconds: number): void {
  const [least, most] = [LEAST_LEASE_SECONDS, LONGEST_LEASE_SECONDS];
  if (Number.isInteger(seconds) && seconds >= least && seconds <= most) return;
  throw new UsageError(
    `leaseSeconds is ${seconds}; accepted: a whole number from ${least} to ${most}.`,
    { option: "leaseSeconds" },
  );
}

/** @throws JobsError for all but a database that is waited for; the signal's reason */
async function prepareWhenThere(database: Database, options: JobsOptions): Promise<void> {
  const { waitForDatabase } = options;
  let told = "";
  for (;;) {
    try {
      return await prepareTables(database);
    } catch (error) {
      if (waitForDatabase === undefined || !isDatabaseAway(error)) throw error;
      const { signal, onWait } = waitForDatabase;
      signal?.throwIfAborted();
      const sentence = messageOf(error);
      if (sentence !== told) onWait?.(sentence);
      told = sentence;
      await wait(AGAIN_MS, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

export class Jobs implements AsyncDisposable {
  readonly #url: string;
  readonly #database: Database;
  readonly #leaseSeconds: number;
  readonly #onProblem: ((sentence: string) => void) | undefined;
  readonly #closing = new AsyncDisposableStack();
  #queue: Promise<Queue> | undefined;
  #threads: Promise<PostgresThreadStore> | undefined;

  private constructor(
    url: string,
    database: Database,
    { leaseSeconds = LEASE_SECONDS, onProblem }: JobsOptions,
  ) {
    this.#url = url;
    this.#database = this.#closing.use(database);
    this.#leaseSeconds = leaseSeconds;
    this.#onProblem = onProblem;
  }

  /** As `openJobs`. */
  static async open(url: string, options: JobsOptions = {}): Promise<Jobs> {
    checkLease(options.leaseSeconds ?? LEASE_SECONDS);
    const database = await Database.open(url);
    try {
      await prepareWhenThere(database, options);
      return new Jobs(url, database, options);
    } catch (error) {
      await database[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The database, without user and password. */
  get name(): string {
    return this.#database.name;
  }

  /**
   * @returns its id; with a key that a job has already, the id of that one
   * @throws UsageError; JobsError for a key of another job
   */
  submit(job: JobSubmission): Promise<Submitted> {
    return this.#insert(newJob(job));
  }

  /** All jobs of a batch, or none. @returns the id of the batch @throws as `submit` */
  submitBatch(batch: BatchSubmission): Promise<Submitted> {
    return this.#insert(newBatch(batch));
  }

  async #insert(jobs: NewJobs): Promise<Submitted> {
    const queue = await this.#openQueue();
    await queue.ensure(jobs.queue);
    return await this.#database.transaction((sql) => insertJobs(sql, queue, jobs));
  }

  /** A page of jobs, the newest first. */
  list(query: JobQuery = {}): Promise<JobPage> {
    return listJobs(this.#database, query);
  }

  /** How many jobs there are in each state. */
  counts(): Promise<Readonly<Partial<Record<JobState, number>>>> {
    return countJobs(this.#database);
  }

  /** @param id its beginning is enough @throws JobsError where there is no such job, or several */
  get(id: string): Promise<Job> {
    return getJob(this.#database, id);
  }

  /** The log of a job's conversation from an entry on. */
  async log(id: string, fromSeq = 0): Promise<readonly LogEntry[]> {
    const { threadId } = await this.get(id);
    return await (await this.#openThreads()).read(threadId, fromSeq);
  }

  /** What happened so far, as the events of a run; the turns of its conversation in order. */
  async events(id: string): Promise<readonly RunEvent[]> {
    return turnsOfLog(await this.log(id)).flatMap(({ events }) => events);
  }

  /**
   * A job that waits is cancelled at once; the worker of one that is at work ends it within seconds. A batch is
   * cancelled with its jobs.
   * @returns its state; `active` where the worker has yet to end it
   */
  async cancel(id: string): Promise<JobState> {
    return await cancelJob(this.#database, await this.#openQueue(), id);
  }

  /**
   * Another attempt at a job that failed or was cancelled; of a batch, at each job without an answer.
   * @returns the ids of what is tried again
   * @throws JobsError for a job in another state
   */
  async retry(id: string, options?: RetryOptions): Promise<readonly string[]> {
    const queue = await this.#openQueue();
    return await retryJob(this.#database, queue, await this.#openThreads(), id, options);
  }

  /**
   * Removes jobs that have ended, with their conversations and the files that they made.
   * @param env  has the keys of the storage of files, if there is one; see `openArtifacts`
   * @returns how many
   * @throws JobsError, UsageError; a job whose files cannot be removed stays
   */
  async purge(query: PurgeQuery, env: NodeJS.ProcessEnv = process.env): Promise<number> {
    return await purgeJobs(this.#database, await this.#openThreads(), env, query);
  }

  /** Jobs that are made at certain times. */
  async schedules(): Promise<JobSchedules> {
    return new Schedules(this.#database, await this.#openQueue());
  }

  /** Works on jobs until the signal is aborted, or with `once` until there is nothing to do. */
  async work(options: WorkOptions): Promise<void> {
    const { concurrency = 1 } = options;
    await using database = await Database.open(this.#url, CONNECTIONS + concurrency);
    const threads = await untilReached(options, () => this.#openThreads());
    await using queue = await untilReached(options, () => this.#newQueue(database, true));
    const threadsOf = async (threadId: string, token: number): Promise<ThreadStore> => {
      const held = threads.fenced(token);
      await held.claim(threadId);
      return held;
    };
    await new Worker({ database, queue, threadsOf }, options).work();
  }

  async close(): Promise<void> {
    await this.#closing.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #newQueue(database: Database, isWorker: boolean): Promise<Queue> {
    const onProblem = this.#onProblem;
    return Queue.open(database, { leaseSeconds: this.#leaseSeconds, isWorker, onProblem });
  }

  #openQueue(): Promise<Queue> {
    this.#queue ??= this.#newQueue(this.#database, false)
      .then((queue) => this.#closing.use(queue))
      .catch((error: unknown) => {
        // The database may be back at the next call.
        this.#queue = undefined;
        throw error;
      });
    return this.#queue;
  }

  #openThreads(): Promise<PostgresThreadStore> {
    this.#threads ??= PostgresThreadStore.open(this.#url)
      .then((store) => this.#closing.use(store))
      .catch((error: unknown) => {
        this.#threads = undefined;
        throw error;
      });
    return this.#threads;
  }
}

/** Tries again while the database cannot be reached, as a worker does later on; up to a bound, since it may be refused. */
async function untilReached<T>(
  { signal, onEvent }: WorkOptions,
  open: () => Promise<T>,
): Promise<T> {
  const until = performance.now() + REACH_MS;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      const code = codeOf(error) ?? "";
      const mayPass = code === "CHORALE_JOBS_DATABASE" || code === "CHORALE_THREAD_STORE";
      if (!mayPass || signal?.aborted === true || performance.now() > until) throw error;
      onEvent?.({ type: "problem", message: messageOf(error) });
      await wait(PAUSE_MS);
    }
  }
}

const REACH_MS = 60_000;
const PAUSE_MS = 1_000;

/** Of a worker, beside those of its jobs. */
const CONNECTIONS = 4;
