/** `chorale jobs show ID`. */
import type { Job } from "../../jobs/index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { visibleText } from "../terminal-text.ts";
import { jobJson, localTime, progressText } from "./job-text.ts";
import { type DatabaseArguments, withJobs } from "./open.ts";

/** @throws JobsError where there is no such job, or several */
export async function showCommand(
  args: DatabaseArguments & { readonly id: string; readonly json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  return await withJobs(args, context, async (jobs) => {
    const job = await jobs.get(args.id);
    if (args.json) output.jsonLine(jobJson(job));
    else show(job, output);
    return EXIT.ok;
  });
}

function show(job: Job, output: Output): void {
  output.line(output.paint(visibleText(job.title), "1"));
  for (const [name, value] of facts(job)) {
    if (value !== null && value !== "")
      output.line(visibleText(`${name.padEnd(NAME_WIDTH)}${value}`));
  }
  const { result, error } = job;
  if (error !== null) {
    const code = error.code === undefined ? "" : ` (${error.code})`;
    output.line(output.paint(visibleText(`\n${error.message}${code}`), "31"));
  }
  const said = result?.output ?? result?.partialOutput;
  if (said != null) output.line(`\n${visibleText(said.trimEnd())}`);
}

const NAME_WIDTH = 12;

function facts(job: Job): readonly (readonly [string, string | null])[] {
  const time = (iso: string | null): string | null => (iso === null ? null : localTime(iso));
  const isLater = job.state === "queued" && new Date(job.startAfter) > new Date();
  return [
    ["id", job.id],
    ["state", job.state],
    ["progress", progressText(job)],
    ["tags", job.tags.join(", ")],
    ["priority", job.priority === 0 ? null : String(job.priority)],
    ["key", job.key],
    ["batch", job.parent],
    ["schedule", job.schedule],
    ["attempt", job.attempt <= 1 ? null : `${job.attempt} of ${job.attempts}`],
    ["submitted", time(job.createdAt)],
    ["begins", isLater ? time(job.startAfter) : null],
    ["started", time(job.startedAt)],
    ["ended", time(job.endedAt)],
    ["worker", job.worker],
    ["heard", job.state === "active" ? time(job.heartbeatAt) : null],
    ["thread", job.threadId],
    ...job.artifacts.map(({ name, url }) => ["artifact", `${name}  ${url}`] as const),
  ];
}
