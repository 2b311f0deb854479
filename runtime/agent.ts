/**
 * The agent loop: render → generate → parse → dispatch → append, until there is an answer or a stated
 * reason why there is none. It works with what it is given and nothing else; how a model is opened,
 * where events go and what a terminal shows is decided elsewhere.
 */
import { randomUUID } from "node:crypto";
import { abandon, answerBrokenCall, dispatch } from "./dispatch.ts";
import {
  HarmonyUnusableError,
  InterruptedError,
  InvalidOutputError,
  isForeseen,
  TurnLimitError,
} from "./errors.ts";
import { exitCodeOf } from "./exit-code-of.ts";
import { EXIT } from "./exit-codes.ts";
import { type Generation, generate } from "./generate.ts";
import { checkNotCutOff, roomForResult, roomToSample } from "./limits.ts";
import { prepare, type Run } from "./prepare.ts";
import { userMessage } from "./prompt.ts";
import { Reporter, statusOf } from "./reporter.ts";
import { type RunOptions, type RunResult, settle } from "./run-options.ts";
import type { Answer } from "./structured-output.ts";

/**
 * Runs one prompt to its answer. Whatever goes wrong with the model, its tools or a limit is in the
 * result (`status`, `error`) and in the events; only what nobody foresaw is thrown, after its events.
 */
export async function runAgent(options: RunOptions): Promise<RunResult> {
  const settings = settle(options);
  const reporter = new Reporter(options.onEvent, options.engine);
  let run: Run | undefined;
  const outcome = (): Pick<RunResult, "messages" | "usage" | "timing"> => ({
    messages: run?.transcript.conversation ?? [],
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
    const failure = { status: statusOf(error), exitCode: exitCodeOf(error), error: error as Error };
    return { ...failure, output: null, ...outcome() };
  } finally {
    await run?.session.close();
  }
}

async function converse(run: Run): Promise<Answer> {
  const { settings, transcript, tools, output, reporter } = run;
  const { maxTurns, maxRetries, maxRepairs } = settings;
  let sampledTokens = 0;
  let forceAnswer = false;
  let repairs = 0;
  let retries = 0;
  const retry = (problem: string): void => {
    if (++retries > maxRetries) throw new HarmonyUnusableError(problem, maxRetries);
  };

  for (let turn = 1; turn <= maxTurns; turn++) {
    const prompt = transcript.prompt(forceAnswer);
    const maxTokens = roomToSample(run, prompt.ids.length, sampledTokens);
    const generation = await generate(run, prompt, maxTokens);
    sampledTokens += generation.sampledTokens;
    checkNotCutOff(run, generation, sampledTokens);
    transcript.appendGenerated(generation);
    forceAnswer = false;

    const call = generation.messages.find(({ message }) => message.recipient);
    if (call !== undefined) {
      if (turn === maxTurns) {
        await abandon(call, "this was the last turn, nobody would read the result.", run);
        break;
      }
      const { message, unusable } = await dispatch(call, run, roomForResult(run));
      transcript.append(message);
      if (unusable === null) retries = 0;
      else retry(unusable);
      continue;
    }

    if (generation.issues.some(({ code }) => code === "incomplete_tool_call")) {
      transcript.append(answerBrokenCall(tools));
      retry("It began a tool call and did not write it.");
      continue;
    }

    const answer = answerOf(generation);
    if (answer === null) {
      // It thought and stopped: given the header of the answer, it writes one.
      forceAnswer = true;
      retry("It ended its turn without an answer.");
      continue;
    }

    const verdict = output === null ? { answer: { text: answer } } : await output.judge(answer);
    if ("answer" in verdict) return verdict.answer;
    const { problems, feedback } = verdict;
    if (repairs >= maxRepairs || turn === maxTurns) throw new InvalidOutputError(problems, repairs);
    repairs++;
    await reporter.problem("invalid_output", problems.join("; "));
    transcript.append(userMessage(feedback));
  }
  throw new TurnLimitError(maxTurns);
}

/** The final message; else what the model said without naming a channel. */
function answerOf({ messages }: Generation): string | null {
  const said = (channel: string | null): string | undefined =>
    messages
      .filter(({ message }) => message.channel === channel && message.text.trim() !== "")
      .at(-1)?.message.text;
  return said("final") ?? said(null) ?? null;
}

function interruption(reason: unknown): InterruptedError {
  return reason instanceof InterruptedError ? reason : new InterruptedError("caller", reason);
}
