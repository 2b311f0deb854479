/** `chorale replay`: a recorded conversation once more, step by step, or another way to go on from one of its steps. */
import { readFileSync, statSync } from "node:fs";
import { messageOf, UsageError } from "../errors.ts";
import {
  callNamed,
  entriesOfJsonLines,
  forkAtStep,
  type LogEntry,
  replayThread,
} from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { openReplayModel, openReplayTools, type ReplayArguments } from "./open-replay.ts";
import { reportLines } from "./replay-report.ts";
import { resumedThread } from "./resumed-thread.ts";
import { withThreads } from "./stored-threads.ts";

/** Status 1 where something differs. @throws UsageError, ThreadNotFoundError, ModelError */
export async function replayCommand(
  args: ReplayArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { thread, until, edit, live } = args;
  if (live && until === undefined && edit.length === 0) {
    throw new UsageError("--live goes on behind a step; name it with --until.");
  }
  const entries = await readThread(thread, context);
  return edit.length > 0 || live ? goOn(entries, args, context) : replay(entries, args, context);
}

async function replay(
  entries: readonly LogEntry[],
  args: ReplayArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, signal } = context;
  await using tools = await openReplayTools(args.agent, context);
  await using model = await openReplayModel(args, context);
  const steps = entries.filter(({ type }) => type === "sampled").length;
  const report = await replayThread(entries, {
    model,
    tools: tools.list,
    until: args.until,
    signal,
    decode: (ids) => model.tokenizer.decodeLossy(ids),
    onStep: (step, tokens) => {
      if (!args.json) output.progress(`step ${step} of ${steps}: ${tokens} tokens are the same`);
    },
  });
  if (args.json) output.jsonLine(report);
  else for (const line of reportLines(report)) output.line(line);
  return report.isSame ? EXIT.ok : EXIT.failed;
}

/** Into a copy, which is kept with the other conversations; its run is that of `chorale run --resume`. */
async function goOn(
  entries: readonly LogEntry[],
  args: ReplayArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const edits = new Map<string, string>();
  for (const given of args.edit) {
    const [callId, text] = await editOf(given, entries, context);
    edits.set(callId, text);
  }
  const fork = await withThreads(context, (store) =>
    forkAtStep(store, entries, { step: args.until, edits }),
  );
  context.output.note(`the copy is ${fork.id}; the recorded conversation stays as it is.`);
  const { runCommand } = await import("./run.ts");
  return runCommand(
    {
      agent: args.agent,
      model: args.model,
      prompt: undefined,
      attach: [],
      output: undefined,
      json: args.json,
      verbose: args.verbose,
      ephemeral: false,
      resume: fork.id,
      continue: false,
      timeout: undefined,
    },
    context,
  );
}

/** @throws UsageError for a call that is not there, or a file that cannot be read */
async function editOf(
  given: string,
  entries: readonly LogEntry[],
  context: CommandContext,
): Promise<readonly [callId: string, text: string]> {
  const sign = given.indexOf("=");
  const { callId, text } = callNamed(entries, sign === -1 ? given : given.slice(0, sign));
  if (sign === -1) {
    const { editText } = await import("./edit-text.ts");
    return [callId, await editText(text, context)];
  }
  const value = given.slice(sign + 1);
  if (!value.startsWith("@")) return [callId, value];
  try {
    return [callId, readFileSync(value.slice(1), "utf8")];
  } catch (cause) {
    throw new UsageError(`--edit ${given} cannot be read: ${messageOf(cause)}.`, { cause });
  }
}

/** @param name an id of the store, or a file of JSON lines; undefined: the last conversation of this folder */
async function readThread(
  name: string | undefined,
  context: CommandContext,
): Promise<readonly LogEntry[]> {
  if (name !== undefined && isFile(name)) return entriesOfJsonLines(readFileSync(name, "utf8"));
  const id = await resumedThread({ resume: name, continue: name === undefined }, context);
  return withThreads(context, (store) => store.read(id ?? ""));
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
