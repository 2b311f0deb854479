/** `chorale jobs cancel|retry|purge`. */
import { UsageError } from "../../errors.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { statesOf } from "./list.ts";
import { type DatabaseArguments, withJobs } from "./open.ts";

type Named = DatabaseArguments & { readonly ids: readonly string[]; readonly json: boolean };

/** @throws JobsError where there is no such job; those before it are cancelled */
export async function cancelCommand(args: Named, context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  return await withJobs(args, context, async (jobs) => {
    for (const given of args.ids) {
      const { id } = await jobs.get(given);
      const state = await jobs.cancel(id);
      if (args.json) output.jsonLine({ id, state });
      else if (state === "cancelled") output.line(`Cancelled ${id}.`);
      else if (state === "active") output.line(`${id} is at work; its worker ends it.`);
      else output.line(`${id} had ended before: ${state}.`);
    }
    return EXIT.ok;
  });
}

/** @throws JobsError where there is no such job, or it has not failed; those before it are tried again */
export async function retryCommand(
  args: Named & { readonly fromStart: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  return await withJobs(args, context, async (jobs) => {
    for (const given of args.ids) {
      const ids = await jobs.retry(given, { fromStart: args.fromStart });
      if (args.json) output.jsonLine({ retried: ids });
      else for (const id of ids) output.line(`${id} is tried again.`);
    }
    return EXIT.ok;
  });
}

const ENDED = ["completed", "failed", "cancelled"] as const;

/** @throws UsageError, JobsError */
export async function purgeCommand(
  args: DatabaseArguments & {
    readonly olderThan: string | undefined;
    readonly state: readonly string[] | undefined;
    readonly json: boolean;
  },
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  const states = args.state === undefined ? undefined : statesOf(args.state, ENDED);
  const before = new Date(Date.now() - ageOf(args.olderThan ?? "30d"));
  return await withJobs(args, context, async (jobs) => {
    const removed = await jobs.purge({ before, states }, context.env);
    if (args.json) output.jsonLine({ removed });
    else output.line(`Removed ${removed} job${removed === 1 ? "" : "s"}.`);
    return EXIT.ok;
  });
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Longer than a duration of other flags may be. @returns milliseconds @throws UsageError */
function ageOf(text: string): number {
  const [, amount, unit = ""] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  const ms = Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
  if (!Number.isNaN(ms)) return ms;
  throw new UsageError(
    `--older-than is ${JSON.stringify(text)}; accepted: a time like 12h, 30d or 8w.`,
  );
}
