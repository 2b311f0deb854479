/**
 * One pool of threads for work that may take very long: holding texts against patterns, converting
 * documents. Each task has a deadline; a task that passes it costs only the thread that it ran in, and the
 * tasks of others go on in the other threads meanwhile.
 *
 * Threads start when there is work, stay for a while, and keep no program from ending.
 */
import { availableParallelism } from "node:os";
import type { Piscina } from "piscina";

/** The default export of a task's module: what the thread calls with the task's input. */
export type TaskHandler<Input, Output> = (input: Input) => Output | Promise<Output>;

/** What goes to a thread (see `worker-entry.ts`). */
export type WorkerTask = {
  /** URL of the module. */
  readonly module: string;
  readonly input: unknown;
  /** One number in shared memory: when the handler was called, as `nowMs` gives it; 0 before. */
  readonly startedAt: Float64Array;
};

/** A task did not come to an end: it took too long, or its thread died. */
export class TaskEndedError extends Error {
  override readonly name = "TaskEndedError";
}

/** Two at least, so that one endless task delays no other; memory bounds the number above. */
const THREADS = Math.min(4, Math.max(2, availableParallelism()));
/** Of JavaScript objects in a thread. */
const HEAP_MB = 512;
/** A thread without work stays as long: its libraries took longer to load than most tasks take. */
const IDLE_MS = 30_000;
/** Starting a thread and loading a task's module, on a machine that is busy. */
const START_LIMIT_MS = 60_000;

let pool: Promise<Piscina> | undefined;
let free = THREADS;
/** Tasks that wait for a thread, in the order they came. */
const waiting: (() => void)[] = [];

/**
 * Calls the handler of a module in a thread.
 *
 * @param module   URL of a module whose default export is a `TaskHandler`
 * @param input    copied to the thread; shared memory in it is shared
 * @param limitMs  counted from the call of the handler: waiting for a thread, and loading the module, do
 *   not count
 * @throws TaskEndedError when the time is over or the thread died; what the handler throws, as an error
 *   with its message
 */
export async function runInWorker<Input, Output>(
  module: URL,
  input: Input,
  limitMs: number,
): Promise<Output> {
  await takeThread();
  try {
    pool ??= startPool();
    return (await runWithin(await pool, module, input, limitMs)) as Output;
  } finally {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
}

/**
 * Piscina has a queue of its own, but tasks in it are forgotten when the threads that they wait for are
 * ended. So no more tasks are handed to it than there may be threads.
 */
async function takeThread(): Promise<void> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => waiting.push(resolve));
}

async function startPool(): Promise<Piscina> {
  const { Piscina } = await import("piscina");
  const started = new Piscina({
    filename: new URL("./worker-entry.ts", import.meta.url).href,
    minThreads: 0,
    maxThreads: THREADS,
    idleTimeout: IDLE_MS,
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  // Emitted when a thread dies without a task; unheard, it would end the program.
  started.on("error", () => undefined);
  return started;
}

async function runWithin(
  threads: Piscina,
  module: URL,
  input: unknown,
  limitMs: number,
): Promise<unknown> {
  const startedAt = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
  const task: WorkerTask = { module: module.href, input, startedAt };
  const submittedAt = nowMs();
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let ending: string | undefined;
  const watch = (): void => {
    const [started = 0] = startedAt;
    const [from, limit] = started === 0 ? [submittedAt, START_LIMIT_MS] : [started, limitMs];
    const left = from + limit - nowMs();
    if (left > 0) {
      // Before it has started the handler may begin at any time.
      timer = setTimeout(watch, started === 0 ? Math.min(left, limitMs) : left);
      return;
    }
    ending =
      started === 0
        ? "no thread could be started for it"
        : `it took longer than ${limitMs / 1000} s`;
    abort.abort();
  };
  watch();
  try {
    return await threads.run(task, { signal: abort.signal });
  } catch (error) {
    if (ending !== undefined) throw new TaskEndedError(ending);
    if (isThreadError(error)) throw new TaskEndedError(error.message, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Node's and Piscina's errors about a thread, as against those of a handler. */
function isThreadError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return code.startsWith("ERR_WORKER_") || /^worker exited|^Terminating worker/.test(error.message);
}

/** Milliseconds of a clock that is the same in all threads. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
