/** A worker: takes jobs, runs them, says that it is alive, and gives back what it cannot end. */
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { codeOf, messageOf } from "../errors.ts";
import type { ThreadStore } from "../index.ts";
import {
  buryLost,
  type Claim,
  claimJob,
  endJob,
  giveBack,
  heartbeat,
  retryLater,
  submitScheduled,
} from "./claims.ts";
import type { Database } from "./database.ts";
import { inputOfJob } from "./input.ts";
import type { JobSummary } from "./job.ts";
import { type Queue, queueOf } from "./queue.ts";
import { type Attempt, type OpenPlace, RunningJob } from "./run-job.ts";
import { CHANNEL } from "./submit.ts";

/** What a worker tells. */
export type WorkerEvent =
  | { readonly type: "job.started"; readonly job: JobSummary }
  | {
      readonly type: "job.ended";
      readonly job: JobSummary;
      readonly state: "completed" | "failed" | "cancelled";
      readonly error: string | null;
    }
  /** It is tried again at this time. */
  | {
      readonly type: "job.retried";
      readonly job: JobSummary;
      readonly at: Date;
      readonly error: string;
    }
  /** The worker stops, and another one goes on. */
  | { readonly type: "job.given_back"; readonly job: JobSummary }
  /** Another worker has it. */
  | { readonly type: "job.lost"; readonly job: JobSummary }
  /** The database cannot be reached; the worker waits for it. */
  | { readonly type: "problem"; readonly message: string };

export type WorkOptions = {
  /** Opens what a job is run with: a model, its tools, an agent. */
  readonly open: OpenPlace;
  /** Jobs at work at once. Default 1. */
  readonly concurrency?: number | undefined;
  /** Takes only jobs whose first tag is one of these. Default: all jobs. */
  readonly tags?: readonly string[] | undefined;
  /** Ends when there is nothing to do now. */
  readonly once?: boolean | undefined;
  /** Ends the worker: its jobs go back into the queue, and their attempts do not count. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: WorkerEvent) => void) | undefined;
};

type Parts = {
  readonly database: Database;
  readonly queue: Queue;
  /** The store for one hold of a thread. @param token grows whenever the thread changes hands */
  readonly threadsOf: (threadId: string, token: number) => Promise<ThreadStore>;
};

/** How often a worker that is idle looks by itself. */
const POLL_MS = 1_000;

export class Worker {
  readonly #parts: Parts;
  readonly #options: WorkOptions;
  readonly #name = `${hostname()}:${process.pid}`;
  readonly #running = new Map<string, RunningJob>();
  readonly #atWork = new Set<Promise<void>>();
  #woken = Promise.withResolvers<void>();
  /** A line that has just got a job. */
  #hint: string | null = null;
  #houseKeptAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts, options: WorkOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** Works until the signal, or with `once` until there is nothing to do. */
  async work(): Promise<void> {
    const { concurrency = 1, tags, once = false, signal } = this.#options;
    const { database } = this.#parts;
    const lines =
      tags === undefined || tags.length === 0 ? null : tags.map((tag) => queueOf([tag]));
    const listener = database.listen(CHANNEL, (payload) => this.#hear(payload));
    const stop = (): void => this.#wake();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      while (signal?.aborted !== true) {
        this.#woken = Promise.withResolvers();
        const wasIdle = this.#atWork.size === 0;
        const isIdle = await this.#fill(concurrency, lines);
        if (once && wasIdle && isIdle) break;
        const timer = setTimeout(() => this.#wake(), POLL_MS);
        await this.#woken.promise;
        clearTimeout(timer);
      }
    } finally {
      signal?.removeEventListener("abort", stop);
      await listener.close();
      for (const job of this.#running.values()) void job.giveBack();
      await Promise.all(this.#atWork);
    }
  }

  /** Takes jobs while there is room. @returns whether there was nothing left to take */
  async #fill(concurrency: number, lines: readonly string[] | null): Promise<boolean> {
    const { database, queue } = this.#parts;
    const { signal } = this.#options;
    const hint = this.#hint;
    this.#hint = null;
    const who = { worker: this.#name, lines, hint };
    try {
      await this.#keepHouse();
      let begun = 0;
      for (; this.#atWork.size < concurrency && signal?.aborted !== true; begun++) {
        const claim = await claimJob(database, queue, who);
        if (claim === null) break;
        this.#begin(claim);
      }
      return begun === 0;
    } catch (error) {
      if (codeOf(error) !== "CHORALE_JOBS_DATABASE") throw error;
      this.#tell({ type: "problem", message: messageOf(error) });
      return false;
    }
  }

  /** What does not hurry: jobs whose workers were lost in every attempt, and times of schedules that have come. */
  async #keepHouse(): Promise<void> {
    const now = performance.now();
    if (now - this.#houseKeptAt < POLL_MS) return;
    const { database, queue } = this.#parts;
    while (await buryLost(database, queue));
    while (await submitScheduled(database, queue));
    this.#houseKeptAt = now;
  }

  #begin(claim: Claim): void {
    const work = this.#workOn(claim).finally(() => {
      this.#atWork.delete(work);
      this.#wake();
    });
    this.#atWork.add(work);
  }

  async #workOn(claim: Claim): Promise<void> {
    const { job } = claim;
    const store = await this.#parts.threadsOf(job.threadId, claim.token).catch(() => null);
    // Another worker has it already, or the database is away: then the hold lapses by itself.
    if (store === null) return this.#tell({ type: "job.lost", job });
    const running = new RunningJob(claim, store);
    this.#running.set(job.id, running);
    if (this.#options.signal?.aborted) void running.giveBack();
    this.#tell({ type: "job.started", job });
    const ended = new AbortController();
    const alive = this.#stayAlive(running, ended.signal);
    const { open } = this.#options;
    const attempt = await running.run(open, (one) => inputOfJob(this.#parts.database, one));
    await this.#settle(claim, attempt);
    ended.abort();
    await alive;
    this.#running.delete(job.id);
  }

  /** Heartbeats, until the job is settled; where none gets through for as long as the lease is, it is given up. */
  async #stayAlive(running: RunningJob, ended: AbortSignal): Promise<void> {
    const { database, queue } = this.#parts;
    const leaseMs = running.claim.taken.leaseSeconds * 1_000;
    const lose = (): void => running.lose();
    // Also ends the wait for a database that does not answer.
    let silence = setTimeout(lose, leaseMs);
    while (!ended.aborted) {
      await wait(leaseMs / BEATS, undefined, { signal: ended }).catch(() => {});
      if (ended.aborted) break;
      const { claim, progress } = running;
      const wantsCancel = await heartbeat(database, queue, claim, progress).catch(() => undefined);
      if (wantsCancel === undefined) continue;
      clearTimeout(silence);
      if (wantsCancel === null) return lose();
      silence = setTimeout(lose, leaseMs);
      if (wantsCancel) running.cancel();
    }
    clearTimeout(silence);
  }

  /** Tries for as long as the job would wait for this worker. */
  async #settle(claim: Claim, attempt: Attempt): Promise<void> {
    const { job } = claim;
    const until = performance.now() + claim.taken.leaseSeconds * 1_000;
    for (;;) {
      try {
        return this.#tell(await this.#write(claim, attempt));
      } catch (error) {
        const isLost = codeOf(error) === "CHORALE_JOB_LOST" || performance.now() > until;
        if (isLost) return this.#tell({ type: "job.lost", job });
        this.#tell({ type: "problem", message: messageOf(error) });
        await wait(POLL_MS);
      }
    }
  }

  async #write(claim: Claim, attempt: Attempt): Promise<WorkerEvent> {
    const { database, queue } = this.#parts;
    const { job } = claim;
    switch (attempt.is) {
      case "ended": {
        const { ending } = attempt;
        await endJob(database, queue, claim, ending);
        const state = STATES[ending.event];
        return { type: "job.ended", job, state, error: ending.error?.message ?? null };
      }
      case "passing": {
        const at = await retryLater(database, queue, claim, attempt.error);
        return { type: "job.retried", job, at, error: attempt.error.message };
      }
      case "given back":
        await giveBack(database, queue, claim);
        return { type: "job.given_back", job };
      case "lost":
        return { type: "job.lost", job };
    }
  }

  #hear(payload: string): void {
    const [, id] = /^cancel:(.*)$/.exec(payload) ?? [];
    if (id !== undefined) {
      this.#running.get(id)?.cancel();
      return;
    }
    // With others at work there may be something more urgent in another line.
    this.#hint = this.#atWork.size === 0 && payload !== "" ? payload : null;
    this.#wake();
  }

  #wake(): void {
    this.#woken.resolve();
  }

  #tell(event: WorkerEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** Heartbeats in the time after which a worker counts as lost. */
const BEATS = 4;

const STATES = { complete: "completed", fail: "failed", cancel: "cancelled" } as const;
