/** `chorale decide`: a question with a closed set of answers, and how likely the model holds each. */
import { openEnvironment } from "../environment.ts";
import { messageOf, UsageError } from "../errors.ts";
import { type Decision, type DecisionQuestion, decideAll } from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { type ModelArguments, samplingOf } from "./flags.ts";
import { modelConfiguration } from "./model-configuration.ts";
import { readTextFile } from "./read-input.ts";
import { readPrompt } from "./read-prompt.ts";
import { isOwnStdin } from "./stdin-owner.ts";
import { visibleText } from "./terminal-text.ts";

export type DecideArguments = {
  readonly question: string | undefined;
  /** A file with a question for each line, as JSON. */
  readonly questions: string | undefined;
  readonly choices: readonly string[] | undefined;
  readonly boolean: boolean;
  /** `MIN..MAX` */
  readonly score: string | undefined;
  readonly reason: boolean;
  readonly json: boolean;
  readonly instructions: string | undefined;
  readonly effort: "low" | "medium" | "high" | undefined;
  readonly maxReasoningTokens: number | undefined;
  readonly model: ModelArguments;
};

const MAX_QUESTIONS_BYTES = 16 * 1024 * 1024;

/** @throws UsageError before a model is opened; ModelError, InferenceError */
export async function decideCommand(
  args: DecideArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, env, signal } = context;
  const questions =
    args.questions === undefined
      ? [{ question: await questionOf(args, context), ...answersOf(args) } as DecisionQuestion]
      : await questionsFrom(args.questions, args);
  await using environment = await openEnvironment({
    env,
    model: modelConfiguration(args.model, {
      note: (sentence) => output.note(sentence),
      progress: output.isLive ? (text) => output.progress(text) : null,
    }),
    python: false,
    keepThreads: false,
    onNote: (sentence) => output.note(sentence),
  });
  const decisions = await decideAll({
    model: environment.model,
    questions,
    reason: args.reason,
    instructions: args.instructions,
    effort: args.effort,
    maxReasoningTokens: args.maxReasoningTokens,
    sampling: samplingOf(args.model),
    signal,
  });
  for (const [at, decision] of decisions.entries()) {
    if (args.json) output.jsonLine({ question: questions[at]?.question, ...decision });
    else tell(decision, output, decisions.length > 1 ? questions[at]?.question : undefined);
  }
  return EXIT.ok;
}

function questionOf(
  { question }: DecideArguments,
  { output, env, signal }: CommandContext,
): Promise<string> {
  return readPrompt({
    argument: question,
    stdin: process.stdin,
    isOwnStdin: isOwnStdin(env),
    note: (sentence) => output.note(sentence),
    signal,
  });
}

/** The answers that the flags name. @throws UsageError where it is not exactly one kind of them */
function answersOf({ choices, boolean, score }: DecideArguments): object {
  const given = [
    ...(choices === undefined ? [] : [{ choices }]),
    ...(boolean ? [{ boolean: true }] : []),
    ...(score === undefined ? [] : [{ score: rangeOf(score) }]),
  ];
  if (given.length === 1) return given[0] as object;
  throw new UsageError(
    `${given.length === 0 ? "No answers are" : "More than one kind of answers is"} given; accepted: one of ` +
      "--choices A,B, --boolean and --score MIN..MAX.",
  );
}

function rangeOf(text: string): { readonly min: number; readonly max: number } {
  const [, min, max] = /^(-?\d{1,9})\.\.(-?\d{1,9})$/.exec(text) ?? [];
  if (min !== undefined && max !== undefined) return { min: Number(min), max: Number(max) };
  throw new UsageError(`--score is ${JSON.stringify(text)}; accepted: MIN..MAX, like 1..5.`);
}

/** Lines of `{"question", "choices" | "boolean" | "score"}`; a line without answers takes those of the flags. */
async function questionsFrom(
  path: string,
  args: DecideArguments,
): Promise<readonly DecisionQuestion[]> {
  if (args.question !== undefined) {
    throw new UsageError("A question and --questions are given; give one of them.");
  }
  const text = await readTextFile(path, MAX_QUESTIONS_BYTES, `--questions ${path}`);
  const lines = text.split("\n").map((line, at) => ({ line: line.trim(), number: at + 1 }));
  return lines
    .filter(({ line }) => line !== "")
    .map(({ line, number }) => {
      const problem = (what: string): UsageError =>
        new UsageError(
          `--questions ${path} line ${number} ${what}; accepted: {"question": "…", "choices": ["…", "…"]}, or ` +
            '"boolean": true, or "score": {"min": 1, "max": 5}.',
        );
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch (error) {
        throw problem(`is not JSON (${messageOf(error)})`);
      }
      if (typeof value !== "object" || value === null || !("question" in value)) {
        throw problem('has no "question"');
      }
      const hasAnswers = ["choices", "boolean", "score"].some((kind) => kind in value);
      return { ...value, ...(hasAnswers ? {} : answersOf(args)) } as DecisionQuestion;
    });
}

/** A coverage below it is worth a word. */
const SMALL_COVERAGE = 0.5;
const MAX_SHOWN = 12;

function tell(
  decision: Decision,
  output: CommandContext["output"],
  question: string | undefined,
): void {
  const { probabilities, coverage, mean, reasoning } = decision;
  if (reasoning) output.watchLines("reasoning", reasoning, "result");
  if (question !== undefined) output.line(visibleText(question.split("\n")[0] ?? ""));
  for (const { answer, probability } of probabilities.slice(0, MAX_SHOWN)) {
    output.line(`${percent(probability)}  ${visibleText(answer)}`);
  }
  const hidden = probabilities.length - MAX_SHOWN;
  if (hidden > 0) output.line(`and ${hidden} answers less likely`);
  if (mean !== undefined) output.line(`mean ${mean.toFixed(2)}`);
  if (coverage < SMALL_COVERAGE) {
    output.note(
      `the model would give one of these answers with a probability of ${coverage.toPrecision(2)} only; left ` +
        "alone, it would say something else.",
    );
  }
}

function percent(probability: number): string {
  return `${(probability * 100).toFixed(1).padStart(5)} %`;
}
