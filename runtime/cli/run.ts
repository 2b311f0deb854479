/** `chorale run "question"`: one prompt, one answer. */
import type { TokenEngine } from "../../inference/index.ts";
import { type BrowserTools, createValidator, folderNotes } from "../../tools/index.ts";
import { openEnvironment } from "../environment.ts";
import type { Timing, Usage } from "../events.ts";
import { Agent, checkPromptLength, Thread } from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { errorText } from "./error-text.ts";
import { exitCodeOf } from "./exit-code-of.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { AgentArguments, ModelArguments } from "./flags.ts";
import { samplingOf } from "./flags.ts";
import { JsonEvents } from "./json-events.ts";
import { missingNote, pluginConfigurations } from "./plugins.ts";
import { readPrompt } from "./read-prompt.ts";
import { readSchema } from "./read-schema.ts";
import { isOwnStdin } from "./stdin-owner.ts";
import { watchRun } from "./watch.ts";
import { memoryNote, watchLoading } from "./watch-loading.ts";

export type RunArguments = {
  readonly prompt: string | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
  /** The conversation is not kept. */
  readonly ephemeral: boolean;
  /** The thread that goes on. */
  readonly resume: string | undefined;
  readonly agent: AgentArguments;
  readonly model: ModelArguments;
};

/**
 * What the user gave is checked before a model is opened, since that may take a while.
 * @throws UsageError, ToolsError, ModelError: nothing was started
 */
export async function runCommand(args: RunArguments, context: CommandContext): Promise<ExitCode> {
  const { output, env, signal } = context;
  const note = (sentence: string): void => output.note(sentence);
  const prompt = await promptOf(args, context);
  if (prompt !== undefined) await checkPromptLength(prompt, args.model.model, args.model.context);
  const outputSchema = await readSchema(args.agent);
  // A schema that is none is refused now, not after the model is loaded.
  if (outputSchema !== undefined) {
    const { warnings } = await createValidator(outputSchema);
    for (const warning of warnings) note(warning);
  }
  const { agent: given, model: modelArguments } = args;
  const { model: path, context: contextLength, threads, memory, precision } = modelArguments;
  const { prefixStore } = modelArguments;
  await using environment = await openEnvironment({
    env,
    model: {
      path,
      contextLength,
      threads,
      memoryLimit: memory,
      precision,
      prefixCacheBytes: prefixStore === undefined ? undefined : prefixStore * 2 ** 30,
      onMemory: (needs) => {
        const sentence = memoryNote(needs);
        if (sentence !== null) note(sentence);
      },
      onProgress: watchLoading({
        note,
        progress: output.isLive ? (text) => output.progress(text) : null,
      }),
    },
    python: { files: given.file, artifacts: given.artifacts, packages: given.packages },
    toolModules: given.tool,
    plugins: await pluginConfigurations(given),
    documents: given.docs,
    keepThreads: !args.ephemeral,
    onNote: note,
    onPluginLog: (text) => output.watchLines("log", text, "result"),
  });
  const { model, tools, python, browser, briefing } = environment;
  for (const plugin of environment.plugins) {
    const missing = missingNote(plugin);
    if (missing !== null) note(missing);
  }
  if (browser?.summary !== undefined) for (const line of folderNotes(browser.summary)) note(line);
  if (path === undefined) note(embeddedModelNote(model.engine));
  // Starts while the model reads the prompt; most runs need it.
  let isPythonReady = python === undefined;
  void python?.warmUp().finally(() => {
    isPythonReady = true;
  });
  const agent = new Agent({
    model,
    tools,
    instructions:
      briefing === undefined ? given.instructions : joined(given.instructions, briefing),
    system: given.system === undefined ? undefined : { identity: given.system },
    effort: given.effort,
    sampling: samplingOf(modelArguments),
    output: outputSchema,
    maxSteps: given.maxSteps,
    maxTokens: given.maxTokens,
    maxReasoningTokens: given.maxReasoningTokens,
    maxSeconds: given.maxSeconds,
    maxToolCalls: given.maxToolCalls,
    maxOutputBytes: given.maxOutputBytes,
    maxRetries: given.maxRetries,
    constrainHeaders: given.freeHeaders ? false : undefined,
  });
  const { threads: store } = environment;
  const thread =
    args.resume === undefined ? Thread.create({ store }) : await Thread.open(store, args.resume);
  const events = new JsonEvents(output);
  const watch = watchRun(output, {
    holdAnswer: outputSchema !== undefined,
    // An answer with a schema has to stay as it was checked.
    normaliseCitations: outputSchema === undefined ? citationsOf(browser) : undefined,
    pythonStart: () =>
      isPythonReady ? null : "starting Python; the first start makes its memory image",
  });
  const run = agent.run(thread, prompt, {
    signal,
    onEvent: args.json ? (event) => events.take(event) : watch,
  });
  let exitCode: ExitCode = EXIT.failed;
  try {
    const { status, error, usage, timing } = await run.result;
    exitCode = status === "completed" ? EXIT.ok : exitCodeOf(error);
    if (error !== undefined) output.problem(errorText(error));
    if (args.verbose) note(figures(usage, timing, thread.id));
  } finally {
    if (args.json) events.end(exitCode, model.statistics);
  }
  return exitCode;
}

/** Undefined where a thread goes on whose last turn is not over. */
async function promptOf(
  { prompt, resume }: RunArguments,
  { output, env, signal }: CommandContext,
): Promise<string | undefined> {
  if (resume !== undefined && prompt === undefined) return undefined;
  return readPrompt({
    argument: prompt,
    stdin: process.stdin,
    isOwnStdin: isOwnStdin(env),
    note: (sentence) => output.note(sentence),
    signal,
  });
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

const joined = (instructions: string | undefined, briefing: string): string =>
  instructions === undefined ? briefing : `${instructions}\n\n${briefing}`;

function citationsOf(browser: BrowserTools | undefined): ((text: string) => string) | undefined {
  return browser && ((text) => browser.normaliseCitations(text).text);
}

/** The demo model's answers should not pass for those of a large model. */
function embeddedModelNote(engine: TokenEngine): string {
  return (
    `no --model given, so the small embedded demo model answers (${engine.contextLength} tokens of ` +
    "context; arithmetic, text, dates, declared functions, extraction)."
  );
}
