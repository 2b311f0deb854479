/** The body of `POST /v1/messages`: its schema, and what it is as a turn. */
import type { JsonSchema, ReasoningEffort } from "../../../harmony/index.ts";
import type { OutputOptions } from "../../index.ts";
import { ServerError } from "../errors.ts";
import type { ClientTool } from "../turn/client-tools.ts";
import type { ConversationItem } from "../turn/items.ts";
import type { TurnRequest, TurnToolChoice } from "../turn/run-turn.ts";
import { checkBody, type Fields, type Schema } from "../wire/check.ts";
import { effortOf } from "../wire/effort.ts";
import {
  array,
  boolean,
  integer,
  looseObject,
  maxValue,
  minValue,
  nullish,
  number,
  picklist,
  pipe,
  record,
  string,
  union,
  unknown,
} from "../wire/valibot.ts";

/** A part of a content, of any type. */
type Block = { readonly type: string } & Fields<{
  readonly text: string;
  readonly thinking: string;
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly tool_use_id: string;
  readonly is_error: boolean;
  readonly content: unknown;
}>;
type Content = string | readonly Block[];
type Format = { readonly type: string; readonly schema?: JsonSchema | null | undefined };

export type MessagesBody = {
  readonly model: string;
  readonly messages: readonly {
    readonly role: "user" | "assistant" | "system";
    readonly content: Content;
  }[];
} & Fields<{
  readonly system: Content;
  readonly tools: readonly ({ readonly name: string } & Fields<{
    readonly type: string;
    readonly description: string;
    readonly input_schema: JsonSchema;
    readonly strict: boolean;
  }>)[];
  readonly tool_choice: {
    readonly type: "auto" | "any" | "tool" | "none";
    readonly name?: string | null | undefined;
  };
  readonly max_tokens: number;
  readonly thinking: { readonly type: string };
  readonly output_config: Fields<{ readonly effort: string; readonly format: Format }>;
  readonly output_format: Format;
  readonly stop_sequences: readonly string[];
  readonly stream: boolean;
  readonly temperature: number;
  readonly top_p: number;
  readonly top_k: number;
}>;

const Block: Schema<Block> = looseObject({
  type: string(),
  text: nullish(string()),
  thinking: nullish(string()),
  id: nullish(string()),
  name: nullish(string()),
  input: nullish(record(string(), unknown())),
  tool_use_id: nullish(string()),
  is_error: nullish(boolean()),
  content: nullish(unknown()),
});
const Content: Schema<Content> = union([string(), array(Block)]);
const schema = nullish(record(string(), unknown()));
const Format: Schema<Format> = looseObject({ type: string(), schema });
const share = nullish(pipe(number(), minValue(0), maxValue(1)));

export const MessagesBody: Schema<MessagesBody> = looseObject({
  model: string(),
  messages: array(
    looseObject({ role: picklist(["user", "assistant", "system"]), content: Content }),
  ),
  system: nullish(Content),
  tools: nullish(
    array(
      looseObject({
        type: nullish(string()),
        name: string(),
        description: nullish(string()),
        input_schema: schema,
        strict: nullish(boolean()),
      }),
    ),
  ),
  tool_choice: nullish(
    looseObject({ type: picklist(["auto", "any", "tool", "none"]), name: nullish(string()) }),
  ),
  max_tokens: nullish(pipe(number(), integer(), minValue(1))),
  thinking: nullish(looseObject({ type: string() })),
  output_config: nullish(looseObject({ effort: nullish(string()), format: nullish(Format) })),
  output_format: nullish(Format),
  stop_sequences: nullish(array(string())),
  stream: nullish(boolean()),
  temperature: share,
  top_p: share,
  top_k: nullish(pipe(number(), integer(), minValue(0))),
});

/** What the body asks of a turn. @throws ServerError for content that the model cannot read */
export function turnRequest(body: MessagesBody): Omit<TurnRequest, "signal"> {
  const { temperature, top_p: topP, top_k: topK, stop_sequences: stop, max_tokens } = body;
  return {
    items: itemsOf(body),
    clientTools: clientTools(body),
    toolChoice: toolChoice(body),
    output: outputOf(body),
    sampling: {
      ...(typeof temperature === "number" && { temperature }),
      ...(typeof topP === "number" && { topP }),
      ...(typeof topK === "number" && { topK }),
    },
    stop: stop ?? [],
    maxTokens: max_tokens ?? null,
    effort: effortOfBody(body),
  };
}

export function hasThinking({ thinking }: MessagesBody): boolean {
  return thinking?.type === "enabled" || thinking?.type === "adaptive";
}

/** The trace cannot be switched off: without thinking it is as short as it can be. */
function effortOfBody({ thinking, output_config }: MessagesBody): ReasoningEffort {
  const asked = effortOf(output_config?.effort, "output_config.effort");
  return asked ?? (thinking?.type === "disabled" ? "low" : "medium");
}

function outputOf({ output_config, output_format }: MessagesBody): OutputOptions | null {
  const format = output_config?.format ?? output_format;
  if (format?.type !== "json_schema" || !format.schema) return null;
  return { jsonSchema: format.schema };
}

/** Tools that Anthropic would carry out have no schema of their own; this server has none of them. */
function clientTools({ tools }: MessagesBody): readonly ClientTool[] {
  return (tools ?? []).flatMap(({ type, name, description, input_schema, strict }) => {
    if (!input_schema && type && type !== "custom") return [];
    return [
      {
        name,
        description: description ?? "",
        parameters: input_schema ?? null,
        strict: strict ?? null,
      },
    ];
  });
}

function toolChoice({ tool_choice: choice }: MessagesBody): TurnToolChoice {
  switch (choice?.type) {
    case "any":
      return "required";
    case "none":
      return "none";
    case "tool":
      return { mode: "required", names: [{ name: choice.name ?? "" }] };
    default:
      return "auto";
  }
}

/** A line that changes with each version of Claude Code would spoil what is computed of the prompt. */
const BILLING = /^x-anthropic-billing-header:/;

function itemsOf({ system, messages }: MessagesBody): readonly ConversationItem[] {
  const instructions = blocksOf(system ?? []).flatMap(({ text }) =>
    text && !BILLING.test(text) ? [text] : [],
  );
  return [
    ...(instructions.length === 0
      ? []
      : [{ type: "system", text: instructions.join("\n\n") } as const]),
    ...messages.flatMap(({ role, content }, at) => {
      const where = `messages[${at}]`;
      if (role === "assistant") return assistantItems(content, where);
      if (role === "user") return userItems(content, where);
      return [{ type: "system", text: textOf(content, where) } as const];
    }),
  ];
}

function blocksOf(content: Content): readonly Block[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

function assistantItems(content: Content, where: string): readonly ConversationItem[] {
  return blocksOf(content).flatMap((block, at): ConversationItem[] => {
    switch (block.type) {
      case "text":
        return [{ type: "assistant", text: block.text ?? "" }];
      case "thinking":
        return [{ type: "reasoning", text: block.thinking ?? "" }];
      case "redacted_thinking":
        return [];
      case "tool_use": {
        const { id, name, input } = block;
        if (!name) throw unreadable(`${where}.content[${at}].name`, "A tool_use has no name.");
        return [{ type: "call", callId: id ?? null, name, arguments: JSON.stringify(input ?? {}) }];
      }
      default:
        throw unreadable(
          `${where}.content[${at}]`,
          `Content of the type '${block.type}' is not known.`,
        );
    }
  });
}

/** Results come before what the user says beside them: they belong to the calls above. */
function userItems(content: Content, where: string): readonly ConversationItem[] {
  const blocks = blocksOf(content);
  const results = blocks.flatMap((block, at): ConversationItem[] => {
    if (block.type !== "tool_result") return [];
    const place = `${where}.content[${at}]`;
    const text = textOf(checkBody(Content, block.content ?? "", `${place}.content`), place, true);
    return [
      {
        type: "result",
        callId: block.tool_use_id ?? null,
        text: block.is_error ? `The call failed: ${text}` : text,
      },
    ];
  });
  const said = blocks.filter(({ type }) => type !== "tool_result");
  const text = textOf(said, where);
  return [...results, ...(text === "" ? [] : [{ type: "user", text } as const])];
}

/** @param isResult what cannot be read is named in its place, and the conversation goes on */
function textOf(content: Content, where: string, isResult = false): string {
  return blocksOf(content)
    .map((block, at) => {
      if (block.type === "text") return block.text ?? "";
      if (isResult)
        return `[The result has a part of the type ${block.type}, which cannot be shown to you.]`;
      throw unreadable(
        `${where}.content[${at}]`,
        `Content of the type '${block.type}' cannot be read by this model; accepted: text.`,
      );
    })
    .join("\n\n");
}

function unreadable(param: string, problem: string): ServerError {
  return new ServerError("CHORALE_REQUEST", `${param}: ${problem}`, { param });
}
