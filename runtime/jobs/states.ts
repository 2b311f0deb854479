/** The life of a job, as a table: which state an event leads to, and from which states it may come. */

export type JobState =
  /** Waits for a worker, or for its time. */
  | "queued"
  | "active"
  /** The parent of a batch, whose children are at work. */
  | "waiting"
  | "completed"
  | "failed"
  | "cancelled";

export type JobEvent =
  /** A worker takes it. */
  | "claim"
  | "complete"
  | "fail"
  /** Back into the queue: the attempt failed and another may do better, or its worker stops. */
  | "requeue"
  | "cancel"
  /** The last child has ended, and a reduce step follows. */
  | "reduce"
  /** A person or a program wants another attempt. */
  | "retry"
  /** A child is tried again. */
  | "reopen";

const NEXT: Readonly<Record<JobState, Partial<Record<JobEvent, JobState>>>> = {
  // Also where a worker was lost: the queue has given the job to another one.
  queued: { claim: "active", fail: "failed", cancel: "cancelled", reopen: "waiting" },
  active: {
    claim: "active",
    complete: "completed",
    fail: "failed",
    requeue: "queued",
    cancel: "cancelled",
  },
  waiting: {
    complete: "completed",
    fail: "failed",
    cancel: "cancelled",
    reduce: "queued",
    reopen: "waiting",
  },
  completed: { reopen: "waiting" },
  failed: { retry: "queued", reopen: "waiting" },
  cancelled: { retry: "queued", reopen: "waiting" },
};

export const JOB_STATES: readonly JobState[] = Object.keys(NEXT) as JobState[];

/** States in which nothing more happens by itself. */
export const ENDED: readonly JobState[] = ["completed", "failed", "cancelled"];

/** The state behind an event; null where it cannot happen. */
export function nextState(state: JobState, event: JobEvent): JobState | null {
  return NEXT[state][event] ?? null;
}

/** The states in which an event can happen: the guard of its statement. */
export function statesBefore(event: JobEvent): readonly JobState[] {
  return JOB_STATES.filter((state) => NEXT[state][event] !== undefined);
}
