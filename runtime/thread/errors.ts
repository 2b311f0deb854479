/** What goes wrong with a thread's log and its store. */
import { RunError } from "../errors.ts";

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

/** There is no such thread in the store. */
export class ThreadNotFoundError extends RunError {
  readonly threadId: string;
  constructor(threadId: string) {
    super("CHORALE_THREAD_NOT_FOUND", `There is no thread ${threadId} in this store.`);
    this.threadId = threadId;
  }
}

/** The store cannot be opened, read or written. */
export class ThreadStoreError extends RunError {
  constructor(doing: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super("CHORALE_THREAD_STORE", `Cannot ${doing}: ${reason}.`, { cause });
  }
}
