/** A call of the model into a result, with everything that has to be in the log on the way. */
import { prepareCall, runPreparedCall, type Tool, type ToolResult } from "../../tools/index.ts";
import { allowedTools } from "../calls/allowed-tools.ts";
import { TOOL_SEARCH } from "../calls/tool-search.ts";
import { RunError } from "../errors.ts";
import type { CallResult } from "../thread/entry.ts";
import { type OpenCall, promptTranscript, toolStatesOf } from "../thread/state.ts";
import { askCaller, decideCall, recordDecision } from "./decide-call.ts";
import { roundMs } from "./run-clock.ts";
import { type RunContext, record } from "./run-context.ts";
import { progressTeller } from "./tell-progress.ts";

/** A tool's result takes at most this share of the free context, so that the answer fits as well. */
const RESULT_SHARE = 0.5;
/** And never more: one page must not crowd out a long conversation. */
const MAX_RESULT_TOKENS = 16_384;
/** A result of fewer tokens than these says nothing. */
const MIN_RESULT_TOKENS = 32;

type Prepared = Awaited<ReturnType<typeof prepareCall>>;

/**
 * Executes a call, or records that it waits for an approval.
 * @throws RunError with the code CHORALE_CONTEXT_FULL when no result would fit; the signal's reason
 */
export async function executeCall(run: RunContext, call: OpenCall): Promise<void> {
  const tool = run.tools.get(call.call.recipient)?.tool;
  if (tool === undefined) {
    await refuse(run, call, `The tool ${call.call.tool} is not available in this run.`);
    return;
  }
  const choice = run.thread.state.turn?.settings.toolChoice ?? "auto";
  // A turn with one tool that has to be called first may call the others behind it.
  const isAllowed =
    typeof choice === "string" ||
    "tool" in choice ||
    allowedTools(choice, run.tools).some(({ recipient }) => recipient === call.call.recipient);
  if (!isAllowed) {
    await refuse(run, call, `The tool ${call.call.tool} may not be called in this turn.`);
    return;
  }
  const resultTokenLimit = tokenLimit(run);
  const prepared = await prepareCall(tool, call.text);
  run.signal.throwIfAborted();
  if (!prepared.ok) {
    await record(run, {
      ...resultOf(call, "failed", prepared.message),
      issues: prepared.issues,
    });
    return;
  }
  const context = toolContext(run, call, resultTokenLimit);
  const allowedBy = await decideCall(run, call, tool, prepared, context);
  if (allowedBy !== null) await runTool(run, call, tool, prepared, context, allowedBy);
}

/** @returns false when the run has to wait for the decision */
export async function askApproval(run: RunContext, call: OpenCall): Promise<boolean> {
  const decision = await askCaller(run, call, "needs_approval");
  if (decision === "pause") return false;
  await recordDecision(run, call, decision);
  return true;
}

/**
 * A call was started, and the process ended before its result was known. What only reads, or does no harm
 * twice, is executed again; about everything else a person decides.
 * @returns false when the run has to wait for the decision
 * @throws RunError with the code CHORALE_UNKNOWN_OUTCOME when there is no one to ask; the next run goes on
 *   with a result that tells the model so
 */
export async function recoverCall(run: RunContext, call: OpenCall): Promise<boolean> {
  if (call.isRepeatable) {
    await executeCall(run, call);
    return true;
  }
  if (run.approve !== null) {
    const decision = await askCaller(run, call, "unknown_outcome");
    if (decision === "pause") return false;
    if (decision === "allow" || (typeof decision === "object" && decision.decision === "allow")) {
      await recordDecision(run, call, decision);
      return true;
    }
  }
  await record(
    run,
    resultOf(
      call,
      "unknown",
      "The program ended while this call was executed, so it is not known whether it took effect. It " +
        "was not executed again.",
    ),
  );
  if (run.approve === null) {
    throw new RunError(
      "CHORALE_UNKNOWN_OUTCOME",
      `The program ended while ${call.call.tool} was executed with ${call.text}; whether it took ` +
        "effect is not known. It was not executed again. Check what it did, and continue the thread.",
      { facts: { callId: call.callId, tool: call.call.tool, arguments: call.text } },
    );
  }
  return true;
}

function resultOf(call: OpenCall, status: CallResult["status"], text: string): CallResult {
  return { type: "result", callId: call.callId, status, text, issues: [], durationMs: 0 };
}

async function refuse(run: RunContext, call: OpenCall, problem: string): Promise<void> {
  await record(run, { ...resultOf(call, "not_executed", problem), unusable: problem });
}

async function runTool(
  run: RunContext,
  call: OpenCall,
  tool: Tool,
  prepared: Extract<Prepared, { ok: true }>,
  context: ReturnType<typeof toolContext>,
  allowedBy: string,
): Promise<void> {
  const { readOnlyHint = false, idempotentHint = false } = tool.annotations ?? {};
  await record(run, {
    type: "call",
    callId: call.callId,
    input: prepared.arguments ?? null,
    idempotencyKey: context.idempotencyKey,
    isRepeatable: readOnlyHint === true || idempotentHint === true,
    allowedBy,
  });
  const teller = progressTeller(run, call.callId);
  const { onProgress } = teller;
  const result = await runPreparedCall(tool, prepared, { ...context, onProgress });
  await teller.end();
  run.clock.toolEnded(result.durationMs);
  const isCancelled = context.signal.aborted && result.status === "failed";
  await record(run, {
    type: "result",
    callId: call.callId,
    status: isCancelled ? "cancelled" : result.status,
    text: isCancelled && !run.signal.aborted ? outOfTime(call) : result.text,
    ...(result.data !== undefined && { data: result.data }),
    ...(result.threadState !== undefined && { threadState: result.threadState }),
    ...(result.content !== undefined && { content: result.content }),
    ...foundTools(run, call, result),
    issues: result.issues ?? [],
    durationMs: roundMs(result.durationMs),
  });
  run.signal.throwIfAborted();
}

/** What a search for tools found is declared behind its result. */
function foundTools(
  { tools, thread }: RunContext,
  { call }: OpenCall,
  { status, data }: ToolResult,
): Pick<CallResult, "declares"> {
  if (call.recipient !== TOOL_SEARCH || tools.deferred === null || status !== "completed")
    return {};
  const known = thread.state.transcript.flatMap(({ declares = [] }) => declares);
  const declares = tools.deferred.declaration(data, known);
  return declares === null ? {} : { declares };
}

function outOfTime({ call }: OpenCall): string {
  return `${call.tool} was stopped: the time of the turn is used up.`;
}

function toolContext(run: RunContext, call: OpenCall, resultTokenLimit: number) {
  return {
    signal: run.time.signal,
    callId: call.callId,
    idempotencyKey: `${run.thread.id}:${call.callId}`,
    context: run.userContext,
    countTokens: (text: string) => run.model.countTokens(text),
    resultTokenLimit,
    threadState: toolStatesOf(run.thread.state, call.call.recipient),
  };
}

/** Most tokens of the next result. @throws RunError when there is no room for one */
function tokenLimit({ model, thread, tools }: RunContext): number {
  const { turn } = thread.state;
  if (turn === null) return MIN_RESULT_TOKENS;
  const { contextLength } = model;
  const transcript = promptTranscript(thread.state);
  const used = model.promptTokens({ settings: turn.settings, tools, transcript });
  const limit = Math.min(MAX_RESULT_TOKENS, Math.floor((contextLength - used) * RESULT_SHARE));
  if (limit >= MIN_RESULT_TOKENS) return limit;
  throw new RunError(
    "CHORALE_CONTEXT_FULL",
    `The context is full before the tool's result could be read: ${used} of ${contextLength} tokens ` +
      "are in use. Nothing was cut; ask for less at once, or use a model with a larger context.",
    { option: "contextLength", facts: { usedTokens: used, contextLength } },
  );
}
