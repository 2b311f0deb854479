/** Failures of the jobs' own. What a run comes to is in the job; see `JobFailure`. */
import { isConnectionLost } from "../postgres/errors.ts";

/** What kind of failure it is. */
export type JobsErrorCode =
  /** `pg` or `pg-boss` is not installed. */
  | "CHORALE_JOBS_PACKAGE"
  /** The database cannot be reached, or does not do what it is asked for. */
  | "CHORALE_JOBS_DATABASE"
  | "CHORALE_JOB_NOT_FOUND"
  /** Several jobs have an id that begins so. */
  | "CHORALE_JOB_AMBIGUOUS"
  /** The job is in a state in which this cannot be done. */
  | "CHORALE_JOB_STATE"
  /** Another job was submitted with this key. */
  | "CHORALE_JOB_KEY"
  /** Files of a job cannot be kept or removed. */
  | "CHORALE_JOB_ARTIFACTS"
  /** Another worker has the job, or it was cancelled or removed. */
  | "CHORALE_JOB_LOST";

export class JobsError extends Error {
  readonly code: JobsErrorCode;

  constructor(code: JobsErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }

  override get name(): string {
    return this.constructor.name;
  }
}

/** Whether a database could not be reached, or asks to try again: a moment later it may be there. */
export function isDatabaseAway(error: unknown): boolean {
  return error instanceof JobsError && isConnectionLost(error.cause);
}
