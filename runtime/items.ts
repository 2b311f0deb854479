/** What a message of the model is called in the events. */
import type { Issue, MessageHeader, ParsedMessage } from "../harmony/index.ts";
import type { Tool, ToolRegistry, ToolResult } from "../tools/index.ts";
import type { CodeExecutionItem, Item, ItemStatus } from "./events.ts";
import { resolveTool } from "./resolve.ts";
import { ownName } from "./tool-names.ts";

/** The item of a message that is being written, or has been. */
export function itemOf(
  id: string,
  header: MessageHeader,
  text: string,
  issues: readonly Issue[],
  tools: ToolRegistry,
): Item {
  const flaws = withIssues(issues);
  if (header.recipient) {
    const tool = resolveTool(header.recipient, tools);
    return callItem(id, header.recipient, tool, text, issues, "in_progress");
  }
  switch (header.channel) {
    case "commentary":
      return { id, type: "agent_message", text, phase: "commentary", ...flaws };
    // Without a channel the model forgot the markup, not the answer.
    case "final":
    case null:
      return { id, type: "agent_message", text, phase: "final_answer", ...flaws };
    // A channel that nobody defined is not meant for the user any more than analysis is.
    default:
      return { id, type: "reasoning", text, ...flaws };
  }
}

/** The item of a call before its result. Python is told apart, since its body is a program. */
export function callItem(
  id: string,
  recipient: string,
  tool: Tool | undefined,
  body: string,
  issues: readonly Issue[],
  status: ItemStatus,
): Item {
  const flaws = withIssues(issues);
  return tool?.recipient === "python"
    ? { id, type: "code_execution", language: "python", code: body, output: "", status, ...flaws }
    : {
        id,
        type: "tool_call",
        tool: tool === undefined ? recipient : ownName(tool),
        arguments: body,
        status,
        ...flaws,
      };
}

/** The same item with what ended the call, where `<|call|>` did not. */
export function withEnding(item: Item, { terminator }: ParsedMessage): Item {
  const isCall = item.type === "tool_call" || item.type === "code_execution";
  return isCall && terminator !== "call" ? { ...item, ended_by: terminator ?? "nothing" } : item;
}

/** The same item with what came of the call. */
export function withResult(
  item: Item,
  result: Pick<ToolResult, "status" | "text" | "data" | "issues">,
): Item {
  const { status, text, data, issues = [] } = result;
  if (item.type !== "tool_call" && item.type !== "code_execution") return item;
  const codes = [...(item.issues ?? []), ...issues.map(({ code }) => code)];
  const flaws = codes.length === 0 ? {} : { issues: codes };
  if (item.type === "code_execution") {
    const { artifacts } = (data ?? {}) as Partial<Pick<CodeExecutionItem, "artifacts">>;
    return { ...item, output: text, ...(artifacts && { artifacts }), status, ...flaws };
  }
  return status === "failed"
    ? { ...item, error: { message: text }, status, ...flaws }
    : { ...item, result: data === undefined ? { text } : { text, data }, status, ...flaws };
}

/** The message's own text is what the model reads later; here it is what programs read. */
export function completedItem(id: string, message: ParsedMessage, tools: ToolRegistry): Item {
  return itemOf(id, message, message.text, message.issues, tools);
}

function withIssues(issues: readonly Issue[]): { issues?: readonly string[] } {
  return issues.length === 0 ? {} : { issues: issues.map(({ code }) => code) };
}
