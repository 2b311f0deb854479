/** The jobs of the database that a command names. */
import { UsageError } from "../../errors.ts";
import { type Jobs, openJobs } from "../../jobs/index.ts";
import type { CommandContext } from "../command-context.ts";

export type DatabaseArguments = { readonly database: string | undefined };

/**
 * @param waits  for a database that cannot be reached, as a worker does that begins before its database
 * @throws UsageError, JobsError; the signal's reason; and what `work` throws
 */
export async function withJobs<T>(
  { database }: DatabaseArguments,
  { output, signal }: CommandContext,
  work: (jobs: Jobs) => Promise<T>,
  { waits = false }: { readonly waits?: boolean } = {},
): Promise<T> {
  if (database === undefined) {
    throw new UsageError(
      "No database is named; give --database postgres://USER@HOST:PORT/DATABASE, set CHORALE_DATABASE, or put " +
        "database into the configuration.",
    );
  }
  await using jobs = await openJobs(database, {
    onProblem: (sentence) => output.note(`the queue: ${sentence}`),
    waitForDatabase: waits
      ? { signal, onWait: (sentence) => output.note(`${sentence} Waiting for it; Ctrl-C ends`) }
      : undefined,
  });
  return await work(jobs);
}
