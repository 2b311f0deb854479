/** `chorale run "question"`: one prompt, one answer. */
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import type { Timing, Usage } from "../events.ts";
import { type DeniedCall, FootnoteWriter, sourcesOf, Thread, withFootnotes } from "../index.ts";
import { terminalApprover } from "./ask-terminal.ts";
import type { CommandContext } from "./command-context.ts";
import { errorText } from "./error-text.ts";
import { exitCodeOf } from "./exit-code-of.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { AgentArguments } from "./flags.ts";
import { JsonEvents } from "./json-events.ts";
import { agentOf, openRunEnvironment, type RunSettings } from "./open-run.ts";
import { outputNotes, readOutput } from "./read-output.ts";
import { readQuestion } from "./read-question.ts";
import { resumedThread } from "./resumed-thread.ts";
import { watchRun } from "./watch.ts";
import { checkWritable, writeWhole } from "./write-file.ts";

export type RunArguments = RunSettings & {
  readonly agent: AgentArguments;
  readonly prompt: string | undefined;
  /** Documents that are put into the prompt. */
  readonly attach: readonly string[];
  /** Also gets the answer. */
  readonly output: string | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
  /** The conversation is not kept. */
  readonly ephemeral: boolean;
  /** The thread that goes on, or the beginning of its id. */
  readonly resume: string | undefined;
  /** The last thread of this folder goes on. */
  readonly continue: boolean;
  /** Milliseconds. */
  readonly timeout: number | undefined;
};

/**
 * What the user gave is checked before a model is opened, since that may take a while.
 * @throws UsageError, ToolsError, ModelError: nothing was started
 */
export async function runCommand(args: RunArguments, context: CommandContext): Promise<ExitCode> {
  const { output, signal } = context;
  const note = (sentence: string): void => output.note(sentence);
  if (args.timeout !== undefined) context.stopAfter(args.timeout);
  if (args.output !== undefined) await checkWritable(args.output, "--output");
  const resumed = await resumedThread(args, context);
  const { prompt, untrusted } = await promptOf(args, resumed, context);
  const outputSchema = await readOutput(args.agent);
  // A schema that is none is refused now, not after the model is loaded.
  if (outputSchema !== undefined) for (const line of await outputNotes(outputSchema)) note(line);
  await using environment = await openRunEnvironment(args, context, {
    keepThreads: !args.ephemeral,
    // Most runs need it.
    startsPython: true,
  });
  const { model, python, threads: store } = environment;
  let isPythonReady = python === undefined;
  void python?.warmUp().finally(() => {
    isPythonReady = true;
  });
  const agent = agentOf(args, environment, outputSchema);
  const thread =
    resumed === undefined
      ? Thread.create({ store, folder: resolve(".") })
      : await Thread.open(store, resumed);
  const events = new JsonEvents(output);
  const watch = watchRun(output, {
    // An answer whose citations are checked may go back.
    holdAnswer: outputSchema !== undefined || args.agent.verifyCitations,
    // An answer with a schema has to stay as it was checked.
    footnotes:
      outputSchema === undefined
        ? () => new FootnoteWriter(() => sourcesOf(thread.state))
        : undefined,
    pythonStart: () =>
      isPythonReady ? null : "starting Python; the first start makes its memory image",
  });
  const run = agent.run(thread, prompt, {
    signal,
    approve: terminalApprover(output) ?? undefined,
    untrusted,
    onEvent: args.json ? (event) => events.take(event) : watch,
  });
  let exitCode: ExitCode = EXIT.failed;
  try {
    const result = await run.result;
    const { status, output: answer, error, deniedCall, usage, timing } = result;
    if (error !== undefined) output.problem(errorText(error));
    if (args.output !== undefined && answer !== null) {
      const isText = outputSchema === undefined;
      const readable = isText
        ? withFootnotes(answer, sourcesOf(thread.state), result.annotations)
        : answer;
      await writeWhole(args.output, readable, "--output");
    }
    const answered = deniedCall === undefined ? EXIT.ok : EXIT.denied;
    exitCode = status === "completed" ? answered : exitCodeOf(error);
    if (deniedCall !== undefined) output.problem(deniedSentence(deniedCall));
    if (args.verbose) note(figures(usage, timing, thread.id));
  } finally {
    if (args.json) events.end(exitCode, model.statistics);
  }
  return exitCode;
}

type Prompt = {
  /** Undefined where a thread goes on whose last turn is not over. */
  readonly prompt: string | undefined;
  /** Of what is in it beside the person's own words. */
  readonly untrusted: readonly string[];
};

async function promptOf(
  { prompt, attach, model }: RunArguments,
  resumed: string | undefined,
  context: CommandContext,
): Promise<Prompt> {
  if (resumed !== undefined && prompt === undefined) {
    if (attach.length === 0) return { prompt: undefined, untrusted: [] };
    throw new UsageError("--attach is for a question; give one.");
  }
  const { text, untrusted } = await readQuestion({ prompt, attach }, model, context);
  return { prompt: text, untrusted };
}

function deniedSentence({ tool, rule, reason }: DeniedCall): string {
  const why = reason === undefined ? "" : ` ${reason}`;
  return (
    `${tool} was not allowed to run (${rule}), and the model answered without it.${why} ` +
    "In a terminal you are asked; --policy FILE can allow it (see chorale policy)."
  );
}

/** What a run took, in one sentence. */
function figures(usage: Usage, timing: Timing, threadId: string): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const rate = timing.decode_tokens_per_second;
  return (
    `${usage.input_tokens} tokens read (${usage.cached_input_tokens} of them cached) in ` +
    `${seconds(timing.prefill_ms)}; ${usage.output_tokens} written in ${seconds(timing.decode_ms)}` +
    `${rate === null ? "" : `, ${rate} a second`}; tools ${seconds(timing.tools_ms)}; in all ` +
    `${seconds(timing.total_ms)}; conversation ${threadId}.`
  );
}
