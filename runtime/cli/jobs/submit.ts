/** `chorale jobs submit`: a job, or a batch of them, into the database. */
import { readFileOrPipe } from "../../../tools/index.ts";
import { messageOf, UsageError } from "../../errors.ts";
import type { BatchSubmission, JobPlacement, JobSpec, Submitted } from "../../jobs/index.ts";
import { type BatchPrompt, batchItems } from "../batch/batch-input.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { AgentArguments, ModelArguments } from "../flags.ts";
import { outputNotes, readOutput } from "../read-output.ts";
import { readStdin } from "../read-prompt.ts";
import { readQuestion } from "../read-question.ts";
import { settingsOf } from "./job-settings.ts";
import { type DatabaseArguments, withJobs } from "./open.ts";

export type PlacementArguments = {
  readonly tag: readonly string[];
  readonly priority: number | undefined;
  readonly parallel: number | undefined;
  readonly attempts: number | undefined;
  /** Milliseconds. */
  readonly retryDelay: number | undefined;
  readonly timeout: number | undefined;
};

export type SpecArguments = {
  readonly agent: AgentArguments;
  readonly model: ModelArguments;
  readonly prompt: string | undefined;
  readonly attach: readonly string[];
};

export type SubmitArguments = DatabaseArguments &
  PlacementArguments &
  SpecArguments & {
    readonly batch: string | undefined;
    readonly reduce: string | undefined;
    readonly delay: number | undefined;
    readonly at: string | undefined;
    readonly key: string | undefined;
    readonly json: boolean;
  };

/** @throws UsageError, SchemaError, JobsError: nothing was submitted */
export async function submitCommand(
  args: SubmitArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  const startAfter = startOf(args);
  const placement: JobPlacement = {
    ...placementOf(args),
    ...(args.key !== undefined && { key: args.key }),
    ...(startAfter !== undefined && { startAfter }),
  };
  const batch = args.batch === undefined ? null : await batchOf(args, args.batch, context);
  if (batch === null && args.reduce !== undefined) {
    throw new UsageError("--reduce needs --batch with the jobs that come before it.");
  }
  const spec = batch === null ? await specOf(args, context) : null;
  return await withJobs(args, context, async (jobs) => {
    const made: Submitted =
      spec === null
        ? await jobs.submitBatch({ ...placement, ...(batch as Pick<BatchSubmission, "jobs">) })
        : await jobs.submit({ ...placement, ...spec });
    if (made.isKnown) output.note("a job with this key is there already");
    if (args.json) {
      const { id, isKnown } = made;
      output.jsonLine({
        id,
        is_known: isKnown,
        ...(batch !== null && { jobs: batch.jobs.length }),
      });
    } else output.line(made.id);
    return EXIT.ok;
  });
}

export function placementOf(args: PlacementArguments): JobPlacement {
  const { tag, priority, parallel, attempts, retryDelay, timeout } = args;
  return {
    tags: tag,
    priority,
    parallel,
    attempts,
    ...(retryDelay !== undefined && { retryDelaySeconds: Math.ceil(retryDelay / 1_000) }),
    timeoutMs: timeout,
  };
}

/** @throws UsageError */
function startOf({ delay, at }: Pick<SubmitArguments, "delay" | "at">): Date | undefined {
  if (delay !== undefined) return new Date(Date.now() + delay);
  if (at === undefined) return undefined;
  const moment = new Date(at);
  const isDate = /^\d{4}-\d\d-\d\d/.test(at) && !Number.isNaN(moment.getTime());
  if (isDate) return moment;
  throw new UsageError(
    `--at is ${JSON.stringify(at)}; accepted: a moment like 2027-01-31T06:00Z or 2027-01-31T06:00+01:00.`,
  );
}

/** What is asked, read now: files that are named may be others when the job is run. */
export async function specOf(
  { agent, model, prompt, attach }: SpecArguments,
  context: CommandContext,
): Promise<JobSpec> {
  const schema = await readOutput(agent);
  if (schema !== undefined) for (const line of await outputNotes(schema)) context.output.note(line);
  // A model that is named may be on the worker alone.
  const holds = model.model === undefined ? model : null;
  const { text, untrusted } = await readQuestion({ prompt, attach }, holds, context);
  return {
    prompt: text,
    untrusted,
    settings: settingsOf({ ...agent, ...model }),
    output: schema as JobSpec["output"],
  };
}

const MAX_BATCH_BYTES = 512 * 1024 * 1024;

/** @throws UsageError for a line that is no prompt */
async function batchOf(
  { agent, model, prompt, attach, reduce }: SubmitArguments,
  path: string,
  { signal }: CommandContext,
): Promise<Pick<BatchSubmission, "jobs" | "reduce">> {
  if (prompt !== undefined) {
    throw new UsageError("A prompt and --batch are given; the prompts of a batch are in its file.");
  }
  if (attach.length > 0) throw new UsageError("--attach is for one job; --docs is for many.");
  const schema = (await readOutput(agent)) as JobSpec["output"];
  const settings = settingsOf({ ...agent, ...model });
  const jobs = [...batchItems(await readBatch(path, signal))].map((item): JobSpec => {
    if ("problem" in item) throw new UsageError(`${path}: ${item.problem} Nothing was submitted.`);
    const { input } = item.prompt;
    return {
      ...(typeof input === "string" ? { prompt: input } : { messages: input }),
      settings: { ...settings, ...settingsOfLine(item.prompt) },
      output: schema,
    };
  });
  if (jobs.length === 0) throw new UsageError(`${path} has no line; each is one prompt.`);
  return { jobs, ...(reduce !== undefined && { reduce: { prompt: reduce, settings } }) };
}

function settingsOfLine(prompt: BatchPrompt): Readonly<Record<string, unknown>> {
  const { instructions, effort, sampling, maxSteps, maxTokens } = prompt;
  const given = {
    instructions,
    effort,
    seed: sampling?.seed,
    temperature: sampling?.temperature,
    "max-steps": maxSteps,
    "max-tokens": maxTokens,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function readBatch(path: string, signal: AbortSignal): Promise<Buffer> {
  if (path === "-") {
    return Buffer.from((await readStdin({ stdin: process.stdin, signal }, null)) ?? "");
  }
  try {
    return await readFileOrPipe(path, MAX_BATCH_BYTES);
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const why = isMissing ? "there is no such file" : messageOf(cause).replace(/\.$/, "");
    throw new UsageError(`--batch ${path} cannot be read: ${why}.`, { cause });
  }
}
