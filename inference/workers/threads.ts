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
import { createControl, requestCancel, type TeamControl } from "../wasm/team.ts";
import type {
  CheckpointFailure,
  FromWorker,
  Outcome,
  Report,
  SessionMessage,
  Work,
  WorkerInit,
} from "./messages.ts";

export type RunOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly onReport?: ((report: Report) => void) | undefined;
};

type Running = {
  readonly command: number;
  readonly onReport: ((report: Report) => void) | undefined;
  /** Whether it was cancelled from here. */
  readonly cancelled: () => boolean;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
};

/**
 * The worker threads of one engine, as the main thread sees them. They compute one command at a
 * time; further ones wait their turn. The main thread never waits in a blocking way.
 */
export class Threads {
  readonly #workers: readonly Worker[];
  readonly #paging: PagingCells;
  readonly #onClosed: (() => void) | undefined;
  readonly #control: TeamControl;
  readonly #starting: PromiseWithResolvers<void> = Promise.withResolvers();
  #ready = 0;
  #commands = 0;
  #running: Running | undefined;
  /** Settles when the last queued command has ended, well or not. */
  #queue: Promise<unknown> = Promise.resolve();
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
    onClosed: (() => void) | undefined,
  ) {
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
   * @param onClosed called when none of them runs any more
   * @throws EngineFailedError when one does not start
   */
  static async start(
    init: Omit<WorkerInit, "control" | "paging" | "index">,
    onClosed?: () => void,
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
    const threads = new Threads(workers, control, paging, onClosed);
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
    for (const worker of this.#workers) worker.postMessage(message);
  }

  /**
   * Runs a command when those before it have ended.
   * @param work or what makes it when its turn comes; null: nothing is left to do
   * @returns "cancelled" when the signal was aborted; what was reported until then has been done
   * @throws EngineFailedError when a worker died or the engine was closed
   * @throws CheckpointError when a file that the work reads is not what it must be
   */
  run(work: Work | (() => Work | null), options: RunOptions = {}): Promise<Outcome> {
    const turn = this.#queue.then(() => this.#start(work, options));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** Cancels what runs and ends the workers. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#running !== undefined) requestCancel(this.#control, this.#running.command);
    await this.#queue;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#onClosed?.();
  }

  async #start(wanted: Work | (() => Work | null), options: RunOptions): Promise<Outcome> {
    const { signal, onReport } = options;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw closedError();
    if (signal?.aborted) return "cancelled";
    const work = typeof wanted === "function" ? wanted() : wanted;
    if (work === null) return "finished";
    const command = ++this.#commands;
    const cancel = (): void => requestCancel(this.#control, command);
    signal?.addEventListener("abort", cancel, { once: true });
    const [leader] = this.#workers;
    leader?.ref();
    try {
      const outcome = await new Promise<Outcome>((resolve, reject) => {
        const cancelled = (): boolean => this.#closed || signal?.aborted === true;
        this.#running = { command, onReport, cancelled, resolve, reject };
        for (const worker of this.#workers) worker.postMessage({ ...work, command });
      });
      if (outcome === "cancelled" && !signal?.aborted) throw closedError();
      return outcome;
    } finally {
      this.#running = undefined;
      leader?.unref();
      signal?.removeEventListener("abort", cancel);
    }
  }

  #receive(message: FromWorker): void {
    const running = this.#running;
    if (message.type === "ready") {
      if (++this.#ready === this.#workers.length) this.#starting.resolve();
      return;
    }
    if (message.command !== running?.command) return;
    if (message.type === "reports") {
      for (const report of message.reports) running.onReport?.(report);
    } else if (message.type === "failed") running.reject(checkpointError(message.failure));
    // Not cancelled from here: a thread has found a broken file, and its `failed` message is on its way.
    else if (message.outcome === "cancelled" && !running.cancelled()) return;
    else running.resolve(message.outcome);
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
    this.#running?.reject(this.#failure);
  }
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
