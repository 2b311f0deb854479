/** `chorale jobs list`. */
import { UsageError } from "../../errors.ts";
import { JOB_STATES, type JobState, type JobSummary } from "../../jobs/index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { visibleText } from "../terminal-text.ts";
import { localTime, progressText, summaryJson } from "./job-text.ts";
import { type DatabaseArguments, withJobs } from "./open.ts";

export type ListArguments = DatabaseArguments & {
  readonly state: readonly string[] | undefined;
  readonly tag: readonly string[];
  readonly parent: string | undefined;
  /** Milliseconds. */
  readonly since: number | undefined;
  readonly after: string | undefined;
  readonly limit: number | undefined;
  readonly json: boolean;
};

const DEFAULT_LIMIT = 20;

/** @throws UsageError, JobsError */
export async function listCommand(args: ListArguments, context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  const states = args.state === undefined ? undefined : statesOf(args.state, JOB_STATES);
  return await withJobs(args, context, async (jobs) => {
    const { tag, parent, since, after, limit = DEFAULT_LIMIT } = args;
    const page = await jobs.list({
      states,
      tags: tag,
      parent,
      since: since === undefined ? undefined : new Date(Date.now() - since),
      after,
      limit,
    });
    if (args.json) {
      output.jsonLine({ jobs: page.jobs.map(summaryJson), next: page.next });
      return EXIT.ok;
    }
    if (page.jobs.length === 0) output.note("No job is like that; chorale jobs submit makes one.");
    for (const line of table(page.jobs, output)) output.line(line);
    if (page.next !== null) output.note(`there are older ones; --after ${page.next} goes on`);
    return EXIT.ok;
  });
}

/** @throws UsageError for a word that is no state */
export function statesOf(
  words: readonly string[],
  accepted: readonly JobState[],
): readonly JobState[] {
  return words.map((word) => {
    const state = accepted.find((one) => one === word);
    if (state !== undefined) return state;
    throw new UsageError(`--state is ${JSON.stringify(word)}; accepted: ${accepted.join(", ")}.`);
  });
}

const COLORS: Readonly<Record<JobState, string>> = {
  queued: "2",
  active: "36",
  waiting: "36",
  completed: "32",
  failed: "31",
  cancelled: "33",
};

/** Digits of an id that people are shown: enough that two of millions are seldom alike. */
const SHOWN_ID = "job_".length + 12;

function table(jobs: readonly JobSummary[], output: Output): readonly string[] {
  const width = (texts: readonly string[]): number =>
    Math.max(0, ...texts.map((text) => text.length));
  const states = width(jobs.map(({ state }) => state));
  const progress = width(jobs.map(progressText));
  return jobs.map((job) => {
    const state = output.paint(job.state.padEnd(states), COLORS[job.state]);
    const tags = job.tags.length === 0 ? "" : ` [${job.tags.join(", ")}]`;
    const again = job.attempt > 1 ? ` (attempt ${job.attempt} of ${job.attempts})` : "";
    const rest = `${progressText(job).padEnd(progress)}  ${job.title}${tags}${again}`;
    return `${job.id.slice(0, SHOWN_ID)}  ${localTime(job.createdAt)}  ${state}  ${visibleText(rest)}`;
  });
}
