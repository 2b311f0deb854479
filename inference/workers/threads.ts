import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { CheckpointError, EngineFailedError } from "../errors.ts";
import {
  createPagingCells,
  type PagingCells,
  type PagingStats,
  readPagingStats,
} from "../model/expert-pager.ts";
import {
  announceMessage,
  clearPause,
  createControl,
  requestCancel,
  requestPause,
  type TeamControl,
} from "../wasm/team.ts";
import type {
  CheckpointFailure,
  FromWorker,
  Outcome,
  Report,
  SessionMessage,
  ToWorker,
  Work,
  WorkerInit,
} from "./messages.ts";

/**
 * Which commands may interrupt which: a prefill is interrupted by commands of a higher priority, and goes on
 * behind each of them. 1: a prompt that is short enough to be read in between. 2: decoding.
 */
export type Priority = 0 | 1 | 2;

export type RunOptions = {
  /** Default 0. */
  readonly priority?: Priority | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onReport?: ((report: Report) => void) | undefined;
};

/** By priority of a command: milliseconds that a prefill runs before that may interrupt it again. */
const UNINTERRUPTED_MS = [0, 400, 115] as const;
/** A command runs at least as long between two interruptions. */
const LEAST_RUN_MS = 30;
/** And before a prompt, as long as this part of what the last interruption took: prompts that keep coming do not stop it. */
const KEPT_PART = 1 / 4;

export type StartOptions = {
  /** Called when no thread runs any more. */
  readonly onClosed?: (() => void) | undefined;
  /** For tests: most milliseconds that a prefill runs before it may be interrupted. */
  readonly uninterruptedMs?: number | undefined;
};

type Waiting = {
  readonly work: Work | (() => Work | null);
  readonly options: RunOptions;
  readonly priority: Priority;
  /** When it was asked for. */
  readonly since: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
};

/** A command that was begun and has not ended. */
type Open = Waiting & {
  readonly command: number;
  readonly depth: number;
  /** Of priorities that may interrupt it, the least. */
  readonly interruptedBy: number;
  readonly beganAt: number;
  /** When it began, or went on. */
  resumedAt: number;
  isPaused: boolean;
  /** Since it was paused, another command has run. */
  hasGivenWay: boolean;
  /** Milliseconds that the last command took that interrupted it. */
  gaveMs: number;
  readonly stopListening: () => void;
  hasFailed: boolean;
  hasEnded: boolean;
};

/**
 * The worker threads of one engine, as the main thread sees them. They compute one command at a
 * time; further ones wait their turn, but those of a higher priority interrupt a prefill, which a long
 * prompt makes last for many seconds. The main thread never waits in a blocking way.
 */
export class Threads {
  readonly #workers: readonly Worker[];
  readonly #paging: PagingCells;
  readonly #onClosed: (() => void) | undefined;
  readonly #control: TeamControl;
  readonly #starting: PromiseWithResolvers<void> = Promise.withResolvers();
  #ready = 0;
  #commands = 0;
  readonly #waiting: Waiting[] = [];
  /** The last one runs, or is paused; those before it are paused. */
  readonly #open: Open[] = [];
  /** By priority, as `UNINTERRUPTED_MS`. */
  readonly #uninterruptedMs: readonly number[];
  /** Whether activations are there for commands that interrupt others. */
  readonly #interrupts: boolean;
  /** Will ask the running command to pause. */
  #pauseTimer: NodeJS.Timeout | undefined;
  #idle: PromiseWithResolvers<void> | undefined;
  #failure: EngineFailedError | undefined;
  #closed = false;

  /** What paging has cost up to now. */
  get pagingStats(): PagingStats {
    return readPagingStats(this.#paging);
  }

  private constructor(
    workers: readonly Worker[],
    control: TeamControl,
    paging: PagingCells,
    interrupts: boolean,
    { onClosed, uninterruptedMs }: StartOptions,
  ) {
    this.#interrupts = interrupts;
    this.#uninterruptedMs = UNINTERRUPTED_MS.map((ms) => Math.min(ms, uninterruptedMs ?? ms));
    this.#paging = paging;
    this.#workers = workers;
    this.#onClosed = onClosed;
    this.#control = control;
    for (const [index, worker] of workers.entries()) {
      worker.on("error", (cause) => this.#fail(`worker thread ${index} died`, cause));
      worker.on("exit", (code) => this.#fail(`worker thread ${index} ended with code ${code}`));
      worker.on("message", (message: FromWorker) => this.#receive(message));
    }
  }

  /**
   * Starts `plan.threads` workers; resolves when all of them are ready.
   * @throws EngineFailedError when one does not start
   */
  static async start(
    init: Omit<WorkerInit, "control" | "paging" | "index">,
    options: StartOptions = {},
  ): Promise<Threads> {
    const control = createControl(init.plan.threads);
    const paging = createPagingCells();
    const entry = new URL("./worker.ts", import.meta.url);
    // What this thread has compiled before, the workers need not compile again.
    const compiled = getCompileCacheDir();
    const env = {
      ...process.env,
      ...(compiled !== undefined && { NODE_COMPILE_CACHE: dirname(compiled) }),
    };
    const workers = Array.from({ length: init.plan.threads }, (_, index) => {
      const workerData: WorkerInit = { ...init, control, paging, index };
      return new Worker(entry, { workerData, env, name: `chorale-engine-${index}` });
    });
    const interrupts = init.plan.interrupting.length > 0;
    const threads = new Threads(workers, control, paging, interrupts, options);
    try {
      await threads.#starting.promise;
    } catch (error) {
      await threads.close();
      throw error;
    }
    // An idle engine does not keep the process alive; a running command does.
    for (const worker of workers) worker.unref();
    return threads;
  }

  /** Tells all workers about a session, in order with the commands. */
  post(message: SessionMessage): void {
    if (this.#closed || this.#failure !== undefined) return;
    this.#send(message);
  }

  /**
   * Runs a command when its turn comes: in the order of calls, but for priorities.
   * @param work or what makes it when its turn comes; null: nothing is left to do
   * @returns "cancelled" when the signal was aborted; what was reported until then has been done
   * @throws EngineFailedError when a worker died or the engine was closed
   * @throws CheckpointError when a file that the work reads is not what it must be
   */
  run(work: Work | (() => Work | null), options: RunOptions = {}): Promise<Outcome> {
    const { signal, priority = 0 } = options;
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const since = performance.now();
    const waiting: Waiting = { work, options, priority, since, resolve, reject };
    this.#waiting.push(waiting);
    const leave = (): void => {
      const index = this.#waiting.indexOf(waiting);
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      resolve("cancelled");
    };
    signal?.addEventListener("abort", leave, { once: true });
    // Sessions are told of in the order of calls; so are commands of one turn of the event loop.
    queueMicrotask(() => this.#schedule());
    return promise.finally(() => signal?.removeEventListener("abort", leave));
  }

  /** Cancels what runs and ends the workers. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { command, depth } of this.#open) requestCancel(this.#control, command, depth);
    this.#schedule();
    await this.#idle?.promise;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#onClosed?.();
  }

  /** Begins, interrupts and goes on with commands, as far as anything is to do now. */
  #schedule(): void {
    clearTimeout(this.#pauseTimer);
    for (;;) {
      const problem = this.#failure ?? (this.#closed ? closedError() : undefined);
      if (problem !== undefined) for (const { reject } of this.#waiting.splice(0)) reject(problem);
      const top = this.#open.at(-1);
      if (top?.isPaused === false) {
        this.#planPause(top);
        return;
      }
      const next = top?.hasGivenWay ? undefined : this.#takeAbove(top);
      if (next !== undefined) {
        this.#begin(next, top);
      } else if (top !== undefined) {
        top.isPaused = false;
        top.resumedAt = performance.now();
        this.#send({ type: "resume" });
      } else {
        this.#idle?.resolve();
        this.#idle = undefined;
        return;
      }
    }
  }

  /** The next one that may begin while `top` is paused, or while nothing is open. */
  #takeAbove(top: Open | undefined): Waiting | undefined {
    const index = this.#waiting.findIndex(({ priority }) => mayInterrupt(priority, top));
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }

  #begin(waiting: Waiting, below: Open | undefined): void {
    const { options, priority, resolve, reject } = waiting;
    const { signal } = options;
    if (signal?.aborted) {
      resolve("cancelled");
      return;
    }
    let work: Work | null;
    try {
      work = typeof waiting.work === "function" ? waiting.work() : waiting.work;
    } catch (error) {
      reject(error as Error);
      return;
    }
    if (work === null) {
      resolve("finished");
      return;
    }
    const command = ++this.#commands;
    const depth = this.#open.length;
    const cancel = (): void => requestCancel(this.#control, command, depth);
    signal?.addEventListener("abort", cancel, { once: true });
    // A prefill that interrupts nothing has the activations of the most columns.
    const isMain = !this.#interrupts || (below === undefined && work.type === "prefill");
    const scratch = isMain ? 0 : priority;
    const isInterruptible = this.#interrupts && work.type === "prefill";
    const now = performance.now();
    if (below !== undefined) below.hasGivenWay = true;
    this.#idle ??= Promise.withResolvers();
    this.#workers[0]?.ref();
    this.#open.push({
      ...waiting,
      command,
      depth,
      interruptedBy: isInterruptible ? priority + 1 : Number.POSITIVE_INFINITY,
      beganAt: now,
      resumedAt: now,
      isPaused: false,
      hasGivenWay: false,
      gaveMs: 0,
      stopListening: () => signal?.removeEventListener("abort", cancel),
      hasFailed: false,
      hasEnded: false,
    });
    this.#send({ ...work, command, depth, scratch });
  }

  /** Has the running command interrupted as soon as one that waits may do so. */
  #planPause(top: Open): void {
    const times = this.#waiting
      .filter(({ priority }) => mayInterrupt(priority, top))
      .map(({ priority, since }) => {
        const least = this.#uninterruptedMs[priority]!;
        if (priority === 1) return top.resumedAt + Math.max(least, top.gaveMs * KEPT_PART);
        // Decoding may have waited for the command before this one already.
        return Math.max(since + least, top.resumedAt + Math.min(least, LEAST_RUN_MS));
      });
    if (times.length === 0) return;
    const ms = Math.min(...times) - performance.now();
    const pause = (): void => requestPause(this.#control, top.command);
    this.#pauseTimer = setTimeout(pause, Math.max(0, ms));
  }

  #end(open: Open): void {
    this.#open.splice(this.#open.indexOf(open), 1);
    open.stopListening();
    const below = this.#open.at(-1);
    if (below !== undefined) below.gaveMs = performance.now() - open.beganAt;
    else this.#workers[0]?.unref();
    this.#schedule();
  }

  /** Posts a message to all workers, also to those that wait for one in the middle of a command. */
  #send(message: ToWorker): void {
    for (const worker of this.#workers) worker.postMessage(message);
    announceMessage(this.#control);
  }

  #receive(message: FromWorker): void {
    if (message.type === "ready") {
      if (++this.#ready === this.#workers.length) this.#starting.resolve();
      return;
    }
    const open = this.#open.find(({ command }) => command === message.command);
    if (open === undefined) return;
    if (message.type === "reports") {
      for (const report of message.reports) open.options.onReport?.(report);
    } else if (message.type === "paused") {
      clearPause(this.#control);
      open.isPaused = true;
      open.hasGivenWay = false;
      this.#schedule();
    } else if (message.type === "failed") {
      open.hasFailed = true;
      open.reject(checkpointError(message.failure));
      if (open.hasEnded) this.#end(open);
    } else {
      open.hasEnded = true;
      const isCancelled = this.#closed || open.options.signal?.aborted === true;
      // Else a thread has found a broken file, and its `failed` message is on its way.
      if (message.outcome === "finished" || isCancelled || open.hasFailed) {
        this.#settle(open, message.outcome);
        this.#end(open);
      }
    }
  }

  #settle(open: Open, outcome: Outcome): void {
    const isAborted = open.options.signal?.aborted === true;
    if (outcome === "cancelled" && !isAborted) open.reject(closedError());
    else open.resolve(outcome);
  }

  /** The other workers may wait at a barrier for the one that died: all are ended. */
  #fail(what: string, cause?: unknown): void {
    if (this.#closed || this.#failure !== undefined) return;
    const reason = cause === undefined ? "" : `: ${messageOf(cause)}`;
    this.#failure = new EngineFailedError(
      `The engine stopped: ${what}${reason}. Open the model again.`,
      { cause },
    );
    for (const worker of this.#workers) void worker.terminate();
    this.#starting.reject(this.#failure);
    for (const open of this.#open.splice(0)) {
      open.stopListening();
      open.reject(this.#failure);
    }
    this.#schedule();
  }
}

function mayInterrupt(priority: Priority, top: Open | undefined): boolean {
  return top === undefined || priority >= top.interruptedBy;
}

function closedError(): EngineFailedError {
  return new EngineFailedError("Cannot compute: the engine was closed.");
}

function checkpointError({ path, problem, item }: CheckpointFailure): CheckpointError {
  return new CheckpointError(path, problem, item);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
