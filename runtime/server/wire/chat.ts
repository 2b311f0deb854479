/** What Ollama's and OpenAI's chat have in common: messages with roles, tools with schemas. */
import type { JsonSchema } from "../../../harmony/index.ts";
import { invalidField } from "../errors.ts";
import type { ClientTool } from "../turn/client-tools.ts";
import type { ConversationItem } from "../turn/items.ts";
import type { Fields, Schema } from "./check.ts";
import { array, boolean, nullish, object, record, string, union, unknown } from "./valibot.ts";

type Part = { readonly type: string } & Fields<{ text: string }>;

type ToolCall = Fields<{ id: string }> & {
  readonly function: { readonly name: string } & Fields<{
    arguments: string | Readonly<Record<string, unknown>>;
  }>;
};

export type ChatMessage = { readonly role: string } & Fields<{
  content: string | readonly Part[];
  name: string;
  tool_name: string;
  tool_call_id: string;
  tool_calls: readonly ToolCall[];
  // A chain of thought in the spellings of different clients.
  reasoning: unknown;
  reasoning_content: unknown;
  thinking: unknown;
  images: readonly unknown[];
}>;

export type ChatTool = Fields<{ type: string }> & {
  readonly function: { readonly name: string } & Fields<{
    description: string;
    parameters: Readonly<Record<string, unknown>> | boolean;
    strict: boolean;
  }>;
};

export const chatMessage: Schema<ChatMessage> = object({
  role: string(),
  content: nullish(union([string(), array(object({ type: string(), text: nullish(string()) }))])),
  name: nullish(string()),
  tool_name: nullish(string()),
  tool_call_id: nullish(string()),
  tool_calls: nullish(
    array(
      object({
        id: nullish(string()),
        function: object({
          name: string(),
          arguments: nullish(union([string(), record(string(), unknown())])),
        }),
      }),
    ),
  ),
  reasoning: nullish(unknown()),
  reasoning_content: nullish(unknown()),
  thinking: nullish(unknown()),
  images: nullish(array(unknown())),
});

export const chatTool: Schema<ChatTool> = object({
  type: nullish(string()),
  function: object({
    name: string(),
    description: nullish(string()),
    parameters: nullish(union([record(string(), unknown()), boolean()])),
    strict: nullish(boolean()),
  }),
});

/** @param at of the message, for errors */
export function itemsOf(message: ChatMessage, at: number): readonly ConversationItem[] {
  const text = textOf(message.content, at);
  switch (message.role) {
    case "system":
    case "developer":
    case "user":
      return [{ type: message.role, text }];
    case "assistant":
      return [
        ...reasoningOf(message).map((thought) => ({ type: "reasoning" as const, text: thought })),
        { type: "assistant", text },
        ...(message.tool_calls ?? []).map(({ id, function: called }) => ({
          type: "call" as const,
          callId: id ?? null,
          name: called.name,
          arguments: argumentsText(called.arguments),
        })),
      ];
    case "tool":
    case "function":
      return [
        {
          type: "result",
          callId: message.tool_call_id ?? null,
          name: message.tool_name ?? message.name ?? null,
          text,
        },
      ];
    default:
      throw invalidField(
        `messages[${at}].role`,
        `The role ${JSON.stringify(message.role.slice(0, 40))} is not known; accepted: system, developer, user, assistant, tool.`,
      );
  }
}

export function clientToolsOf(tools: readonly ChatTool[]): readonly ClientTool[] {
  return tools.map(({ type, function: declared }, at) => {
    if ((type ?? "function") !== "function") {
      throw invalidField(
        `tools[${at}].type`,
        `The tool ${at} is of the type ${JSON.stringify(type?.slice(0, 40))}; accepted: function.`,
      );
    }
    if (declared.name.trim() === "") {
      throw invalidField(`tools[${at}].function.name`, `The tool ${at} has no name.`);
    }
    const { name, description, parameters, strict } = declared;
    return { name, description, parameters: (parameters ?? null) as JsonSchema | null, strict };
  });
}

/** A text, or parts of which all are text. */
function textOf(content: ChatMessage["content"], at: number): string {
  if (typeof content === "string") return content;
  const parts = content ?? [];
  const other = parts.find(({ type }) => !TEXT_PARTS.has(type));
  if (other !== undefined) {
    throw invalidField(
      `messages[${at}].content`,
      `The model reads text only; message ${at} has a part of the type ${JSON.stringify(other.type.slice(0, 40))}.`,
    );
  }
  return parts.map(({ text }) => text ?? "").join("");
}

const TEXT_PARTS: ReadonlySet<string> = new Set(["text", "input_text", "output_text"]);

function reasoningOf({ reasoning, reasoning_content, thinking }: ChatMessage): readonly string[] {
  const found = [reasoning, reasoning_content, thinking].find(
    (value) => typeof value === "string" && value !== "",
  );
  return typeof found === "string" ? [found] : [];
}

function argumentsText(
  given: string | Readonly<Record<string, unknown>> | null | undefined,
): string {
  if (typeof given === "string") return given === "" ? "{}" : given;
  return JSON.stringify(given ?? {});
}
