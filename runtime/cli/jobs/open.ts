/** The jobs of the database that a command names. */
import { UsageError } from "../../errors.ts";
import { type Jobs, openJobs } from "../../jobs/index.ts";
import type { CommandContext } from "../command-context.ts";

export type DatabaseArguments = { readonly database: string | undefined };

/** @throws UsageError, JobsError; and what `work` throws */
export async function withJobs<T>(
  { database }: DatabaseArguments,
  { output }: CommandContext,
  work: (jobs: Jobs) => Promise<T>,
): Promise<T> {
  if (database === undefined) {
    throw new UsageError(
      "No database is named; give --database postgres://USER@HOST:PORT/DATABASE, set CHORALE_DATABASE, or put " +
        "database into the configuration.",
    );
  }
  await using jobs = await openJobs(database, {
    onProblem: (sentence) => output.note(`the queue: ${sentence}`),
  });
  return await work(jobs);
}
