/** What a step came to, of the kinds of its messages and the reason why it ended. */
import type { Issue } from "../../harmony/index.ts";
import type { StepFinish, StepOutcome, UnderstoodMessage } from "../context.ts";

export function stepOutcome(
  messages: readonly UnderstoodMessage[],
  issues: readonly Issue[],
  finish: StepFinish,
): StepOutcome {
  if (finish === "length" || finish === "context" || finish === "budget") return "cut_off";
  if (finish === "paused" || finish === "circling") return finish;
  if (finish === "cancelled" || finish === "failed") return "interrupted";
  const has = (kind: UnderstoodMessage["kind"]): boolean =>
    messages.some((message) => message.kind === kind);
  if (has("call")) return "calls";
  if (has("broken_call") || issues.some(({ code }) => code === "incomplete_tool_call")) {
    return "broken_call";
  }
  return has("answer") ? "answer" : "no_answer";
}

/**
 * The messages of a step with the kinds that only the whole step decides: an answer without text is
 * none; of several answers the last counts; what comes before a call announces it; an answer that was
 * cut off is as much of an answer as there is.
 */
export function settleKinds(
  messages: readonly UnderstoodMessage[],
  finish: StepFinish,
): readonly UnderstoodMessage[] {
  const isWhole = finish === "stop" || finish === "call";
  const isAnswer = (message: UnderstoodMessage, at: number): boolean =>
    (message.kind === "answer" ||
      (message.kind === "fragment" && !isWhole && at === messages.length - 1)) &&
    message.text.trim() !== "";
  const hasCall = messages.some(({ kind }) => kind === "call" || kind === "broken_call");
  const isFinal = (message: UnderstoodMessage, at: number): boolean =>
    isAnswer(message, at) && message.channel === "final";
  const answer = hasCall
    ? undefined
    : (messages.findLast((message) => isFinal(message, messages.indexOf(message))) ??
      messages.findLast((message) => isAnswer(message, messages.indexOf(message))));
  return messages.map((message) => {
    if (message === answer) return { ...message, kind: "answer" };
    const isOther = message.kind === "fragment" || message.kind === "answer";
    return isOther ? { ...message, kind: "preamble" } : message;
  });
}
