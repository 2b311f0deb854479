/** What the policy, the tool and the person who is asked say about a call, and what of it goes into the log. */
import { needsApproval, prepareCall, type Tool, type ToolContext } from "../../tools/index.ts";
import type { ApprovalDecision } from "../calls/approval.ts";
import { messageOf } from "../errors.ts";
import { fingerprintOf, hashOf } from "../policy/fingerprint.ts";
import type { AnswerSubject, RememberedAnswer } from "../policy/policy.ts";
import { TOOLS_OWN_POLICY } from "../policy/rule-policy.ts";
import type { Approval } from "../thread/entry.ts";
import type { OpenCall } from "../thread/state.ts";
import { type RunContext, record } from "./run-context.ts";

/**
 * Decides about a call whose arguments are valid.
 *
 * @returns the rule that allows it; null when it may not run now: that it was denied, or that a person has to be
 *   asked, is in the log
 */
export async function decideCall(
  run: RunContext,
  call: OpenCall,
  tool: Tool,
  prepared: { readonly arguments: unknown; readonly input: unknown },
  context: ToolContext,
): Promise<string | null> {
  const { taint, answers } = run.thread.state;
  const subject: AnswerSubject = {
    tool: call.call.tool,
    fingerprint: fingerprintOf(tool),
    argumentsHash: hashOf(prepared.arguments),
  };
  const decision = await (run.policy ?? TOOLS_OWN_POLICY).decide({
    tool,
    name: call.call.tool,
    arguments: prepared.arguments,
    taint,
    answers,
    needsApproval: () => needsApproval(tool, prepared.input, context),
  });
  run.signal.throwIfAborted();
  const { action, rule, reason, change } = decision;
  if (action === "allow") return rule;
  // The question has its answer; a rule that denies would still count.
  if (action === "ask" && isAnswered(call, subject)) return call.decidedBy ?? null;
  await record(run, {
    type: "approval",
    callId: call.callId,
    decision: action === "ask" ? "asked" : "denied",
    by: rule,
    reason,
    rule,
    ...(action === "ask" && { subject }),
    ...(change !== undefined && { change }),
  });
  return null;
}

/** A person has agreed to this call, of the tool as it is now. */
function isAnswered({ progress, decidedBy, question }: OpenCall, subject: AnswerSubject): boolean {
  if (decidedBy === undefined || (progress !== "allowed" && progress !== "started")) return false;
  const asked = question?.subject;
  return (
    asked === undefined ||
    (asked.tool === subject.tool &&
      asked.fingerprint === subject.fingerprint &&
      asked.argumentsHash === subject.argumentsHash)
  );
}

/** Asks the caller of the run. What cannot be decided is denied. */
export async function askCaller(
  run: RunContext,
  call: OpenCall,
  cause: "needs_approval" | "unknown_outcome",
): Promise<ApprovalDecision> {
  const { question } = call;
  if (run.approve === null) {
    const why = question?.reason === undefined ? "" : ` ${question.reason}`;
    return { decision: "deny", by: "no_approver", reason: `There is no one to ask.${why}` };
  }
  const tool = run.tools.get(call.call.recipient)?.tool;
  const prepared = tool && (await prepareCall(tool, call.text));
  const { taint } = run.thread.state;
  const request = {
    callId: call.callId,
    tool: call.call.tool,
    arguments: prepared?.ok ? prepared.arguments : call.text,
    annotations: tool?.annotations ?? {},
    rule: question?.rule ?? cause,
    ...(question?.reason !== undefined && { reason: question.reason }),
    ...(question?.change !== undefined && { change: question.change }),
    ...(taint !== null && { taintedBy: taint.source }),
    cause,
  };
  try {
    const { approve, signal } = run;
    const decision = await run.time.pausedFor(async () => approve(request, { signal }));
    signal.throwIfAborted();
    return decision;
  } catch (error) {
    run.signal.throwIfAborted();
    return { decision: "deny", by: "no_approver", reason: `Asking failed: ${messageOf(error)}.` };
  }
}

/** Writes an answer into the log, and keeps it where it is to hold for all threads. */
export async function recordDecision(
  run: RunContext,
  call: OpenCall,
  decided: Exclude<ApprovalDecision, "pause">,
): Promise<void> {
  const answer = typeof decided === "object" ? decided : { decision: decided };
  const { decision, by = "caller", reason, remember, covers } = answer;
  const rule = call.question?.rule;
  const problem = remember === "always" ? await keep(run, call, decision, covers) : null;
  await record(run, {
    type: "approval",
    callId: call.callId,
    decision: decision === "allow" ? "allowed" : "denied",
    by,
    ...(rule !== undefined && { rule }),
    ...(reason !== undefined && { reason }),
    ...(remember && { remember: problem === null ? remember : "session" }),
    ...(covers && { covers }),
  } satisfies Approval);
  if (problem !== null) await run.emit({ type: "error", message: problem });
}

/** @returns why the answer holds in this thread alone; null when it is kept */
async function keep(
  { policy, tools }: RunContext,
  { call, question }: OpenCall,
  decision: "allow" | "deny",
  covers: "tool" | "arguments" | undefined,
): Promise<string | null> {
  const tool = tools.get(call.recipient)?.tool;
  const subject = question?.subject;
  if (policy === null || tool === undefined || subject === undefined) return null;
  const answer: RememberedAnswer = {
    decision,
    scope: "always",
    tool: subject.tool,
    fingerprint: subject.fingerprint,
    ...(covers === "arguments" && { argumentsHash: subject.argumentsHash }),
    // Of other threads nothing is known: what strangers wrote there has to be asked about there.
    isTainted: false,
  };
  try {
    await policy.remember(answer, tool, subject.tool);
    return null;
  } catch (error) {
    return `The answer holds in this conversation only. ${messageOf(error)}`;
  }
}
