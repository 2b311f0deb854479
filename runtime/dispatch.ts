/**
 * A call of the model into a message that answers it. Whatever goes wrong is said in that message, so
 * that the model can try again: a tool that does not exist, arguments that break the schema, a
 * failure, a call that was cut off.
 */
import type { Message } from "../harmony/index.ts";
import { executeTool, type ToolRegistry, type ToolResult } from "../tools/index.ts";
import type { GeneratedMessage } from "./generate.ts";
import { callItem, withEnding, withResult } from "./items.ts";
import type { Run } from "./prepare.ts";
import { printableRecipient, recipientIssues, resolveTool } from "./resolve.ts";

export type Dispatched = {
  /** What the model reads next. */
  readonly message: Message;
  /** Why nothing could be executed; null when a tool was asked, however that went. */
  readonly unusable: string | null;
};

/**
 * Executes a call, or answers why it was not executed; reports its item either way.
 * @param resultTokenLimit most tokens of the conversation that the result may take
 */
export async function dispatch(
  { message: call, itemId }: GeneratedMessage,
  { tools, reporter, options, settings }: Run,
  resultTokenLimit: number,
): Promise<Dispatched> {
  const { signal } = settings;
  const recipient = call.recipient ?? "";
  const tool = resolveTool(recipient, tools);
  const issues = [...call.issues, ...recipientIssues(recipient, tools)];
  const begun = callItem(itemId, recipient, tool, call.text, issues, "in_progress");
  const item = withEnding(begun, call);
  await reporter.emit({ type: "item.updated", item });

  const answer = async (
    result: Pick<ToolResult, "status" | "text" | "data" | "issues">,
    unusable: string | null,
  ): Promise<Dispatched> => {
    await reporter.emit({ type: "item.completed", item: withResult(item, result) });
    const name = tool?.recipient ?? printableRecipient(recipient);
    return { message: toolMessage(name, call.channel, result.text), unusable };
  };
  const refuse = (problem: string, advice: string): Promise<Dispatched> =>
    answer({ status: "failed", text: `${problem} ${advice}` }, problem);

  if (tool === undefined) {
    return refuse(`There is no tool ${JSON.stringify(recipient)}.`, available(tools));
  }
  // JSON says itself whether it is complete, a program does not: half of one may do half the damage.
  if (call.terminator === null && tool.inputSchema === null) {
    return refuse(
      `The call of ${tool.recipient} has no end, so it was not executed.`,
      "Send it again, whole.",
    );
  }
  const result = await executeTool(tool, call.text, {
    signal,
    callId: itemId,
    countTokens: (text) => options.tokenizer.countTokens(text),
    resultTokenLimit,
  });
  signal.throwIfAborted();
  reporter.toolRan(result.durationMs);
  return answer(result, null);
}

/** Reports a call that the run will not come to execute. */
export async function abandon(
  { message: call, itemId }: GeneratedMessage,
  why: string,
  { tools, reporter }: Run,
): Promise<void> {
  const recipient = call.recipient ?? "";
  const tool = resolveTool(recipient, tools);
  const item = callItem(itemId, recipient, tool, call.text, call.issues, "failed");
  await reporter.emit({
    type: "item.completed",
    item: withResult(item, { status: "failed", text: `Not executed: ${why}` }),
  });
}

/** What the model is told when it began a call that has no body, or none that names a tool. */
export function answerBrokenCall(tools: ToolRegistry): Message {
  return toolMessage(
    "functions",
    "commentary",
    `The last call was incomplete and was not executed. ${available(tools)} Send the whole call, or answer on the final channel.`,
  );
}

function toolMessage(name: string, channel: string | null, text: string): Message {
  return {
    role: "tool",
    name,
    recipient: "assistant",
    channel,
    content: [{ type: "text", text }],
  };
}

function available(tools: ToolRegistry): string {
  const names = tools.list().map(({ recipient }) => recipient);
  return names.length === 0
    ? "No tools are available; answer without."
    : `Available tools: ${names.join(", ")}.`;
}
