/** From what a model wrote to what was understood of it: the value that goes into the log. */
import type { Issue, MessageHeader } from "../../harmony/index.ts";
import type { DeclaredTools } from "../calls/declared-tools.ts";
import { messageKind } from "../calls/message-kind.ts";
import { resolveCall } from "../calls/resolve.ts";
import { settleKinds, stepOutcome } from "../calls/step-outcome.ts";
import type { ModelMessage, Notice, ResolvedCall, UnderstoodMessage } from "../context.ts";
import type { ModelStep } from "../model/language-model.ts";
import type { Sampled } from "../thread/entry.ts";

/** @returns what the header addresses; undefined for a message that is no call */
export function callOf(
  { recipient }: Pick<MessageHeader, "recipient">,
  tools: DeclaredTools,
): ResolvedCall | undefined {
  return recipient ? resolveCall(recipient, tools).call : undefined;
}

export function understand(
  message: ModelMessage,
  itemId: string | null,
  tools: DeclaredTools,
): UnderstoodMessage {
  const { channel, contentType, text, terminator, ids, recipient } = message;
  const resolution = recipient ? resolveCall(recipient, tools) : null;
  return {
    kind: messageKind(message),
    itemId,
    channel,
    contentType,
    text,
    terminator,
    issues: [...message.issues, ...(resolution?.issues ?? [])],
    ids,
    ...(resolution !== null && { call: resolution.call }),
  };
}

/** The entry of a whole step. */
export function sampledRecord(
  step: ModelStep,
  understood: readonly UnderstoodMessage[],
  notices: readonly Notice[],
  isForeign: boolean,
): Sampled {
  const { issues, finish } = step;
  const messages = settleKinds(understood, finish);
  const outcome = stepOutcome(messages, issues, finish);
  const isClean =
    !isForeign && issues.length === 0 && messages.every((message) => isAsWritten(message));
  return {
    type: "sampled",
    messages,
    notices: [...notices],
    ids: step.ids,
    prefill: step.prefill,
    vocabulary: step.vocabulary,
    ...(step.promptHash !== undefined && { promptHash: step.promptHash }),
    isClean,
    outcome,
    finish,
    usage: step.usage,
    timing: step.timing,
  };
}

/** Issues that are told elsewhere (a broken call becomes a problem), or cost nothing. */
const UNTOLD: ReadonlySet<string> = new Set(["incomplete_tool_call", "stray_stop_token"]);

/** Issues that belong to no message, as far as nothing else tells of them. */
export function looseIssues(
  step: ModelStep,
  messages: readonly UnderstoodMessage[],
): readonly Issue[] {
  const inMessages = new Set(messages.flatMap(({ issues }) => issues));
  return step.issues.filter((issue) => !inMessages.has(issue) && !UNTOLD.has(issue.code));
}

/** Read again as it was sampled, the message says what was understood of it. */
function isAsWritten({ kind, channel, call, terminator, text }: UnderstoodMessage): boolean {
  switch (kind) {
    case "reasoning":
      return channel === "analysis" && (terminator === "end" || terminator === "return");
    case "preamble":
      return channel === "commentary" && terminator === "end" && text.trim() !== "";
    case "answer":
      return channel === "final" && (terminator === "end" || terminator === "return");
    case "call":
      return (
        call?.addressed === call?.recipient &&
        (channel === "analysis" || channel === "commentary") &&
        terminator === "call"
      );
    default:
      return false;
  }
}
