/**
 * The agent loop: render → generate → parse → dispatch → append, until there is an answer or a stated
 * reason why there is none. It works with what it is given and nothing else; how a model is opened,
 * where events go and what a terminal shows is decided elsewhere.
 */
import { randomUUID } from "node:crypto";
import { keptMessages, MODEL_HEADER_STYLE, renderMessage } from "../harmony/index.ts";
import type { Session } from "../inference/index.ts";
import type { ToolRegistry } from "../tools/index.ts";
import { abandon, answerBrokenCall, dispatch } from "./dispatch.ts";
import {
  ContextFullError,
  HarmonyUnusableError,
  InterruptedError,
  InvalidOutputError,
  isForeseen,
  PromptTooLongError,
  TokenLimitError,
  TurnLimitError,
} from "./errors.ts";
import { exitCodeOf } from "./exit-code-of.ts";
import { EXIT } from "./exit-codes.ts";
import { type Generation, generate } from "./generate.ts";
import { openingMessages, userMessage } from "./prompt.ts";
import { Reporter, statusOf } from "./reporter.ts";
import {
  checkPrompt,
  type RunOptions,
  type RunResult,
  type RunSettings,
  settle,
} from "./run-options.ts";
import { prepareOutput, type StructuredOutput } from "./structured-output.ts";
import { toolsForModel } from "./tool-names.ts";
import { Transcript } from "./transcript.ts";

type Answer = { readonly text: string; readonly value?: unknown };

type Run = {
  readonly options: RunOptions;
  readonly settings: RunSettings;
  readonly session: Session;
  readonly transcript: Transcript;
  readonly tools: ToolRegistry;
  readonly output: StructuredOutput | null;
  readonly reporter: Reporter;
};

/** A tool's result takes at most this share of the free context, so that the answer fits as well. */
const RESULT_SHARE = 0.5;
/** And never more: one page must not crowd out a long conversation. */
const MAX_RESULT_TOKENS = 16_384;
/** With less room than this a result says nothing. */
const MIN_RESULT_TOKENS = 32;

/**
 * Runs one prompt to its answer. Whatever goes wrong with the model, its tools or a limit is in the
 * result (`status`, `error`) and in the events; only what nobody foresaw is thrown, after its events.
 */
export async function runAgent(options: RunOptions): Promise<RunResult> {
  const settings = settle(options);
  const reporter = new Reporter(options.onEvent);
  let run: Run | undefined;
  const outcome = (): Pick<RunResult, "messages" | "usage" | "timing"> => ({
    messages: (run?.transcript.messages ?? []).filter(
      ({ role }) => role !== "system" && role !== "developer",
    ),
    usage: reporter.usage,
    timing: reporter.timing,
  });
  try {
    await reporter.started(`thread_${randomUUID()}`, options.engine.name, settings.sampling);
    run = await prepare(options, settings, reporter);
    const { text, ...parsed } = await converse(run);
    await reporter.completed(text);
    return { status: "completed", exitCode: EXIT.ok, output: text, ...parsed, ...outcome() };
  } catch (thrown) {
    const error = settings.signal.aborted ? interruption(settings.signal.reason) : thrown;
    await reporter.failed(error);
    if (!isForeseen(error)) throw error;
    return {
      status: statusOf(error),
      exitCode: exitCodeOf(error),
      output: null,
      error: error as Error,
      ...outcome(),
    };
  } finally {
    await run?.session.close();
  }
}

async function prepare(
  options: RunOptions,
  settings: RunSettings,
  reporter: Reporter,
): Promise<Run> {
  checkPrompt(options);
  settings.signal.throwIfAborted();
  const { engine, tokenizer, instructions, outputSchema, history = [] } = options;
  const tools = toolsForModel(options.tools ?? []);
  const output = outputSchema === undefined ? null : await prepareOutput(outputSchema);
  const rendering = {
    headerStyle: MODEL_HEADER_STYLE,
    hasFunctionTools: tools.inNamespace("functions").length > 0,
  };
  const transcript = new Transcript(tokenizer, (message) =>
    renderMessage(tokenizer, message, rendering),
  );
  const { effort, date } = settings;
  const responseFormat = output?.responseFormat;
  const opening = openingMessages({ tools, effort, date, instructions, responseFormat });
  const user = userMessage(options.prompt);
  for (const message of [...opening, ...keptMessages(history, "turn"), user]) {
    transcript.append(message);
  }
  const session = await engine.createSession();
  return { options, settings, session, transcript, tools, output, reporter };
}

async function converse(run: Run): Promise<Answer> {
  const { settings, transcript, tools, output, reporter } = run;
  let sampledTokens = 0;
  let retries = 0;
  let repairs = 0;
  let forceFinal = false;
  const retry = (problem: string): void => {
    if (++retries > settings.maxRetries) {
      throw new HarmonyUnusableError(problem, settings.maxRetries);
    }
  };

  for (let turn = 1; turn <= settings.maxTurns; turn++) {
    const generation = await sample(run, settings.maxTokens - sampledTokens, forceFinal);
    sampledTokens += generation.sampledTokens;
    transcript.appendGenerated(generation);
    forceFinal = false;

    const call = generation.messages.find(({ message }) => message.recipient);
    if (call !== undefined) {
      if (turn === settings.maxTurns) {
        await abandon(call, "this was the last turn, nobody would read the result.", run);
        break;
      }
      const resultTokenLimit = roomForResult(run);
      const { tokenizer } = run.options;
      const { signal } = settings;
      const context = { tools, tokenizer, resultTokenLimit, signal, reporter };
      const { message, unusable } = await dispatch(call, context);
      transcript.append(message);
      if (unusable === null) retries = 0;
      else retry(unusable);
      continue;
    }

    const answer = answerOf(generation);
    if (answer === null) {
      if (generation.issues.some(({ code }) => code === "incomplete_tool_call")) {
        transcript.append(answerBrokenCall(tools));
        retry("It began a tool call and did not write it.");
      } else {
        // It thought and stopped; the answer's header makes it go on.
        forceFinal = true;
        retry("It ended its turn without an answer.");
      }
      continue;
    }

    if (output === null) return { text: answer };
    const verdict = await output.validator.validate(answer);
    if (verdict.action === "accept" || verdict.action === "accept-after-extraction") {
      return { text: verdict.text ?? answer, value: verdict.value };
    }
    const problems = verdict.errors.map(({ path, message }) => `${path ?? ""} ${message}`.trim());
    if (repairs >= settings.maxRepairs || turn === settings.maxTurns) {
      throw new InvalidOutputError(problems, repairs);
    }
    repairs++;
    await reporter.problem("invalid_output", problems.join("; "));
    transcript.append(userMessage(output.validator.feedback(verdict)));
  }
  throw new TurnLimitError(settings.maxTurns);
}

/** Render, generate, parse. @throws when the context or the token limit does not allow it */
async function sample(run: Run, tokensLeft: number, forceFinal: boolean): Promise<Generation> {
  const { options, settings, session, transcript, tools, reporter } = run;
  const { engine, tokenizer } = options;
  const { channel, message } = tokenizer.special;
  const forcedHeader = forceFinal ? [channel, ...tokenizer.encode("final"), message] : [];
  const prompt = transcript.prompt();
  const used = prompt.length + forcedHeader.length;
  if (used >= engine.contextLength) {
    throw transcript.answered
      ? new ContextFullError("before the model could go on", used, engine.contextLength)
      : new PromptTooLongError(`${used} tokens`, engine.contextLength);
  }
  const { sampling, signal } = settings;
  const maxTokens = Math.min(tokensLeft, engine.contextLength - used);
  const generation = await generate({
    ...{ session, tokenizer, prompt, forcedHeader, maxTokens, sampling, tools, signal, reporter },
  });
  if (generation.finishReason === "length" || generation.finishReason === "context") {
    for (const cut of generation.messages.filter(({ message: { recipient } }) => recipient)) {
      await abandon(cut, "the call was cut off.", run);
    }
    throw maxTokens === tokensLeft && generation.finishReason === "length"
      ? new TokenLimitError(settings.maxTokens)
      : new ContextFullError(
          "while the model was writing",
          engine.contextLength,
          engine.contextLength,
        );
  }
  return generation;
}

/** The final message; else what the model said without naming a channel. */
function answerOf({ messages }: Generation): string | null {
  const texts = (channel: string | null): string[] =>
    messages
      .filter(({ message }) => message.channel === channel && !message.recipient)
      .map(({ message }) => message.text)
      .filter((text) => text.trim() !== "");
  return texts("final").at(-1) ?? texts(null).at(-1) ?? null;
}

function roomForResult({ options, transcript }: Run): number {
  const { contextLength } = options.engine;
  const used = transcript.prompt().length;
  const limit = Math.min(MAX_RESULT_TOKENS, Math.floor((contextLength - used) * RESULT_SHARE));
  if (limit < MIN_RESULT_TOKENS) {
    throw new ContextFullError("before the tool's result could be read", used, contextLength);
  }
  return limit;
}

function interruption(reason: unknown): InterruptedError {
  return reason instanceof InterruptedError ? reason : new InterruptedError("caller", reason);
}
