/** Whether another attempt at a job can do better than one that failed. */
import { codeOf } from "../errors.ts";

/**
 * The engine is gone, or the place where the log is kept. Everything else comes again: an answer that does not pass its
 * schema, a budget that is used up, a call that a rule forbids, a tool or a model that is not there.
 */
const PASSING: ReadonlySet<string> = new Set([
  "CHORALE_ENGINE_UNREACHABLE",
  "CHORALE_ENGINE_FAILED",
  "CHORALE_MODEL",
  "CHORALE_THREAD_STORE",
  "CHORALE_JOBS_DATABASE",
]);

/** @param failure an error, or its code as a log has it */
export function isWorthRetry(failure: unknown): boolean {
  const code = typeof failure === "string" ? failure : codeOf(failure);
  return code !== undefined && PASSING.has(code);
}
