/** `chorale jobs worker`. */
import type { Jobs, WorkerEvent } from "../../jobs/index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { AgentArguments, ModelArguments } from "../flags.ts";
import type { Output } from "../output.ts";
import { type DatabaseArguments, withJobs } from "./open.ts";
import { JobPlaces } from "./places.ts";

export type WorkerArguments = DatabaseArguments & {
  readonly agent: AgentArguments;
  readonly model: ModelArguments;
  readonly concurrency: number | undefined;
  readonly tag: readonly string[];
  readonly once: boolean;
  readonly json: boolean;
};

/** A call that is at work may end, and the jobs are given back. */
const CLOSING_MS = 15_000;

/** @throws UsageError, JobsError; the signal's reason, behind the jobs that were given back */
export async function workerCommand(
  args: WorkerArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, signal, takeTime } = context;
  const { concurrency = 1 } = args;
  takeTime(CLOSING_MS);
  await using places = new JobPlaces({ ...args.agent, ...args.model }, context, concurrency);
  const work = async (jobs: Jobs): Promise<void> => {
    if (!args.json) output.note(`working on the jobs of ${jobs.name}; Ctrl-C ends it`);
    await jobs.work({
      open: (job) => places.open(job),
      concurrency,
      tags: args.tag,
      once: args.once,
      signal,
      onEvent: (event) => (args.json ? output.jsonLine(eventJson(event)) : tell(event, output)),
    });
  };
  await withJobs(args, context, work, { waits: !args.once });
  if (signal.aborted) throw signal.reason;
  return EXIT.ok;
}

function eventJson(event: WorkerEvent): object {
  if (event.type === "problem") return event;
  const { type, job, ...others } = event;
  return { type, id: job.id, title: job.title, attempt: job.attempt, ...others };
}

function tell(event: WorkerEvent, output: Output): void {
  output.note(event.type === "problem" ? event.message : sentenceOf(event));
}

function sentenceOf(event: Exclude<WorkerEvent, { type: "problem" }>): string {
  const { id, title, attempt, attempts } = event.job;
  const name = `${id} (${title})`;
  switch (event.type) {
    case "job.started":
      return `begun: ${name}${attempt > 1 ? `, attempt ${attempt} of ${attempts}` : ""}`;
    case "job.ended":
      return `${event.state}: ${name}${event.error === null ? "" : `: ${event.error}`}`;
    case "job.retried":
      return `again at ${event.at.toISOString()}: ${name}: ${event.error}`;
    case "job.given_back":
      return `given back: ${name}`;
    case "job.lost":
      return `no longer this worker's: ${name}`;
  }
}
