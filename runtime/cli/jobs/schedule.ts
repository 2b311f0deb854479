/** `chorale jobs schedule add|list|rm`: jobs that are submitted at certain times. */
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { visibleText } from "../terminal-text.ts";
import { localTime } from "./job-text.ts";
import { type DatabaseArguments, withJobs } from "./open.ts";
import { type PlacementArguments, placementOf, type SpecArguments, specOf } from "./submit.ts";

export type AddArguments = DatabaseArguments &
  PlacementArguments &
  SpecArguments & {
    readonly name: string;
    readonly cron: string;
    readonly tz: string | undefined;
    readonly json: boolean;
  };

/** @throws UsageError, JobsError: nothing has changed */
export async function addCommand(args: AddArguments, context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  const { name, cron, tz = Intl.DateTimeFormat().resolvedOptions().timeZone } = args;
  const spec = await specOf(args, context);
  return await withJobs(args, context, async (jobs) => {
    const schedules = await jobs.schedules();
    const times = await schedules.add(name, { cron, tz, job: { ...placementOf(args), ...spec } });
    const next = times.map((time) => time.toISOString());
    if (args.json) output.jsonLine({ name, cron, tz, next });
    else output.line(`Scheduled ${name}; next: ${next.map(localTime).join(", ")}.`);
    return EXIT.ok;
  });
}

export async function listCommand(
  args: DatabaseArguments & { readonly json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  return await withJobs(args, context, async (jobs) => {
    const all = await (await jobs.schedules()).list();
    if (args.json) {
      output.jsonLine({
        schedules: all.map(({ name, cron, tz, title, nextAt }) => ({
          name,
          cron,
          tz,
          title,
          next_at: nextAt,
        })),
      });
      return EXIT.ok;
    }
    if (all.length === 0)
      output.note("There are no schedules; chorale jobs schedule add makes one.");
    for (const { name, cron, tz, title, nextAt } of all) {
      const next = nextAt === null ? "never" : localTime(nextAt);
      output.line(visibleText(`${name}  ${cron}  ${tz}  next ${next}  ${title.slice(0, 80)}`));
    }
    return EXIT.ok;
  });
}

export async function removeCommand(
  args: DatabaseArguments & { readonly name: string; readonly json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  return await withJobs(args, context, async (jobs) => {
    await (await jobs.schedules()).remove(args.name);
    if (args.json) output.jsonLine({ removed: args.name });
    else output.line(visibleText(`Removed ${args.name}.`));
    return EXIT.ok;
  });
}
