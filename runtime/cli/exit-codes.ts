/**
 * What the `chorale` command's exit status says. With `--json` the same number is in the `run.completed`
 * event, so that a program that reads events and a shell script come to the same conclusion.
 */
import { InterruptedError, RunError, type RunErrorCode } from "../errors.ts";

export const EXIT = {
  ok: 0,
  /** The run failed: the context is full, a tool broke in a way that ends the run, our own bug. */
  failed: 1,
  /** A flag, the prompt or the configuration is wrong; nothing was started. */
  usage: 2,
  /** The final answer still does not pass its schema after the repairs. */
  invalidOutput: 3,
  /** A budget of the turn was used up: steps, tokens, reasoning, seconds, calls, bytes. The error's code says which. */
  limit: 4,
  /**
   * The last call that the model made was not allowed, by a rule or since there was no one to ask; it answered
   * without, or came to no answer.
   */
  denied: 5,
  /** The model is missing or broken, or does not fit this machine. */
  model: 6,
  /** The model's Harmony stayed unusable after the retries. */
  harmony: 7,
  /** `chorale policy check`: a person would be asked. */
  asked: 8,
  /** A terminal that was closed (SIGHUP). */
  hungUp: 129,
  /** Ctrl-C. */
  interrupted: 130,
  /** The reader of the output closed it (`chorale … | head -1`), as SIGPIPE reports it. */
  pipeClosed: 141,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_CODE: Readonly<Partial<Record<RunErrorCode, ExitCode>>> = {
  CHORALE_USAGE: EXIT.usage,
  CHORALE_PROMPT_TOO_LONG: EXIT.usage,
  CHORALE_THREAD_NOT_FOUND: EXIT.usage,
  CHORALE_THREAD_AMBIGUOUS: EXIT.usage,
  CHORALE_THREAD_IMPORT: EXIT.usage,
  CHORALE_THREAD_EXPORT: EXIT.usage,
  CHORALE_INVALID_OUTPUT: EXIT.invalidOutput,
  CHORALE_STEP_LIMIT: EXIT.limit,
  CHORALE_TOKEN_LIMIT: EXIT.limit,
  CHORALE_REASONING_LIMIT: EXIT.limit,
  CHORALE_TIME_LIMIT: EXIT.limit,
  CHORALE_TOOL_CALL_LIMIT: EXIT.limit,
  CHORALE_OUTPUT_LIMIT: EXIT.limit,
  CHORALE_APPROVAL_DENIED: EXIT.denied,
  CHORALE_MODEL: EXIT.model,
  CHORALE_HARMONY_UNUSABLE: EXIT.harmony,
};

const BY_SIGNAL: Readonly<Record<InterruptedError["by"], ExitCode>> = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
  SIGHUP: EXIT.hungUp,
  SIGPIPE: EXIT.pipeClosed,
  timeout: EXIT.limit,
  stdout: EXIT.failed,
  caller: EXIT.interrupted,
};

/** Exit status of an error of the runtime; undefined for any other value. */
export function runExitCode(error: unknown): ExitCode | undefined {
  if (error instanceof InterruptedError) return BY_SIGNAL[error.by];
  return error instanceof RunError ? (BY_CODE[error.code] ?? EXIT.failed) : undefined;
}
