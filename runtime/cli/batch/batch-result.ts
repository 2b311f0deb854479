/** What a batch says about a line, and what an earlier one said. */
import { codeOf, messageOf, RunError, type RunErrorCode } from "../../errors.ts";
import type { Annotation, DeniedCall, RunStatus, Timing, Usage } from "../../events.ts";
import type { Denial, LogEntry, RunResult } from "../../index.ts";
import { annotationsOf, conversationOf, fold } from "../../index.ts";
import { exitCodeOf } from "../exit-code-of.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { BatchItem } from "./batch-input.ts";

/** One line of the output. The names are those of the events. */
export type BatchResult = {
  readonly line: number;
  /** As the input has it; null where it has none. */
  readonly id: string | number | null;
  readonly status: RunStatus;
  /** The answer; null when there is none. */
  readonly output: string | null;
  /** What its citations cite; absent where it has none. */
  readonly annotations?: readonly Annotation[];
  /** Without an answer: what was said until then. */
  readonly partial_output?: string;
  readonly error?: { readonly message: string; readonly code?: string };
  /** With an answer: the last call that was wanted and not allowed. */
  readonly denied_call?: DeniedCall;
  /** What `chorale run` would end with. */
  readonly exit_code: ExitCode;
  readonly usage: Usage | null;
  readonly timing: Timing | null;
  /** How often the line was tried, with `--retry-failed`. */
  readonly attempt: number;
  /** The first 16 digits, of the line of the input. */
  readonly input_sha256: string;
};

type Facts = Pick<BatchResult, "line" | "id" | "input_sha256" | "attempt">;

const factsOf = ({ line, id, sha256 }: BatchItem, attempt: number): Facts => ({
  line,
  id,
  attempt,
  input_sha256: sha256,
});

/** A line that is no prompt. */
export function problemResult(item: BatchItem, problem: string): BatchResult {
  return {
    ...factsOf(item, 1),
    status: "failed",
    output: null,
    error: { message: problem, code: "CHORALE_USAGE" },
    exit_code: EXIT.usage,
    usage: null,
    timing: null,
  };
}

export function runResult(item: BatchItem, attempt: number, run: RunResult): BatchResult {
  const { status, output, annotations, partialOutput, error, deniedCall, usage, timing } = run;
  const code = codeOf(error);
  return {
    ...factsOf(item, attempt),
    status,
    output,
    ...(annotations.length > 0 && { annotations }),
    ...(partialOutput !== undefined && { partial_output: partialOutput }),
    ...(error !== undefined && {
      error: { message: messageOf(error), ...(code !== undefined && { code }) },
    }),
    ...(deniedCall !== undefined && { denied_call: deniedCall }),
    exit_code: status === "completed" ? answered(deniedCall) : exitCodeOf(error),
    usage,
    timing,
  };
}

const answered = (denied: unknown): ExitCode => (denied === undefined ? EXIT.ok : EXIT.denied);

/** The result of a run whose process ended before it was written; null where the run is not over. */
export function loggedResult(
  item: BatchItem,
  attempt: number,
  entries: readonly LogEntry[],
): BatchResult | null {
  const last = entries.at(-1);
  if (last?.type !== "ended") return null;
  const { status, output, partial, error, denied, timing } = last;
  const state = fold(entries);
  const isVerified = conversationOf(entries).at(-1)?.verifiesCitations ?? false;
  const annotations = output === null ? [] : annotationsOf(output, state, isVerified);
  return {
    ...factsOf(item, attempt),
    status,
    output,
    ...(annotations.length > 0 && { annotations }),
    ...(partial !== undefined && { partial_output: partial }),
    ...(error !== null && { error }),
    ...(denied !== undefined && { denied_call: deniedCall(denied) }),
    exit_code: status === "completed" ? answered(denied) : loggedExitCode(error?.code),
    usage: state.usage,
    timing,
  };
}

function deniedCall({ callId, tool, rule, reason }: Denial): DeniedCall {
  return { call_id: callId, tool, rule, ...(reason !== undefined && { reason }) };
}

function loggedExitCode(code: string | undefined): ExitCode {
  // Of what ends a run from outside, only its time is recorded.
  if (code === "CHORALE_INTERRUPTED") return EXIT.limit;
  return exitCodeOf(code === undefined ? undefined : new RunError(code as RunErrorCode, ""));
}

/** Whether `--retry-failed` asks it again. */
export const isFailed = ({ exit_code: code }: BatchResult): boolean => code !== EXIT.ok;

/** The result that a line of an output holds; null for anything else. */
export function resultOfLine(text: string): BatchResult | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const result = json as Partial<BatchResult> | null;
  const isResult =
    typeof result === "object" &&
    typeof result?.line === "number" &&
    typeof result.exit_code === "number" &&
    typeof result.input_sha256 === "string" &&
    typeof result.attempt === "number";
  return isResult ? (result as BatchResult) : null;
}

/** A run that ended in a way that none should: a bug of a tool or of Chorale. */
export function thrownResult(item: BatchItem, attempt: number, error: unknown): BatchResult {
  const code = codeOf(error);
  return {
    ...factsOf(item, attempt),
    status: "failed",
    output: null,
    error: { message: messageOf(error), ...(code !== undefined && { code }) },
    exit_code: exitCodeOf(error),
    usage: null,
    timing: null,
  };
}
