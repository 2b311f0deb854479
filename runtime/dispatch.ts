/**
 * A call of the model into a message that answers it. Whatever goes wrong is said in that message, so
 * that the model can try again: a tool that does not exist, arguments that break the schema, a
 * failure, a call that was cut off.
 */
import type { Message } from "../harmony/index.ts";
import { executeTool, type ToolRegistry } from "../tools/index.ts";
import type { GeneratedMessage } from "./generate.ts";
import { callItem, withResult } from "./items.ts";
import type { Run } from "./prepare.ts";
import { printableRecipient, resolveTool } from "./resolve.ts";

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
  const item = callItem(itemId, recipient, tool, call.text, call.issues, "in_progress");
  await reporter.emit({ type: "item.updated", item });

  const answer = async (
    status: "completed" | "failed",
    text: string,
    unusable: string | null,
    data?: unknown,
  ): Promise<Dispatched> => {
    await reporter.emit({
      type: "item.completed",
      item: withResult(item, { status, text, data }),
    });
    const name = tool?.recipient ?? printableRecipient(recipient);
    return { message: toolMessage(name, call.channel, text), unusable };
  };

  if (tool === undefined) {
    const problem = `There is no tool ${JSON.stringify(recipient)}.`;
    return answer("failed", `${problem} ${available(tools)}`, problem);
  }
  // JSON says itself whether it is complete, a program does not: half of one may do half the damage.
  if (call.terminator === null && tool.inputSchema === null) {
    const problem = `The call of ${tool.recipient} has no end, so it was not executed.`;
    return answer("failed", `${problem} Send it again, whole.`, problem);
  }
  const result = await executeTool(tool, call.text, {
    signal,
    callId: itemId,
    countTokens: (text) => options.tokenizer.countTokens(text),
    resultTokenLimit,
  });
  signal.throwIfAborted();
  reporter.toolRan(result.durationMs);
  return answer(result.status, result.text, null, result.data);
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
