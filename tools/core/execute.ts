/**
 * One call into one result, whatever happens: the model sees what went wrong and can act on it.
 * Only a bug of this file would throw.
 */
import { performance } from "node:perf_hooks";
import type { Issue } from "../../harmony/index.ts";
import { argumentsOf } from "./arguments.ts";
import type { Tool, ToolContext, ToolOutput, ToolResult } from "./tool.ts";
import { truncateToTokens } from "./truncate.ts";

export type ExecuteContext = ToolContext & {
  /** The user agreed to this call. Without it a tool that asks for approval is not run. */
  readonly approved?: boolean;
};

/**
 * How long a tool may take to notice its abort signal before the loop goes on without it: less than a
 * command has to end in order after Ctrl-C.
 */
const ABORT_GRACE_MS = 100;

/**
 * Runs a call as the model wrote it: parses and validates the arguments, bounds the time, turns
 * failures into results and cuts the text to `context.resultTokenLimit` tokens.
 *
 * @param rawArguments  what the model sent: JSON, or the raw body for a tool without `inputSchema`;
 *   empty stands for `{}`
 */
export async function executeTool(
  tool: Tool,
  rawArguments: string,
  context: ExecuteContext,
): Promise<ToolResult> {
  const startedAt = performance.now();
  const { issues, ...outcome } = await attempt(tool, rawArguments, context);
  const { text, truncated } = truncateToTokens(
    outcome.text.toWellFormed(),
    context.resultTokenLimit,
    context.countTokens,
  );
  return {
    status: outcome.isError ? "failed" : "completed",
    text,
    ...(outcome.data !== undefined && { data: outcome.data }),
    ...(issues !== undefined && issues.length > 0 && { issues }),
    ...(truncated && { truncated }),
    durationMs: performance.now() - startedAt,
  };
}

async function attempt(
  tool: Tool,
  raw: string,
  context: ExecuteContext,
): Promise<ToolOutput & { readonly issues?: readonly Issue[] }> {
  if (context.signal.aborted) return failure(cancelled(tool));
  if (tool.needsApproval && !context.approved) {
    return failure(
      `${tool.recipient} was not run: it needs the user's approval, which was not given.`,
    );
  }
  const parsed = await unlessAborted(argumentsOf(tool, raw), context.signal);
  if (parsed === null) return failure(cancelled(tool));
  const { issues } = parsed;
  if (!parsed.ok) return { ...failure(parsed.message), issues };
  return { ...(await runBounded(tool, parsed.input, context)), issues };
}

/** @returns null when the signal comes first; what then becomes of the work is of no interest */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const { promise: aborted, resolve } = Promise.withResolvers<null>();
  const onAbort = (): void => resolve(null);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Runs the tool against the clock and the caller's signal; neither needs the tool's cooperation. */
async function runBounded(
  tool: Tool,
  input: unknown,
  context: ExecuteContext,
): Promise<ToolOutput> {
  const abort = new AbortController();
  const { promise: stopped, resolve: stop } = Promise.withResolvers<ToolOutput>();
  let grace: NodeJS.Timeout | undefined;
  const stopWith = (message: string): void => {
    abort.abort(new Error(message));
    // A tool that ends itself within the grace time may still say something better.
    grace ??= setTimeout(() => stop(failure(message)), ABORT_GRACE_MS);
  };
  const onAbort = (): void => stopWith(cancelled(tool));
  const timer = setTimeout(
    () => stopWith(`${tool.recipient} was stopped: it ran longer than ${tool.timeoutMs / 1000} s.`),
    tool.timeoutMs,
  );
  context.signal.addEventListener("abort", onAbort, { once: true });
  if (context.signal.aborted) onAbort();
  try {
    return await Promise.race([call(tool, input, { ...context, signal: abort.signal }), stopped]);
  } finally {
    clearTimeout(timer);
    clearTimeout(grace);
    context.signal.removeEventListener("abort", onAbort);
  }
}

async function call(tool: Tool, input: unknown, context: ToolContext): Promise<ToolOutput> {
  try {
    const output: unknown = await tool.execute(input, context);
    if (typeof output === "string") return { text: output };
    if (isToolOutput(output)) return output;
    return failure(`${tool.recipient} failed: it returned neither a text nor a result.`);
  } catch (error) {
    const reason: unknown = context.signal.reason;
    if (context.signal.aborted && reason instanceof Error) return failure(reason.message);
    return failure(`${tool.recipient} failed: ${describeThrown(error)}`);
  }
}

function isToolOutput(output: unknown): output is ToolOutput {
  return (
    typeof output === "object" &&
    output !== null &&
    "text" in output &&
    typeof output.text === "string"
  );
}

/** A sentence for whatever was thrown: no stack, since the model can do nothing with our paths. */
function describeThrown(error: unknown): string {
  try {
    const text = error instanceof Error ? error.message || error.name : String(error);
    return text === "" ? "it threw without saying why" : text;
  } catch {
    return "it threw something that cannot be printed";
  }
}

function cancelled(tool: Tool): string {
  return `${tool.recipient} was stopped: the run was cancelled.`;
}

function failure(text: string): ToolOutput {
  return { text, isError: true };
}
