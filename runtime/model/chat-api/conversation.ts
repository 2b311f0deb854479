/** The conversation as chat APIs have it: one entry for each thing that was said, reasoning beside what it led to. */
import type { Message } from "../../../harmony/index.ts";
import type { ModelRequest } from "../language-model.ts";
import { responseFormat } from "../response-format.ts";
import type { ToolNames } from "./tool-names.ts";

export type ChatCall = { readonly id: string; readonly name: string; readonly arguments: string };

export type ChatEntry =
  | { readonly type: "system"; readonly text: string }
  | { readonly type: "user"; readonly text: string }
  | {
      readonly type: "assistant";
      readonly reasoning: string | null;
      readonly text: string | null;
      readonly call: ChatCall | null;
    }
  | { readonly type: "tool"; readonly id: string; readonly name: string; readonly text: string };

type ConversationRequest = Pick<ModelRequest, "settings" | "transcript"> &
  Partial<Pick<ModelRequest, "prefill" | "answerPrefix">>;

/** @param describesOutput whether the form of the answer is said in words, since the API has no field for it */
export function conversationOf(
  request: ConversationRequest,
  names: ToolNames,
  describesOutput: boolean,
): readonly ChatEntry[] {
  const { transcript } = request;
  const entries: ChatEntry[] = [];
  const system = systemText(request, describesOutput);
  if (system !== "") entries.push({ type: "system", text: system });
  let reasoning: string[] = [];
  const takeReasoning = (): string | null => {
    const text = reasoning.join("\n");
    reasoning = [];
    return text === "" ? null : text;
  };
  for (const [at, { message, callId }] of transcript.entries()) {
    const text = textOf(message);
    const id = callId ?? `call_${at}`;
    switch (message.role) {
      case "assistant":
        if (message.recipient) {
          const name = names.nameOf(message.recipient);
          const call = { id, name, arguments: names.wrapped(message.recipient, text) };
          entries.push({ type: "assistant", reasoning: takeReasoning(), text: null, call });
        } else if (message.channel === "analysis") reasoning.push(text);
        else entries.push({ type: "assistant", reasoning: takeReasoning(), text, call: null });
        break;
      case "tool":
        entries.push({ type: "tool", id, name: names.nameOf(message.name ?? ""), text });
        break;
      case "user":
        entries.push({ type: "user", text });
        break;
      default:
        if (text !== "") entries.push({ type: "system", text });
    }
  }
  const last = takeReasoning();
  // Thought without an outcome: the step was cut off there, and goes on.
  if (last !== null) entries.push({ type: "assistant", reasoning: last, text: null, call: null });
  const ending = endingText(request);
  if (ending !== null) entries.push({ type: "system", text: ending });
  return entries;
}

function systemText({ settings }: ConversationRequest, describesOutput: boolean): string {
  const { system, instructions, output, date } = settings;
  const format = output === null || !describesOutput ? null : responseFormat(output);
  return [
    system.identity ?? "",
    instructions ?? "",
    `Current date: ${date}`,
    format === null ? "" : `${format.description ?? ""}\n\n${format.schema}`,
  ]
    .filter((text) => text.trim() !== "")
    .join("\n\n");
}

function endingText({ prefill, answerPrefix }: ConversationRequest): string | null {
  if (answerPrefix) {
    return `Write the answer now. It begins exactly with: ${JSON.stringify(answerPrefix)}`;
  }
  return prefill === "final"
    ? "Write the final answer now, without further thought or calls."
    : null;
}

/** Declarations of tools are told in their own field. */
function textOf({ content }: Message): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}
