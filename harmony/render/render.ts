/**
 * Messages into token ids. A message first becomes segments, which are special tokens or ordinary
 * text; every text segment is encoded on its own and without special tokens. So the ids are those the
 * model was trained on, and no text can forge a boundary.
 */
import { RenderError } from "../errors.ts";
import { CHANNELS, RECIPIENT_PREFIX } from "../header-grammar.ts";
import type { Content, DeveloperContent, Message, Role, SystemContent } from "../message.ts";
import { SPECIAL_TEXT, type SpecialName } from "../tokenizer/special-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { linesOf, oneLine } from "./json-text.ts";
import {
  FULL_STYLE,
  REFERENCE_STYLE,
  type SignatureStyle,
  toolsSection,
} from "./tool-signature.ts";

/** One step of rendering: a special token, or text that is encoded as ordinary tokens. */
export type Segment = { readonly special: SpecialName } | { readonly text: string };

export type HeaderStyle = {
  /**
   * Where the recipient of an assistant message stands: after the role (the reference's renderer) or
   * after the channel (what models write).
   */
  readonly recipientPosition: "role" | "channel";
  /**
   * How a content type is written: as the message has it; always with `<|constrain|>`; always as a bare
   * word; or not at all.
   */
  readonly contentType: "as-given" | "constrain" | "bare" | "none";
};

/** What the reference's renderer writes. */
export const REFERENCE_HEADER_STYLE: HeaderStyle = {
  recipientPosition: "role",
  contentType: "as-given",
};

/** What models write themselves, so that a parsed call renders to the ids it came from. */
export const MODEL_HEADER_STYLE: HeaderStyle = {
  recipientPosition: "channel",
  contentType: "as-given",
};

/**
 * Which analysis messages are left out of a conversation. `none`: none. `turn`: those before the last
 * final answer. `reference`: those before the first final message, and only if the last message of the
 * assistant is a final one.
 */
export type DropPolicy = "none" | "turn" | "reference";

export type RenderOptions = {
  /** Default: the reference's. */
  readonly headerStyle?: HeaderStyle | undefined;
  /** Default `turn`. Only for conversations. */
  readonly dropPolicy?: DropPolicy | undefined;
  /**
   * How tools are printed: exactly as the reference does, or with all that their schemas say, references,
   * unions and limits included. Default `normalised`.
   */
  readonly schemas?: "normalised" | "reference" | undefined;
  /**
   * Whether the system message says where function calls go. Default for conversations: if a developer
   * message declares functions; for one message alone: no.
   */
  readonly hasFunctionTools?: boolean | undefined;
};

/** Everything as the reference renders it when its configuration is omitted. */
export const REFERENCE_RENDERING: RenderOptions = {
  headerStyle: REFERENCE_HEADER_STYLE,
  dropPolicy: "none",
  schemas: "reference",
};

/** @throws RenderError when the message is not one that Harmony has (see `messageSegments`) */
export function renderMessage(
  tokenizer: Tokenizer,
  message: Message,
  options: RenderOptions = {},
): number[] {
  return encodeSegments(tokenizer, messageSegments(message, options));
}

/** All messages that the drop policy keeps. @throws RenderError */
export function renderConversation(
  tokenizer: Tokenizer,
  messages: readonly Message[],
  options: RenderOptions = {},
): number[] {
  return encodeSegments(tokenizer, conversationSegments(messages, options));
}

/** The prompt for the next message: the conversation, `<|start|>` and the next role. @throws RenderError */
export function renderForCompletion(
  tokenizer: Tokenizer,
  messages: readonly Message[],
  nextRole: Role = "assistant",
  options: RenderOptions = {},
): number[] {
  const segments = conversationSegments(messages, options);
  segments.push({ special: "start" }, { text: nextRole });
  return encodeSegments(tokenizer, segments);
}

/** The conversation with `<|return|>` at its end if its last message is a final answer. @throws RenderError */
export function renderForTraining(
  tokenizer: Tokenizer,
  messages: readonly Message[],
  options: RenderOptions = {},
): number[] {
  return encodeSegments(tokenizer, trainingSegments(messages, options));
}

/** `renderForTraining` before encoding. @throws RenderError */
export function trainingSegments(
  messages: readonly Message[],
  options: RenderOptions = {},
): Segment[] {
  const segments = conversationSegments(messages, options);
  const last = messages.at(-1);
  if (last?.role === "assistant" && last.channel === "final") {
    segments[segments.length - 1] = { special: "return" };
  }
  return segments;
}

export function encodeSegments(tokenizer: Tokenizer, segments: readonly Segment[]): number[] {
  const ids: number[] = [];
  for (const segment of segments) {
    if ("special" in segment) ids.push(tokenizer.special[segment.special]);
    else tokenizer.encodeInto(segment.text, ids);
  }
  return ids;
}

/** For people: special tokens as written. The boundaries are lost; never encode this again. */
export function segmentsToText(segments: readonly Segment[]): string {
  return segments
    .map((segment) => ("special" in segment ? SPECIAL_TEXT[segment.special] : segment.text))
    .join("");
}

/** `renderConversation` before encoding. @throws RenderError */
export function conversationSegments(
  messages: readonly Message[],
  options: RenderOptions = {},
): Segment[] {
  const hasFunctionTools = options.hasFunctionTools ?? messages.some(declaresFunctions);
  const kept = keptMessages(messages, options.dropPolicy ?? "turn");
  return kept.flatMap((message) => messageSegments(message, { ...options, hasFunctionTools }));
}

/** The messages that the drop policy keeps, in order. */
export function keptMessages(messages: readonly Message[], policy: DropPolicy): readonly Message[] {
  const end = dropEnd(messages, policy);
  return messages.filter((message, at) => at >= end || message.channel !== "analysis");
}

/** Analysis is dropped before this index. */
function dropEnd(messages: readonly Message[], policy: DropPolicy): number {
  const isFinal = (message: Message): boolean => message.channel === "final";
  switch (policy) {
    case "none":
      return 0;
    case "turn":
      return messages.findLastIndex((message) => message.role === "assistant" && isFinal(message));
    case "reference": {
      const lastOfAssistant = messages.findLast((message) => message.role === "assistant");
      if (lastOfAssistant === undefined || !isFinal(lastOfAssistant)) return 0;
      return messages.findIndex(isFinal);
    }
  }
}

function declaresFunctions(message: Message): boolean {
  return message.content.some(
    (content) =>
      content.type === "developer" &&
      content.tools?.some(
        ({ key, name, tools }) => (key ?? name) === "functions" && tools.length > 0,
      ),
  );
}

/**
 * `renderMessage` before encoding. Every text segment is encoded on its own: joining neighbours could
 * give other ids.
 * @throws RenderError for a tool message without a name, or system or developer content elsewhere
 */
export function messageSegments(message: Message, options: RenderOptions = {}): Segment[] {
  const style = options.headerStyle ?? REFERENCE_HEADER_STYLE;
  const recipient = message.recipient ?? null;
  const channel = message.channel ?? null;
  const segments: Segment[] = [{ special: "start" }];
  if (message.role === "tool") {
    if (message.name === undefined) throw new RenderError("Tools should have a name!");
    segments.push({ text: message.name });
  } else {
    segments.push({ text: message.role });
    if (message.name !== undefined) segments.push({ text: `:${message.name}` });
  }
  const afterChannel =
    style.recipientPosition === "channel" && message.role === "assistant" && channel !== null;
  const to: Segment[] =
    recipient !== null && recipient !== "all" ? [{ text: ` ${RECIPIENT_PREFIX}${recipient}` }] : [];
  if (!afterChannel) segments.push(...to);
  if (channel !== null) segments.push({ special: "channel" }, { text: channel });
  if (afterChannel) segments.push(...to);
  segments.push(...contentTypeSegments(message.contentType ?? null, style));
  segments.push({ special: "message" });
  for (const content of message.content) {
    segments.push({ text: contentText(content, message.role, options) });
  }
  segments.push({ special: message.role === "assistant" && recipient !== null ? "call" : "end" });
  return segments;
}

function contentTypeSegments(contentType: string | null, style: HeaderStyle): Segment[] {
  if (contentType === null || style.contentType === "none") return [];
  const marked = contentType.startsWith(SPECIAL_TEXT.constrain);
  const word = marked ? contentType.slice(SPECIAL_TEXT.constrain.length) : contentType;
  if (style.contentType === "bare" || (style.contentType === "as-given" && !marked)) {
    return [{ text: ` ${word.trim()}` }];
  }
  const marker: Segment[] = [{ text: " " }, { special: "constrain" }];
  return word === "" ? marker : [...marker, { text: word }];
}

function contentText(content: Content, role: Role, options: RenderOptions): string {
  switch (content.type) {
    case "text":
      return content.text;
    case "system":
      if (role !== "system") throw misplaced("SystemContent", "system", role);
      return systemText(content, options);
    case "developer":
      if (role !== "developer") throw misplaced("DeveloperContent", "developer", role);
      return developerText(content, options);
  }
}

function misplaced(what: string, where: string, found: Role): RenderError {
  const shown = found.charAt(0).toUpperCase() + found.slice(1);
  return new RenderError(`${what} may only appear in ${where} messages, found in ${shown}`);
}

function signatureStyle(options: RenderOptions): SignatureStyle {
  return options.schemas === "reference" ? REFERENCE_STYLE : FULL_STYLE;
}

function systemText(system: SystemContent, options: RenderOptions): string {
  const sections: string[] = [];
  const top: string[] = [];
  if (isGiven(system.modelIdentity)) top.push(system.modelIdentity);
  if (isGiven(system.knowledgeCutoff)) top.push(`Knowledge cutoff: ${system.knowledgeCutoff}`);
  if (isGiven(system.currentDate)) top.push(`Current date: ${system.currentDate}`);
  if (top.length > 0) sections.push(top.join("\n"));
  if (isGiven(system.reasoningEffort)) sections.push(`Reasoning: ${system.reasoningEffort}`);
  if (system.tools !== undefined && system.tools.length > 0) {
    sections.push(toolsSection(system.tools, signatureStyle(options)));
  }
  if (system.validChannels !== undefined && system.validChannels.length > 0) {
    let channels = `# Valid channels: ${system.validChannels.join(", ")}.`;
    if (system.channelRequired === true) {
      channels += " Channel must be included for every message.";
    }
    if (options.hasFunctionTools === true) {
      channels += "\nCalls to these tools must go to the commentary channel: 'functions'.";
    }
    sections.push(channels);
  }
  return sections.join("\n\n");
}

function developerText(developer: DeveloperContent, options: RenderOptions): string {
  const sections: string[] = [];
  if (isGiven(developer.instructions)) sections.push("# Instructions", developer.instructions);
  if (developer.tools !== undefined && developer.tools.length > 0) {
    sections.push(toolsSection(developer.tools, signatureStyle(options)));
  }
  if (developer.responseFormats !== undefined && developer.responseFormats.length > 0) {
    sections.push("# Response Formats");
    for (const { name, description = "", schema } of developer.responseFormats) {
      const comment = description === "" ? [] : linesOf(description).map((line) => `// ${line}`);
      sections.push(`## ${oneLine(name)}`, [...comment, schema].join("\n"));
    }
  }
  return sections.join("\n\n");
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/**
 * The system content of the reference's `SystemContent::new()`.
 * @param given replaces fields of it; null, and an empty list of channels, leave a line out
 */
export function defaultSystemContent(given: Partial<SystemContent> = {}): SystemContent {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    modelIdentity: "You are ChatGPT, a large language model trained by OpenAI.",
    reasoningEffort: "medium",
    knowledgeCutoff: "2024-06",
    validChannels: CHANNELS,
    channelRequired: true,
    ...Object.fromEntries(set),
    type: "system",
  };
}
