/**
 * The failures that end a run. Each has a stable `code` and its facts as fields; `option` names the
 * option of the library that would change the outcome, and the command line adds the flag for it.
 * Failures of a tool or of the model's wording are not here: they become messages that the model reads.
 */

export type RunErrorCode =
  /** The prompt, an option or a file is not what is asked for; nothing was started. */
  | "CHORALE_USAGE"
  /** The prompt leaves no room for an answer in the context. */
  | "CHORALE_PROMPT_TOO_LONG"
  /** The conversation filled the context before there was an answer. */
  | "CHORALE_CONTEXT_FULL"
  /** Budgets of a turn, each used up before there was an answer. */
  | "CHORALE_STEP_LIMIT"
  | "CHORALE_TOKEN_LIMIT"
  | "CHORALE_REASONING_LIMIT"
  | "CHORALE_TIME_LIMIT"
  | "CHORALE_TOOL_CALL_LIMIT"
  | "CHORALE_OUTPUT_LIMIT"
  /** The model went in circles again and again. */
  | "CHORALE_LOOP"
  /** The answer does not pass its schema, after every repair that was allowed. */
  | "CHORALE_INVALID_OUTPUT"
  /** Answers and trusted tools cannot be read or written. */
  | "CHORALE_POLICY_STORE"
  /** A call was not allowed, and the model cannot go on without it. */
  | "CHORALE_APPROVAL_DENIED"
  /** The process that executed a call ended before its result was known. */
  | "CHORALE_UNKNOWN_OUTCOME"
  /** The model's Harmony stayed unusable after every retry that was allowed. */
  | "CHORALE_HARMONY_UNUSABLE"
  /** The model could not be opened, or failed while it computed. */
  | "CHORALE_MODEL"
  /** An error was thrown where no call could catch it, in a timer or a callback of a tool. */
  | "CHORALE_STRAY_ERROR"
  | "CHORALE_INTERRUPTED"
  | "CHORALE_THREAD_LOG"
  | "CHORALE_THREAD_CONFLICT"
  | "CHORALE_THREAD_FENCED"
  | "CHORALE_THREAD_NOT_FOUND"
  | "CHORALE_THREAD_AMBIGUOUS"
  /** A file that the command was to write. */
  | "CHORALE_FILE_WRITE"
  | "CHORALE_THREAD_IMPORT"
  | "CHORALE_THREAD_EXPORT"
  | "CHORALE_THREAD_STORE"
  | "CHORALE_THREAD_BUSY"
  /** A log does not hold what a replay needs, or needs another model. */
  | "CHORALE_REPLAY";

/** Also recognises errors of another copy of the package. */
const BRAND = Symbol.for("chorale.RunError");

export type RunErrorDetails = {
  readonly cause?: unknown;
  /** The option that would change the outcome. */
  readonly option?: string | undefined;
  /** Numbers and names of the message. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
};

export class RunError extends Error {
  readonly code: RunErrorCode;
  readonly option: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: RunErrorCode, message: string, details: RunErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.option = details.option;
    this.facts = details.facts ?? {};
  }

  override get name(): string {
    return this.constructor.name;
  }

  /** Whether a value is an error of this kind, also one of another copy of the package. */
  static isInstance(value: unknown): value is RunError {
    return typeof value === "object" && value !== null && BRAND in value;
  }
}

Object.defineProperty(RunError.prototype, BRAND, { value: true });

/** An option, the prompt, or a file is not what was asked for. */
export class UsageError extends RunError {
  constructor(message: string, details: RunErrorDetails = {}) {
    super("CHORALE_USAGE", message, details);
  }
}

/** The final answer does not pass its schema, after every repair that was allowed. */
export class InvalidOutputError extends RunError {
  readonly problems: readonly string[];
  readonly repairs: number;
  constructor(problems: readonly string[], repairs: number) {
    super(
      "CHORALE_INVALID_OUTPUT",
      `The answer does not pass its schema after ${repairs} repair${repairs === 1 ? "" : "s"}: ` +
        problems.join("; "),
      { option: "maxRepairs" },
    );
    this.problems = problems;
    this.repairs = repairs;
  }
}

/** The model could not be opened, or its engine failed while it computed. */
export class ModelError extends RunError {
  constructor(message: string, details: RunErrorDetails = {}) {
    super("CHORALE_MODEL", message, details);
  }
}

/** `stdout`: what the run writes to cannot be written any more. */
export type InterruptedBy =
  | "SIGINT"
  | "SIGTERM"
  | "SIGHUP"
  | "SIGPIPE"
  | "timeout"
  | "stdout"
  | "caller";

/** The run was stopped: `AbortController.abort(new InterruptedError(…))`. */
export class InterruptedError extends RunError {
  readonly by: InterruptedBy;
  constructor(by: InterruptedBy, cause?: unknown) {
    super("CHORALE_INTERRUPTED", interruption(by, cause), { cause });
    this.by = by;
  }
}

function interruption(by: InterruptedBy, cause: unknown): string {
  switch (by) {
    case "caller":
      return "The run was aborted.";
    case "timeout":
      return "The run was stopped: its time is up.";
    case "stdout":
      return `The run was stopped: stdout cannot be written (${messageOf(cause)}).`;
    default:
      return `The run was stopped by ${by}.`;
  }
}

/** Anything thrown, as a sentence: for events and for the terminal. */
export function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}

/** The stable code of an error that this project throws on purpose; undefined for any other value. */
export function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && code.startsWith("CHORALE_") ? code : undefined;
}

/** Whether an error is one that this project throws on purpose: its message says everything. */
export function isForeseen(error: unknown): boolean {
  return codeOf(error) !== undefined;
}
