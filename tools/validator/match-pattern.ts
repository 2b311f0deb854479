/** A regular expression against texts, where either may be made to take for ever. */
import { runInWorker, TaskEndedError } from "../core/worker-pool.ts";

export type PatternCheck = { readonly pattern: string; readonly texts: readonly string[] };

const TASK = new URL("./match-task.ts", import.meta.url);
const LIMIT_MS = 1_000;

/**
 * Holds texts against a pattern, in a thread under a deadline of one second.
 *
 * @param pattern of ECMAScript, with the flag `u`
 * @returns which of the texts have a match; null when the deadline has passed
 * @throws SyntaxError for a pattern that is none
 */
export async function matchPattern(
  pattern: string,
  texts: readonly string[],
): Promise<readonly boolean[] | null> {
  try {
    return await runInWorker<PatternCheck, readonly boolean[]>(TASK, { pattern, texts }, LIMIT_MS);
  } catch (error) {
    if (error instanceof TaskEndedError) return null;
    throw error;
  }
}
