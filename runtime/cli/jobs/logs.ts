/** `chorale jobs logs ID`: what happens in a job, as events or as a person reads it. */
import { setTimeout as wait } from "node:timers/promises";
import type { RunEvent } from "../../events.ts";
import type { Jobs } from "../../jobs/index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { watchRun } from "../watch.ts";
import { type DatabaseArguments, withJobs } from "./open.ts";

export type LogsArguments = DatabaseArguments & {
  readonly id: string;
  /** Until the job has ended. */
  readonly follow: boolean;
  readonly json: boolean;
};

/** How often it is looked for something new. */
const LOOK_MS = 500;

/** @throws JobsError where there is no such job; the signal's reason */
export async function logsCommand(args: LogsArguments, context: CommandContext): Promise<ExitCode> {
  const { output, signal } = context;
  return await withJobs(args, context, async (jobs) => {
    const watch = watchRun(output, { holdAnswer: false, pythonStart: () => null });
    for await (const event of eventsOf(jobs, args, signal)) {
      if (args.json) output.jsonLine(event);
      else await watch(event);
    }
    return EXIT.ok;
  });
}

/** Each event once: they are a function of the log, which only grows. */
async function* eventsOf(
  jobs: Jobs,
  { id, follow }: LogsArguments,
  signal: AbortSignal,
): AsyncGenerator<RunEvent, void, void> {
  let told = 0;
  let thread: string | null = null;
  for (;;) {
    const { state, threadId } = await jobs.get(id);
    // Another attempt may have begun a new conversation.
    if (thread !== threadId) told = 0;
    thread = threadId;
    const events = await jobs.events(id);
    for (const event of events.slice(told)) yield event;
    told = Math.max(told, events.length);
    const isOver = state === "completed" || state === "failed" || state === "cancelled";
    if (!follow || isOver) return;
    await wait(LOOK_MS, undefined, { signal }).catch(() => {
      throw signal.reason;
    });
  }
}
