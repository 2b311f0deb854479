/**
 * The reference's wire form of a conversation, as its bindings and its test data use it:
 * `{messages: [{role, name?, content, channel?, recipient?, content_type?}]}` with text, system_content
 * and developer_content; the latter may have response_formats, too.
 */
import { ConversationError } from "./errors.ts";
import { ROLES } from "./header-grammar.ts";
import type {
  Content,
  JsonSchema,
  Message,
  ReasoningEffort,
  ResponseFormat,
  Role,
  SystemContent,
  ToolNamespace,
  ToolSignature,
} from "./message.ts";

type JsonObject = { readonly [key: string]: unknown };

/** @throws ConversationError naming the place, what it holds and what is accepted */
export function conversationFromJson(json: unknown): Message[] {
  const messages = Array.isArray(json) ? json : objectAt(json, "the conversation")["messages"];
  return listAt(messages, "messages").map((message, at) =>
    messageFromJson(message, `messages[${at}]`),
  );
}

/** @throws ConversationError */
export function messageFromJson(json: unknown, path = "the message"): Message {
  const from = objectAt(json, path);
  const role = roleAt(from["role"], `${path}.role`);
  const name = textOrNull(from["name"], `${path}.name`);
  const { content } = from;
  return {
    role,
    ...(name === null ? {} : { name }),
    channel: textOrNull(from["channel"], `${path}.channel`),
    recipient: textOrNull(from["recipient"], `${path}.recipient`),
    contentType: textOrNull(from["content_type"], `${path}.content_type`),
    content:
      typeof content === "string"
        ? [{ type: "text", text: content }]
        : listAt(content, `${path}.content`, "a text or a list of contents").map((item, at) =>
            contentFromJson(item, `${path}.content[${at}]`),
          ),
  };
}

/** @throws ConversationError */
export function roleFromJson(json: unknown): Role {
  return roleAt(json, "the role");
}

function contentFromJson(json: unknown, path: string): Content {
  const from = objectAt(json, path);
  switch (from["type"]) {
    case "text":
      return { type: "text", text: textAt(from["text"], `${path}.text`) };
    case "system_content":
      return systemFromJson(from, path);
    case "developer_content":
      return {
        type: "developer",
        instructions: textOrNull(from["instructions"], `${path}.instructions`),
        tools: namespacesFromJson(from["tools"], `${path}.tools`),
        responseFormats: responseFormatsFromJson(
          from["response_formats"],
          `${path}.response_formats`,
        ),
      };
    default:
      throw new ConversationError(
        `${path}.type`,
        show(from["type"]),
        '"text", "system_content" or "developer_content"',
      );
  }
}

function systemFromJson(from: JsonObject, path: string): SystemContent {
  const config = from["channel_config"];
  const channels =
    config === null || config === undefined ? null : objectAt(config, `${path}.channel_config`);
  return {
    type: "system",
    modelIdentity: textOrNull(from["model_identity"], `${path}.model_identity`),
    reasoningEffort: effortFromJson(from["reasoning_effort"], `${path}.reasoning_effort`),
    tools: namespacesFromJson(from["tools"], `${path}.tools`),
    knowledgeCutoff: textOrNull(from["knowledge_cutoff"], `${path}.knowledge_cutoff`),
    currentDate: textOrNull(from["conversation_start_date"], `${path}.conversation_start_date`),
    ...(channels === null
      ? {}
      : {
          validChannels: listAt(
            channels["valid_channels"],
            `${path}.channel_config.valid_channels`,
          ).map((channel, at) => textAt(channel, `${path}.channel_config.valid_channels[${at}]`)),
          channelRequired: channels["channel_required"] === true,
        }),
  };
}

function effortFromJson(value: unknown, path: string): ReasoningEffort | null {
  if (value === null || value === undefined) return null;
  const effort = typeof value === "string" ? value.toLowerCase() : "";
  if (effort !== "low" && effort !== "medium" && effort !== "high") {
    throw new ConversationError(path, show(value), '"Low", "Medium" or "High"');
  }
  return effort;
}

function namespacesFromJson(value: unknown, path: string): ToolNamespace[] {
  if (value === null || value === undefined) return [];
  return Object.entries(objectAt(value, path)).map(([key, namespace]) => {
    const from = objectAt(namespace, `${path}.${key}`);
    return {
      name: textAt(from["name"], `${path}.${key}.name`),
      key,
      description: textOrNull(from["description"], `${path}.${key}.description`),
      tools: listAt(from["tools"], `${path}.${key}.tools`).map((tool, at) =>
        toolFromJson(tool, `${path}.${key}.tools[${at}]`),
      ),
    };
  });
}

function toolFromJson(value: unknown, path: string): ToolSignature {
  const from = objectAt(value, path);
  const { parameters } = from;
  return {
    name: textAt(from["name"], `${path}.name`),
    description: textAt(from["description"], `${path}.description`),
    parameters: parameters === undefined ? null : (parameters as JsonSchema | null),
  };
}

/**
 * What the reference's form lacks: `response_formats: [{name, description?, schema}]`. A schema that is
 * a text (an XSD, an example) is printed as it is, a JSON Schema as compact JSON.
 */
function responseFormatsFromJson(value: unknown, path: string): ResponseFormat[] {
  if (value === null || value === undefined) return [];
  return listAt(value, path).map((format, at) => {
    const from = objectAt(format, `${path}[${at}]`);
    const description = textOrNull(from["description"], `${path}[${at}].description`);
    return {
      name: textAt(from["name"], `${path}[${at}].name`),
      ...(description === null ? {} : { description }),
      schema: schemaText(from["schema"], `${path}[${at}].schema`),
    };
  });
}

function schemaText(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  const isSchema = typeof value === "boolean" || (typeof value === "object" && value !== null);
  if (!isSchema || Array.isArray(value)) {
    throw new ConversationError(path, show(value), "a text or a JSON Schema");
  }
  try {
    return JSON.stringify(value);
  } catch {
    throw new ConversationError(path, "nested too deeply", "a JSON Schema of fewer levels");
  }
}

function roleAt(value: unknown, path: string): Role {
  const role = ROLES.find((known) => known === value);
  if (role === undefined) throw new ConversationError(path, show(value), ROLES.join(", "));
  return role;
}

function textOrNull(value: unknown, path: string): string | null {
  return value === null || value === undefined ? null : textAt(value, path);
}

function textAt(value: unknown, path: string): string {
  if (typeof value !== "string") throw new ConversationError(path, show(value), "a text");
  return value;
}

function listAt(value: unknown, path: string, accepted = "a list"): readonly unknown[] {
  if (!Array.isArray(value)) throw new ConversationError(path, show(value), accepted);
  return value;
}

function objectAt(value: unknown, path: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConversationError(path, show(value), "an object");
  }
  return value as JsonObject;
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch {
    return "a value that is nested too deeply";
  }
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
