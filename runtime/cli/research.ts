/** `chorale research "question"`: plan, searches, pages, notes, and an answer whose citations were checked. */
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import type { RunEvent } from "../events.ts";
import {
  FootnoteWriter,
  type ResearchProgress,
  research,
  sourcesOf,
  Thread,
  withFootnotes,
} from "../index.ts";
import { terminalApprover } from "./ask-terminal.ts";
import type { CommandContext } from "./command-context.ts";
import { errorText } from "./error-text.ts";
import { exitCodeOf } from "./exit-code-of.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import {
  type AgentArguments,
  type ModelArguments,
  samplingOf,
  type WebArguments,
} from "./flags.ts";
import { JsonEvents } from "./json-events.ts";
import { openRunEnvironment, type RunSettings } from "./open-run.ts";
import { watchRun } from "./watch.ts";
import { webConfiguration } from "./web-configuration.ts";
import { checkWritable, writeWhole } from "./write-file.ts";

export type ResearchArguments = WebArguments &
  Pick<
    AgentArguments,
    | "effort"
    | "docs"
    | "policy"
    | "plugin"
    | "grant"
    | "maxSteps"
    | "maxTokens"
    | "maxSeconds"
    | "maxToolCalls"
  > & {
    readonly question: string;
    readonly model: ModelArguments;
    /** Gets the report. */
    readonly output: string | undefined;
    readonly searches: number | undefined;
    readonly pages: number | undefined;
    /** Milliseconds. */
    readonly timeout: number | undefined;
    readonly ephemeral: boolean;
    readonly json: boolean;
  };

/** @throws UsageError, ToolsError, ModelError: nothing was started */
export async function researchCommand(
  args: ResearchArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, signal } = context;
  if (args.question.trim() === "") throw new UsageError("The question is empty; give one.");
  if (args.docs === undefined && webConfiguration(args) === undefined) {
    throw new UsageError("Research needs something to search: give --docs FOLDER, or --web.");
  }
  if (args.timeout !== undefined) context.stopAfter(args.timeout);
  if (args.output !== undefined) await checkWritable(args.output, "--output");
  await using environment = await openRunEnvironment(settingsOf(args), context, {
    keepThreads: !args.ephemeral,
    python: false,
  });
  const { model, browser, policy, threads: store } = environment;
  const thread = Thread.create({ store, folder: resolve(".") });
  const events = new JsonEvents(output);
  const footnotes = (): FootnoteWriter => new FootnoteWriter(() => sourcesOf(thread.state));
  const watch = watchRun(output, { holdAnswer: true, footnotes });
  const startedAt = performance.now();
  const { question, effort, maxSteps, maxTokens, maxSeconds, maxToolCalls } = args;
  let steps = 0;
  const started = research({
    ...{ model, tools: browser?.tools ?? [], question, thread, effort, policy, signal },
    ...{ maxSteps, maxTokens, maxSeconds, maxToolCalls },
    sampling: samplingOf(args.model),
    maxSearches: args.searches,
    pagesPerSearch: args.pages,
    approve: terminalApprover(output) ?? undefined,
    onEvent: async (event: RunEvent) => {
      if (args.json) events.take(event);
      else await watch(event);
      if (event.type !== "generation.completed") return;
      steps++;
      if (!output.isLive) return;
      const seconds = (performance.now() - startedAt) / 1000;
      output.progress(`${progressText(started.progress)}; ${budgetText(args, { steps, seconds })}`);
    },
  });
  let exitCode: ExitCode = EXIT.failed;
  try {
    const result = await started.run.result;
    const { status, error, partialOutput } = result;
    if (error !== undefined) output.problem(errorText(error));
    if (status !== "completed" && partialOutput !== undefined && !args.json) {
      output.note("These are the plan and the notes until then:");
      output.answer(withFootnotes(partialOutput, sourcesOf(thread.state)));
      output.finishAnswer();
    }
    if (args.output !== undefined) {
      await writeWhole(args.output, started.report(result), "--output");
    }
    exitCode = status === "completed" ? EXIT.ok : exitCodeOf(error);
    const seconds = (performance.now() - startedAt) / 1000;
    const used = { steps, seconds, tokens: result.usage.output_tokens };
    output.note(
      `${progressText(started.progress)}; ${budgetText(args, used)}; conversation ${thread.id}.`,
    );
  } finally {
    if (args.json) events.end(exitCode, model.statistics);
  }
  return exitCode;
}

/** What an environment is opened with, beside what a research has no use for. */
function settingsOf(args: ResearchArguments): RunSettings {
  const unused = {
    instructions: undefined,
    system: undefined,
    maxReasoningTokens: undefined,
    maxOutputBytes: undefined,
    toolTokenBudget: undefined,
    noCompaction: false,
    maxRetries: undefined,
    verifyCitations: true,
    freeHeaders: false,
    freeContent: false,
    onLimit: undefined,
    file: [],
    artifacts: undefined,
    packages: undefined,
    tool: [],
    mcp: [],
    noMcp: true,
  };
  return { agent: { ...unused, ...args }, model: args.model };
}

function progressText({ searches, pages, notes }: ResearchProgress): string {
  const count = (number: number, noun: string): string =>
    `${number} ${noun}${number === 1 ? "" : noun === "search" ? "es" : "s"}`;
  return [
    count(searches.length, "search"),
    count(pages.length, "page"),
    count(notes.length, "note"),
  ].join(", ");
}

function budgetText(
  { maxSteps = 24, maxTokens, maxSeconds }: ResearchArguments,
  used: { readonly steps: number; readonly seconds: number; readonly tokens?: number },
): string {
  const of = (amount: number, limit: number | undefined): string =>
    limit === undefined ? String(amount) : `${amount} of ${limit}`;
  return [
    `${of(used.steps, maxSteps)} steps`,
    ...(used.tokens === undefined ? [] : [`${of(used.tokens, maxTokens)} tokens written`]),
    `${of(Math.round(used.seconds), maxSeconds)} s`,
  ].join(", ");
}
