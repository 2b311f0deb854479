/**
 * The failures that end a run. Each has a stable `code`, the exit status it stands for, and its facts
 * as fields. Failures of a tool or of the model's wording are not here: they become messages that
 * the model reads (see dispatch.ts), until a limit below is reached.
 */
import { EXIT, type ExitCode } from "./exit-codes.ts";

export abstract class RunError extends Error {
  abstract readonly code: `CHORALE_${string}`;
  abstract readonly exitCode: ExitCode;
  override get name(): string {
    return this.constructor.name;
  }
}

/** A flag, the prompt, or a file named on the command line is not what was asked for. */
export class UsageError extends RunError {
  readonly code = "CHORALE_USAGE";
  readonly exitCode: ExitCode = EXIT.usage;
}

/** The prompt, with system and developer message, leaves no room in the context. */
export class PromptTooLongError extends RunError {
  readonly code = "CHORALE_PROMPT_TOO_LONG";
  readonly exitCode: ExitCode = EXIT.usage;
  readonly contextLength: number;
  constructor(size: string, contextLength: number) {
    super(
      `The prompt does not fit: it has ${size}, and the model's context holds ${contextLength} ` +
        "tokens, the system and developer message and the answer included. Shorten the prompt, " +
        "or use a model (or --context) with more room.",
    );
    this.contextLength = contextLength;
  }
}

/** The conversation filled the context before there was an answer. */
export class ContextFullError extends RunError {
  readonly code = "CHORALE_CONTEXT_FULL";
  readonly exitCode: ExitCode = EXIT.failed;
  readonly contextLength: number;
  readonly usedTokens: number;
  constructor(doing: string, usedTokens: number, contextLength: number) {
    super(
      `The context is full ${doing}: ${usedTokens} of ${contextLength} tokens are in use. ` +
        "Nothing was cut; ask for less at once, or use a model (or --context) with more room.",
    );
    this.contextLength = contextLength;
    this.usedTokens = usedTokens;
  }
}

export class TurnLimitError extends RunError {
  readonly code = "CHORALE_TURN_LIMIT";
  readonly exitCode: ExitCode = EXIT.limit;
  readonly maxTurns: number;
  constructor(maxTurns: number) {
    super(
      `The model was given ${maxTurns} turn${maxTurns === 1 ? "" : "s"} and still wanted to call a ` +
        "tool; raise the limit with --max-turns.",
    );
    this.maxTurns = maxTurns;
  }
}

export class TokenLimitError extends RunError {
  readonly code = "CHORALE_TOKEN_LIMIT";
  readonly exitCode: ExitCode = EXIT.limit;
  readonly maxTokens: number;
  constructor(maxTokens: number) {
    super(
      `The model generated ${maxTokens} token${maxTokens === 1 ? "" : "s"} without finishing its ` +
        "answer; raise the limit with --max-tokens.",
    );
    this.maxTokens = maxTokens;
  }
}

/** The final answer does not pass its schema, after every repair that was allowed. */
export class InvalidOutputError extends RunError {
  readonly code = "CHORALE_INVALID_OUTPUT";
  readonly exitCode: ExitCode = EXIT.invalidOutput;
  readonly problems: readonly string[];
  readonly repairs: number;
  constructor(problems: readonly string[], repairs: number) {
    super(
      `The answer does not pass its schema after ${repairs} repair${repairs === 1 ? "" : "s"}: ` +
        problems.join("; "),
    );
    this.problems = problems;
    this.repairs = repairs;
  }
}

/** The model keeps producing messages that can neither be dispatched nor shown. */
export class HarmonyUnusableError extends RunError {
  readonly code = "CHORALE_HARMONY_UNUSABLE";
  readonly exitCode: ExitCode = EXIT.harmony;
  readonly retries: number;
  constructor(lastProblem: string, retries: number) {
    super(
      `The model's output stayed unusable after ${retries} retr${retries === 1 ? "y" : "ies"}: ` +
        lastProblem,
    );
    this.retries = retries;
  }
}

/** The model could not be opened, or its engine failed while it computed. */
export class ModelError extends RunError {
  readonly code = "CHORALE_MODEL";
  readonly exitCode: ExitCode = EXIT.model;
}

/** Something was thrown where nobody could catch it, in a timer or a callback of a tool. */
export class StrayError extends RunError {
  readonly code = "CHORALE_STRAY_ERROR";
  readonly exitCode: ExitCode = EXIT.failed;
}

/** Somebody stopped the run: `AbortController.abort(new InterruptedError(…))`. */
export class InterruptedError extends RunError {
  readonly code = "CHORALE_INTERRUPTED";
  readonly exitCode: ExitCode;
  constructor(by: "SIGINT" | "SIGTERM" | "SIGPIPE" | "caller", cause?: unknown) {
    super(by === "caller" ? "The run was aborted." : `The run was stopped by ${by}.`, { cause });
    this.exitCode =
      by === "SIGTERM" ? EXIT.terminated : by === "SIGPIPE" ? EXIT.pipeClosed : EXIT.interrupted;
  }
}

/** Anything thrown, as a sentence: for events and for the terminal. */
export function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}

/** Whether an error is one that this project throws on purpose: its message says everything. */
export function isForeseen(error: unknown): boolean {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && code.startsWith("CHORALE_");
}
