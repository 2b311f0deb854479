/** What is submitted, checked before anything is written: it is run much later, and elsewhere. */
import { createHash } from "node:crypto";
import { UsageError } from "../errors.ts";
import { jsonOf } from "./database.ts";
import type { BatchSubmission, JobPlacement, JobSpec } from "./job.ts";

/** How a job waits, with everything decided. */
export type Placement = {
  readonly priority: number;
  readonly startAfter: Date | null;
  readonly key: string | null;
  readonly tags: readonly string[];
  readonly parallel: number | null;
  readonly attempts: number;
  readonly retryDelay: number;
  readonly timeoutMs: number | null;
};

/** More than a database row should hold; a document belongs into a folder that the model searches. */
const MAX_SPEC_BYTES = 16 * 1024 * 1024;
const MAX_BATCH = 100_000;
const MAX_TAGS = 16;
/** A name that is also one of a queue. */
const TAG = /^[A-Za-z0-9][\w.-]{0,31}$/;
const MAX_KEY = 200;
/** pg-boss ends an attempt after 24 hours. */
export const LONGEST_ATTEMPT_MS: number = 24 * 3_600_000 - 60_000;
const LONGEST_PRIORITY = 1_000_000;
const MAX_TITLE = 80;

/** @throws UsageError with the name of the option */
export function checkPlacement(given: JobPlacement): Placement {
  const { tags = [], key, startAfter, parallel, timeoutMs } = given;
  if (tags.length > MAX_TAGS) {
    throw refused("tags", `${tags.length} tags`, `at most ${MAX_TAGS}`);
  }
  for (const tag of tags) {
    if (typeof tag !== "string" || !TAG.test(tag)) {
      throw refused(
        "tags",
        JSON.stringify(tag),
        "names of 1 to 32 letters, digits, dots, dashes and underscores",
      );
    }
  }
  const isLine = key === undefined || [...key].every((character) => character >= " ");
  if (key !== undefined && (key.trim() === "" || key.length > MAX_KEY || !isLine)) {
    throw refused("key", shortly(key), `a line of 1 to ${MAX_KEY} characters`);
  }
  if (startAfter !== undefined && Number.isNaN(startAfter.getTime())) {
    throw refused("startAfter", "no time", "a date");
  }
  return {
    priority: whole("priority", given.priority ?? 0, -LONGEST_PRIORITY, LONGEST_PRIORITY),
    startAfter: startAfter ?? null,
    key: key ?? null,
    tags: [...new Set(tags)],
    parallel: parallel === undefined ? null : whole("parallel", parallel, 1, MAX_PARALLEL),
    attempts: whole("attempts", given.attempts ?? 5, 1, 100),
    retryDelay: whole("retryDelaySeconds", given.retryDelaySeconds ?? 5, 1, 3_600),
    timeoutMs:
      timeoutMs === undefined ? null : whole("timeoutMs", timeoutMs, 1, LONGEST_ATTEMPT_MS),
  };
}

export const MAX_PARALLEL = 256;

/** The spec with its known fields alone. @throws UsageError */
export function checkSpec(given: JobSpec): JobSpec {
  const { prompt, messages, untrusted, settings, output } = given;
  if (prompt === undefined && (messages === undefined || messages.length === 0)) {
    throw new UsageError("The job has no prompt and no messages; give one of them.", {
      option: "prompt",
    });
  }
  if (prompt !== undefined && messages !== undefined) {
    throw new UsageError("The job has a prompt and messages; give one of them.", {
      option: "prompt",
    });
  }
  if (prompt !== undefined && (typeof prompt !== "string" || prompt.trim() === "")) {
    throw new UsageError("The prompt of the job is empty; give a question.", { option: "prompt" });
  }
  const spec: JobSpec = {
    ...(prompt !== undefined && { prompt }),
    ...(messages !== undefined && { messages }),
    ...(untrusted !== undefined && untrusted.length > 0 && { untrusted }),
    ...(settings !== undefined && Object.keys(settings).length > 0 && { settings }),
    ...(output !== undefined && { output }),
  };
  const json = jsonOf(spec);
  const bytes = Buffer.byteLength(json);
  if (bytes > MAX_SPEC_BYTES) {
    throw new UsageError(
      `The job has ${bytes} bytes as JSON; accepted: at most ${MAX_SPEC_BYTES}. Give the model a folder of ` +
        "documents instead.",
    );
  }
  // As the database gives it back.
  return JSON.parse(json) as JobSpec;
}

/** @throws UsageError */
export function checkBatch({ jobs }: BatchSubmission): readonly JobSpec[] {
  if (jobs.length === 0 || jobs.length > MAX_BATCH) {
    throw new UsageError(`The batch has ${jobs.length} jobs; accepted: 1 to ${MAX_BATCH}.`, {
      option: "jobs",
    });
  }
  return jobs.map(checkSpec);
}

/** Of equal submissions it is equal. */
export function hashOf(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex")
    .slice(0, 32);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, sorted(one)]),
  );
}

/** The beginning of the question, on one line. */
export function titleOf({ prompt, messages }: JobSpec): string {
  const last = messages?.findLast(({ role }) => role === "user");
  const said = prompt ?? (typeof last?.content === "string" ? last.content : "");
  const line = said
    .slice(0, 4 * MAX_TITLE)
    .replace(/\s+/g, " ")
    .trim();
  return line.length > MAX_TITLE ? `${line.slice(0, MAX_TITLE - 1)}…` : line;
}

function whole(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw refused(option, String(value), `a whole number from ${least} to ${most}`);
}

const shortly = (text: string): string => JSON.stringify(text.slice(0, 60));

function refused(option: string, found: string, accepted: string): UsageError {
  return new UsageError(`${option} is ${found}; accepted: ${accepted}.`, { option });
}
