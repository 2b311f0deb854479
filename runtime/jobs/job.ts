/** What a job is: what it is submitted with, and what is known of it. */
import type { Annotation, DeniedCall, RunStatus, Timing, Usage } from "../events.ts";
import type { InputMessage, OutputOptions } from "../index.ts";
import type { Row } from "./database.ts";
import type { JobState } from "./states.ts";

/** What the answer must be, as data. */
export type JobOutput = Extract<
  OutputOptions,
  | { jsonSchema: unknown }
  | { xsd: unknown }
  | { choices: unknown }
  | { regex: unknown }
  | { grammar: unknown }
>;

/** What is asked: a prompt or messages. */
export type JobSpec = {
  readonly prompt?: string | undefined;
  /** A conversation, the last message of which is to be answered. */
  readonly messages?: readonly InputMessage[] | undefined;
  /** What of the prompt is not the user's own words, by name. */
  readonly untrusted?: readonly string[] | undefined;
  /** Model, tools, budgets and the rest, by the names that the configuration has for them: `{ "max-steps": 4 }`. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  readonly output?: JobOutput | undefined;
};

/** How a job waits and is tried. */
export type JobPlacement = {
  /** A job with a higher number goes first. Default 0. */
  readonly priority?: number | undefined;
  /** Not before this moment. */
  readonly startAfter?: Date | undefined;
  /** While a job with this key is kept, the same job is not made again. */
  readonly key?: string | undefined;
  /** The first one is the line in which the job waits: workers can take from some lines alone. */
  readonly tags?: readonly string[] | undefined;
  /** It begins only while fewer jobs than these of its line, or of its batch where it has no tag, are at work. 1 to 256. */
  readonly parallel?: number | undefined;
  /** How often it is tried where that can help. Default 5. */
  readonly attempts?: number | undefined;
  /** Before the second attempt; it doubles with each further one, up to an hour. Default 5. */
  readonly retryDelaySeconds?: number | undefined;
  /** Most milliseconds of one attempt. Default and at most: 24 hours less a minute. */
  readonly timeoutMs?: number | undefined;
};

export type JobSubmission = JobSpec & JobPlacement;

/** Many jobs and, when all have ended, one about their answers. */
export type BatchSubmission = JobPlacement & {
  readonly jobs: readonly JobSpec[];
  /** Gets the answers of the jobs as documents behind its prompt. Absent: the batch ends with its last job. */
  readonly reduce?: (JobSpec & { readonly prompt: string }) | undefined;
};

/** What a run came to, as its log has it. */
export type JobResult = {
  readonly status: RunStatus;
  readonly output: string | null;
  readonly annotations?: readonly Annotation[];
  /** Without an answer: what was said until then. */
  readonly partialOutput?: string;
  readonly deniedCall?: DeniedCall;
  readonly usage: Usage;
  readonly timing: Timing;
};

export type JobFailure = { readonly message: string; readonly code?: string };

/** Of a job: steps, calls and tokens so far. Of a batch: how many of its jobs have ended. */
export type JobProgress =
  | { readonly steps: number; readonly calls: number; readonly outputTokens: number }
  | { readonly done: number; readonly of: number };

export type JobArtifact = { readonly name: string; readonly url: string; readonly bytes: number };

/** A job in a listing. Times are ISO 8601, UTC. */
export type JobSummary = {
  readonly id: string;
  readonly state: JobState;
  /** The beginning of its prompt. */
  readonly title: string;
  readonly tags: readonly string[];
  readonly priority: number;
  readonly key: string | null;
  /** The batch that it is part of. */
  readonly parent: string | null;
  /** The schedule that made it. */
  readonly schedule: string | null;
  /** Attempts that were begun, and how many there may be. */
  readonly attempt: number;
  readonly attempts: number;
  readonly createdAt: string;
  readonly startAfter: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Who has it, or had it last: the machine and the process. */
  readonly worker: string | null;
  /** When its worker was heard last. */
  readonly heartbeatAt: string | null;
  readonly progress: JobProgress | null;
  readonly error: JobFailure | null;
};

export type Job = JobSummary & {
  readonly spec: JobSpec;
  readonly parallel: number | null;
  readonly timeoutMs: number | null;
  /** The conversation, in the store of the same database. */
  readonly threadId: string;
  readonly result: JobResult | null;
  readonly artifacts: readonly JobArtifact[];
};

export const SUMMARY_COLUMNS: string =
  "seq, id, state, title, tags, priority, key, parent, schedule, attempt, attempts, created_at, start_after, " +
  "started_at, ended_at, worker, heartbeat_at, progress, error, children, children_left";

export const JOB_COLUMNS: string = `${SUMMARY_COLUMNS}, spec, parallel, timeout_ms, thread_id, result, artifacts`;

const time = (value: unknown): string | null =>
  value instanceof Date ? value.toISOString() : null;

export function summaryOf(row: Row): JobSummary {
  const { children, children_left: left } = row;
  const isBatch = typeof children === "number" && typeof left === "number";
  return {
    id: String(row["id"]),
    state: row["state"] as JobState,
    title: String(row["title"]),
    tags: row["tags"] as string[],
    priority: Number(row["priority"]),
    key: row["key"] as string | null,
    parent: row["parent"] as string | null,
    schedule: row["schedule"] as string | null,
    attempt: Number(row["attempt"]),
    attempts: Number(row["attempts"]),
    createdAt: time(row["created_at"]) ?? "",
    startAfter: time(row["start_after"]) ?? "",
    startedAt: time(row["started_at"]),
    endedAt: time(row["ended_at"]),
    worker: row["worker"] as string | null,
    heartbeatAt: time(row["heartbeat_at"]),
    progress: isBatch
      ? { done: children - left, of: children }
      : (row["progress"] as JobProgress | null),
    error: row["error"] as JobFailure | null,
  };
}

export function jobOf(row: Row): Job {
  const { timeout_ms: timeout } = row;
  return {
    ...summaryOf(row),
    spec: row["spec"] as JobSpec,
    parallel: row["parallel"] as number | null,
    timeoutMs: timeout === null ? null : Number(timeout),
    threadId: String(row["thread_id"]),
    result: row["result"] as JobResult | null,
    artifacts: (row["artifacts"] as JobArtifact[] | null) ?? [],
  };
}
