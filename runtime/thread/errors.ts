/** What goes wrong with a thread's log and its store. */
import { RunError } from "../errors.ts";
import type { LogRecord } from "./entry.ts";
import type { ThreadState } from "./state.ts";
import type { ThreadSummary } from "./summary.ts";

/** A log that breaks its own rules, or is written in a newer version. */
export class ThreadLogError extends RunError {
  readonly threadId: string;
  constructor(threadId: string, problem: string) {
    super(
      "CHORALE_THREAD_LOG",
      `The log of thread ${threadId || "(unnamed)"} is invalid: ${problem}.`,
    );
    this.threadId = threadId;
  }
}

/** An entry that cannot follow what the log holds already. */
export function misplaced(
  { threadId, length }: Pick<ThreadState, "threadId" | "length">,
  { type }: Pick<LogRecord, "type">,
  why: string,
): ThreadLogError {
  return new ThreadLogError(threadId, `entry ${length} cannot be of type ${type}: ${why}`);
}

/** Another run has written to the thread meanwhile. */
export class ThreadConflictError extends RunError {
  readonly threadId: string;
  constructor(threadId: string, seq: number) {
    super(
      "CHORALE_THREAD_CONFLICT",
      `Entry ${seq} of thread ${threadId} exists already: another run writes to this thread. Wait for ` +
        "it to end, or fork the thread.",
    );
    this.threadId = threadId;
  }
}

/** Another holder has the thread now: what this one does is not to be kept. */
export class ThreadFencedError extends RunError {
  readonly threadId: string;
  constructor(threadId: string, token: number) {
    super(
      "CHORALE_THREAD_FENCED",
      `Nothing is written to thread ${threadId} for its holder ${token}: another one has taken it over and goes on ` +
        "with it. Stop this run.",
    );
    this.threadId = threadId;
  }
}

/** There is no such thread in the store. */
export class ThreadNotFoundError extends RunError {
  readonly threadId: string;
  constructor(threadId: string) {
    super("CHORALE_THREAD_NOT_FOUND", `There is no thread ${threadId} in this store.`);
    this.threadId = threadId;
  }
}

/** More than one thread begins with what was given. */
export class AmbiguousThreadError extends RunError {
  readonly threads: readonly ThreadSummary[];
  constructor(prefix: string, threads: readonly ThreadSummary[]) {
    const shown = threads.slice(0, MAX_NAMED).map(({ threadId, title }) => {
      return title === null ? threadId : `${threadId} (${title})`;
    });
    const rest = threads.length - shown.length;
    super(
      "CHORALE_THREAD_AMBIGUOUS",
      `${threads.length} threads begin with ${prefix}: ${shown.join(", ")}` +
        `${rest > 0 ? ` and ${rest} more` : ""}. Give more of the id.`,
    );
    this.threads = threads;
  }
}

/** What is imported is no conversation in the form that it is said to have. */
export class ThreadImportError extends RunError {
  constructor(message: string, cause?: unknown) {
    super("CHORALE_THREAD_IMPORT", message, { cause });
  }
}

/** What is exported cannot be said in the form that is asked for. */
export class ThreadExportError extends RunError {
  constructor(message: string, cause?: unknown) {
    super("CHORALE_THREAD_EXPORT", message, { cause });
  }
}

/** Threads that an error names. */
const MAX_NAMED = 5;

/** The store cannot be opened, read or written. */
export class ThreadStoreError extends RunError {
  constructor(doing: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super("CHORALE_THREAD_STORE", `Cannot ${doing}: ${reason}.`, { cause });
  }
}
