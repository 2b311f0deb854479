/** What a message of the model is in the events: an item with a stable id. */
import type { MessageHeader } from "../../harmony/index.ts";
import type { Notice, ResolvedCall, UnderstoodMessage } from "../context.ts";
import type { CodeExecutionItem, Item, ItemStatus, ToolCallItem } from "../events.ts";
import type { CallResult, CallStatus, Problem } from "./entry.ts";

/** The item of a message whose content begins. */
export function startedItem(
  id: string,
  { channel }: Pick<MessageHeader, "channel">,
  call: ResolvedCall | undefined,
): Item {
  return call === undefined ? saidItem(id, channel, "") : callItem(id, call, "", [], "in_progress");
}

/** The item of a message that has ended; of a call, before its result. */
export function itemOf(message: UnderstoodMessage & { readonly itemId: string }): Item {
  const { itemId, call, channel, text, issues, terminator } = message;
  const codes = issues.map(({ code }) => code);
  if (call === undefined) return { ...saidItem(itemId, channel, text), ...flaws(codes) };
  const item = callItem(itemId, call, text, codes, "in_progress");
  return terminator === "call" ? item : { ...item, ended_by: terminator ?? "nothing" };
}

/** The same item with what came of the call. */
export function withResult(
  item: Item,
  { status, text, data, issues }: Pick<CallResult, "status" | "text" | "data" | "issues">,
): Item {
  if (item.type !== "tool_call" && item.type !== "code_execution") return item;
  const codes = [...(item.issues ?? []), ...issues.map(({ code }) => code)];
  const ended = { status: itemStatus(status), ...flaws(codes) };
  if (item.type === "code_execution") {
    const { artifacts } = (data ?? {}) as Partial<Pick<CodeExecutionItem, "artifacts">>;
    return { ...item, output: text, ...(artifacts && { artifacts }), ...ended };
  }
  return status === "completed"
    ? { ...item, result: data === undefined ? { text } : { text, data }, ...ended }
    : { ...item, error: { message: text }, ...ended };
}

/** The same item, ended by an abort or a failure before it was whole. */
export function cutItem(item: Item, status: "cancelled" | "failed"): Item {
  return item.type === "error" ? item : { ...item, status };
}

export function errorItem({
  itemId,
  code,
  message,
}: Pick<Notice | Problem, "itemId" | "code" | "message">): Item {
  return { id: itemId, type: "error", code, message };
}

function saidItem(id: string, channel: string | null, text: string): Item {
  switch (channel) {
    case "commentary":
      return { id, type: "agent_message", text, phase: "commentary" };
    // Without a channel the model forgot the markup, not the answer.
    case "final":
    case null:
      return { id, type: "agent_message", text, phase: "final_answer" };
    // A channel that the format does not have is not meant for the user any more than analysis is.
    default:
      return { id, type: "reasoning", text };
  }
}

/** Python is told apart, since its body is a program. */
function callItem(
  id: string,
  { recipient, tool }: ResolvedCall,
  body: string,
  codes: readonly string[],
  status: ItemStatus,
): ToolCallItem | CodeExecutionItem {
  return recipient === "python"
    ? {
        id,
        type: "code_execution",
        language: "python",
        code: body,
        output: "",
        status,
        ...flaws(codes),
      }
    : { id, type: "tool_call", tool, arguments: body, status, ...flaws(codes) };
}

function itemStatus(status: CallStatus): ItemStatus {
  switch (status) {
    case "completed":
    case "cancelled":
      return status;
    case "denied":
      return "declined";
    default:
      return "failed";
  }
}

function flaws(codes: readonly string[]): { issues?: readonly string[] } {
  return codes.length === 0 ? {} : { issues: codes };
}
