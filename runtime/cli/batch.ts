/** `chorale batch FILE`: many prompts over one set of weights, one line of result for each, in order. */
import { appendFileSync } from "node:fs";
import { FileReadError, readFileOrPipe } from "../../tools/index.ts";
import type { Environment } from "../environment.ts";
import { InterruptedError, messageOf, RunError, UsageError } from "../errors.ts";
import type { OutputOptions, RunResult } from "../index.ts";
import { type BatchItem, type BatchPrompt, batchItems } from "./batch/batch-input.ts";
import { type BatchOutput, FileOutput, isKept, StreamedOutput } from "./batch/batch-output.ts";
import { BatchProgress } from "./batch/batch-progress.ts";
import {
  type BatchResult,
  isFailed,
  loggedResult,
  problemResult,
  runResult,
  thrownResult,
} from "./batch/batch-result.ts";
import { type BatchThread, BatchThreads } from "./batch/batch-threads.ts";
import { BatchTools } from "./batch/batch-tools.ts";
import type { CommandContext } from "./command-context.ts";
import { exitCodeOf } from "./exit-code-of.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { AgentArguments } from "./flags.ts";
import { agentOf, openRunEnvironment, type RunSettings } from "./open-run.ts";
import { outputNotes, readOutput } from "./read-output.ts";
import { readStdin } from "./read-prompt.ts";
import { checkWritable } from "./write-file.ts";

export type BatchArguments = RunSettings & {
  readonly agent: AgentArguments;
  /** `-` reads stdin. */
  readonly prompts: string;
  /** Default: stdout, from which nothing can be continued. */
  readonly output: string | undefined;
  /** How many prompts are at work at once. Default 1. */
  readonly parallel: number | undefined;
  readonly retryFailed: boolean;
  /** Milliseconds for each prompt. */
  readonly timeout: number | undefined;
};

/** A prompt that has no result yet. */
type Task = {
  /** Its place among the lines, from 0. */
  readonly at: number;
  readonly item: BatchItem & { readonly prompt: BatchPrompt };
  readonly found: BatchThread;
};

/**
 * @throws UsageError, ToolsError, ModelError before anything is asked; what breaks the model or the store of
 *   conversations ends the batch, and the next one goes on from there
 */
export async function batchCommand(
  args: BatchArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, signal } = context;
  const items = [...batchItems(await readBatch(args.prompts, signal))];
  if (items.length === 0) throw new UsageError(`${args.prompts} has no line; each is one prompt.`);
  const kept = args.output !== undefined && isKept(args.output) ? args.output : null;
  if (args.retryFailed && kept === null) {
    throw new UsageError("--retry-failed needs --output with the file of an earlier batch.");
  }
  if (args.output !== undefined) await checkWritable(args.output, "--output");
  const schema = await readOutput(args.agent);
  if (schema !== undefined) for (const line of await outputNotes(schema)) output.note(line);
  await using threads = await BatchThreads.open(kept);
  const results = openOutput(args.output, kept, output);
  const progress = new BatchProgress(output, items.length);
  const tasks = await tasksOf(items, args.retryFailed, { threads, results, progress });
  if (tasks.length > 0) await runAll(tasks, args, schema, { threads, results, progress }, context);
  await results.finish();
  await threads.remove();
  output.note(progress.summary);
  return progress.failed === 0 ? EXIT.ok : EXIT.failed;
}

type Books = {
  readonly threads: BatchThreads;
  readonly results: BatchOutput;
  readonly progress: BatchProgress;
};

/** What is left to do; the results of everything else are put into the output. */
async function tasksOf(
  items: readonly BatchItem[],
  retryFailed: boolean,
  { threads, results, progress }: Books,
): Promise<readonly Task[]> {
  const tasks: Task[] = [];
  const settle = (at: number, result: BatchResult, isNew: boolean): void => {
    results.put(at, result);
    progress.count(result, isNew);
  };
  for (const [at, item] of items.entries()) {
    const earlier = results.earlier(item, retryFailed);
    if ("problem" in item) {
      const isKnown = earlier?.input_sha256 === item.sha256;
      settle(at, isKnown ? earlier : problemResult(item, item.problem), !isKnown);
      continue;
    }
    const found = await threads.of(item);
    const isNewer = found.entries.length > 0 && found.attempt > (earlier?.attempt ?? 0);
    const logged = isNewer ? loggedResult(item, found.attempt, found.entries) : null;
    const isRetried = retryFailed && !isNewer && earlier !== undefined && isFailed(earlier);
    if (logged !== null) settle(at, logged, false);
    else if (isNewer || earlier === undefined) tasks.push({ at, item, found });
    else if (isRetried) {
      tasks.push({ at, item, found: threads.attempt(item, earlier.attempt + 1) });
    } else settle(at, earlier, false);
  }
  return tasks;
}

/** Several at once, in the order of the lines. */
async function runAll(
  tasks: readonly Task[],
  args: BatchArguments,
  schema: OutputOptions | undefined,
  { threads, results, progress }: Books,
  context: CommandContext,
): Promise<void> {
  const { output, env, signal } = context;
  const { parallel = 1 } = args;
  await using environment = await openRunEnvironment(args, context, {
    python: false,
    keepThreads: false,
    model: { maxSessions: Math.max(DEFAULT_SESSIONS, parallel) },
  });
  const tools = new BatchTools(args.agent, environment, env, (sentence) => output.note(sentence));
  const work = new AbortController();
  // What is at work stays open in its log, as if the process had been killed: the next batch goes on with it.
  const stop = (reason: unknown): void => {
    void threads.freeze();
    work.abort(reason);
  };
  const onAbort = (): void => stop(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const queue = [...tasks];
  const lane = async (): Promise<void> => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
      work.signal.throwIfAborted();
      const result = await runTask(task, args, schema, { environment, tools, signal: work.signal });
      results.put(task.at, result);
      progress.count(result, true);
      await threads.forget(task.found);
    }
  };
  const lanes = Array.from({ length: parallel }, () =>
    lane().catch((error: unknown) => {
      if (!work.signal.aborted) stop(error);
    }),
  );
  await Promise.all(lanes);
  signal.removeEventListener("abort", onAbort);
  if (work.signal.aborted) throw work.signal.reason;
}

/** Conversations whose keys and values stay between two steps. */
const DEFAULT_SESSIONS = 4;

type Workplace = {
  readonly environment: Environment;
  readonly tools: BatchTools;
  readonly signal: AbortSignal;
};

/** @throws the reason of the signal; what would fail every other prompt as well */
async function runTask(
  { item, found }: Task,
  args: BatchArguments,
  schema: OutputOptions | undefined,
  { environment, tools, signal }: Workplace,
): Promise<BatchResult> {
  const { model, policy } = environment;
  const { thread, attempt, entries } = found;
  const { input, ...overrides } = item.prompt;
  await using own = await tools.forPrompt();
  const { briefing } = own;
  const agent = agentOf(args, { model, tools: own.tools, policy, briefing }, schema);
  const timeUp = new AbortController();
  const timer =
    args.timeout === undefined
      ? undefined
      : setTimeout(() => timeUp.abort(new InterruptedError("timeout")), args.timeout);
  try {
    const run = agent.run(thread, entries.length > 0 ? undefined : input, {
      ...overrides,
      signal: AbortSignal.any([signal, timeUp.signal]),
    });
    const result: RunResult = await run.result;
    signal.throwIfAborted();
    if (isFatal(result.error)) throw result.error;
    return runResult(item, attempt, result);
  } catch (error) {
    signal.throwIfAborted();
    if (isFatal(error)) throw error;
    return thrownResult(item, attempt, error);
  } finally {
    clearTimeout(timer);
    await model.release(thread.id);
  }
}

/** A broken model or a store that cannot be written would fail every other prompt as well. */
function isFatal(error: unknown): boolean {
  const isOfStore =
    RunError.isInstance(error) &&
    (error.code === "CHORALE_THREAD_STORE" || error.code === "CHORALE_THREAD_CONFLICT");
  return isOfStore || (error !== undefined && exitCodeOf(error) === EXIT.model);
}

function openOutput(
  path: string | undefined,
  kept: string | null,
  output: CommandContext["output"],
): BatchOutput {
  if (path === undefined) return new StreamedOutput((result) => output.jsonLine(result));
  if (kept !== null) return new FileOutput(kept);
  return new StreamedOutput((result) => {
    try {
      appendFileSync(path, `${JSON.stringify(result)}\n`);
    } catch (cause) {
      throw new RunError(
        "CHORALE_FILE_WRITE",
        `--output ${path} cannot be written: ${messageOf(cause)}.`,
        { cause },
      );
    }
  });
}

/** More than that is better split. */
const MAX_BATCH_BYTES = 512 * 1024 * 1024;

async function readBatch(path: string, signal: AbortSignal): Promise<Buffer> {
  if (path === "-") {
    const text = await readStdin({ stdin: process.stdin, signal }, null);
    return Buffer.from(text ?? "");
  }
  try {
    return await readFileOrPipe(path, MAX_BATCH_BYTES);
  } catch (cause) {
    if (cause instanceof FileReadError) throw new UsageError(cause.message, { cause });
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const why = isMissing ? "there is no such file" : messageOf(cause);
    throw new UsageError(`${path} cannot be read: ${why}.`, { cause });
  }
}
