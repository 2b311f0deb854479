/**
 * One call into one result, always: the model sees what went wrong and can act on it.
 * Only a bug of this file would throw.
 */
import { performance } from "node:perf_hooks";
import type { Issue } from "../../harmony/index.ts";
import { describeAsJson } from "../core/json-value.ts";
import { messageOf } from "../core/text.ts";
import {
  isClientSideTool,
  type Tool,
  type ToolContext,
  type ToolOutput,
  type ToolResult,
} from "../core/tool.ts";
import { toToolOutput } from "../core/tool-output.ts";
import { truncateToTokens } from "../core/truncate.ts";
import { unlessAborted } from "../core/unless-aborted.ts";
import { needsApproval } from "./approval.ts";
import { type PreparedCall, prepareCall } from "./arguments.ts";

export type ExecuteContext = Omit<ToolContext, "context" | "idempotencyKey"> & {
  /** Absent: tools get undefined. */
  readonly context?: unknown;
  /** `callId` unless given. */
  readonly idempotencyKey?: string;
  /** The user agreed to this call. Without it a call that needs approval is not run. */
  readonly approved?: boolean;
};

/**
 * How long a tool may take to notice its abort signal before the loop goes on without it: less than a
 * command has to end in order after Ctrl-C.
 */
const ABORT_GRACE_MS = 100;

/**
 * Runs a call as the model wrote it: `prepareCall`, the tool's approval rule, `runPreparedCall`. A loop
 * that asks the user in between calls the three by itself.
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
  const refused = (text: string, issues: readonly Issue[] = []): ToolResult =>
    resultOf(failure(text), issues, startedAt, context);
  if (isClientSideTool(tool)) return refused(noExecute(tool));
  if (context.signal.aborted) return refused(cancelled(tool));
  const prepared = await unlessAborted(prepareCall(tool, rawArguments), context.signal);
  if (prepared === null) return refused(cancelled(tool));
  if (!prepared.ok) return refused(prepared.message, prepared.issues);
  if (!context.approved && (await needsApproval(tool, prepared.input, toolContext(context)))) {
    return refused(
      `${tool.recipient} was not run: it needs the user's approval, which was not given.`,
      prepared.issues,
    );
  }
  const result = await runPreparedCall(tool, prepared, context);
  return { ...result, durationMs: performance.now() - startedAt };
}

/**
 * Runs a call whose arguments are valid: bounds the time, turns failures into results and cuts the text
 * to `context.resultTokenLimit` tokens. Asks for no approval.
 */
export async function runPreparedCall(
  tool: Tool,
  { input, issues }: Pick<PreparedCall, "input" | "issues">,
  context: ExecuteContext,
): Promise<ToolResult> {
  const startedAt = performance.now();
  const output = isClientSideTool(tool)
    ? failure(noExecute(tool))
    : await runBounded(tool, input, toolContext(context));
  return resultOf(output, issues, startedAt, context);
}

function toolContext(context: ExecuteContext): ToolContext {
  const { signal, callId, idempotencyKey = callId, countTokens, resultTokenLimit } = context;
  const { onProgress, threadState } = context;
  return {
    signal,
    callId,
    idempotencyKey,
    context: context.context,
    countTokens,
    resultTokenLimit,
    ...(threadState && { threadState }),
    ...(onProgress && { onProgress }),
  };
}

function resultOf(
  { text: whole, isError, content, structuredContent, data, threadState }: ToolOutput,
  issues: readonly Issue[],
  startedAt: number,
  { resultTokenLimit, countTokens }: ExecuteContext,
): ToolResult {
  const { text, truncated } = truncateToTokens(whole.toWellFormed(), resultTokenLimit, countTokens);
  return {
    status: isError ? "failed" : "completed",
    text,
    ...(content && { content }),
    ...(structuredContent !== undefined && { structuredContent }),
    // Programs write it into logs and events, which must not fail for what a tool hands over.
    ...(data !== undefined && { data: describeAsJson(data) }),
    ...(threadState !== undefined && { threadState: describeAsJson(threadState) }),
    ...(issues.length > 0 && { issues }),
    ...(truncated && { truncated }),
    durationMs: performance.now() - startedAt,
  };
}

/** Runs the tool against the clock and the caller's signal; neither needs the tool's cooperation. */
async function runBounded(tool: Tool, input: unknown, context: ToolContext): Promise<ToolOutput> {
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
    const output = toToolOutput(await tool.execute?.(input, context));
    return output.isError && output.text.trim() === "" ? failure(failed(tool, "")) : output;
  } catch (error) {
    const reason: unknown = context.signal.reason;
    if (context.signal.aborted && reason instanceof Error) return failure(reason.message);
    return failure(failed(tool, messageOf(error)));
  }
}

/** No stack: the model can do nothing with the paths of this machine. */
function failed(tool: Tool, why: string): string {
  return `${tool.recipient} failed: ${why.trim() === "" ? "it did not say why" : why}`;
}

function cancelled(tool: Tool): string {
  return `${tool.recipient} was stopped: the run was cancelled.`;
}

function noExecute(tool: Tool): string {
  return `${tool.recipient} was not run: it has no execute function, so the caller of the run carries out its calls and appends the results.`;
}

function failure(text: string): ToolOutput {
  return { text, isError: true };
}
