/** The jobs of the database that a command names. */
import { setTimeout as wait } from "node:timers/promises";
import { messageOf, UsageError } from "../../errors.ts";
import { isDatabaseAway, type Jobs, type JobsOptions, openJobs } from "../../jobs/index.ts";
import type { CommandContext } from "../command-context.ts";

export type DatabaseArguments = { readonly database: string | undefined };

/** Between two attempts to reach a database. */
const AGAIN_MS = 1_000;

/**
 * @param waits  for a database that cannot be reached, as a worker does that begins before its database
 * @throws UsageError, JobsError; and what `work` throws
 */
export async function withJobs<T>(
  { database }: DatabaseArguments,
  context: CommandContext,
  work: (jobs: Jobs) => Promise<T>,
  { waits = false }: { readonly waits?: boolean } = {},
): Promise<T> {
  if (database === undefined) {
    throw new UsageError(
      "No database is named; give --database postgres://USER@HOST:PORT/DATABASE, set CHORALE_DATABASE, or put " +
        "database into the configuration.",
    );
  }
  const options: JobsOptions = {
    onProblem: (sentence) => context.output.note(`the queue: ${sentence}`),
  };
  await using jobs = await (waits ? openWhenThere : openJobs)(database, options, context);
  return await work(jobs);
}

/** @throws JobsError for all but a database that is away; the signal's reason */
async function openWhenThere(
  database: string,
  options: JobsOptions,
  { output, signal }: CommandContext,
): Promise<Jobs> {
  let told = "";
  for (;;) {
    try {
      return await openJobs(database, options);
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      if (messageOf(error) !== told) output.note(`${messageOf(error)} Waiting for it; Ctrl-C ends`);
      told = messageOf(error);
      await wait(AGAIN_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
