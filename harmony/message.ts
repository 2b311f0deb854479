/**
 * What a Harmony conversation is made of, before it becomes token ids.
 *
 * Source of the format: openai/harmony (message = start, header, content, terminator).
 */

export type Role = "system" | "developer" | "user" | "assistant" | "tool";

export type ReasoningEffort = "low" | "medium" | "high";

/** A JSON Schema as it comes from a caller: an object, or a boolean schema. */
export type JsonSchema = { readonly [key: string]: unknown } | boolean;

/** One function of a tool namespace, printed as a TypeScript-like type. */
export type ToolSignature = {
  readonly name: string;
  /** What its author calls it, where that is no name a model can call; stands in the comment. */
  readonly originalName?: string;
  readonly description: string;
  /** Absent or null: the function takes no arguments. */
  readonly parameters?: JsonSchema | null;
};

/** A `## name` block of the tools section. Without tools only its description is printed. */
export type ToolNamespace = {
  readonly name: string;
  /** What namespaces are sorted by, where it is not the name (the wire form keeps both). */
  readonly key?: string;
  readonly description?: string | null;
  readonly tools: readonly ToolSignature[];
};

export type SystemContent = {
  readonly type: "system";
  readonly modelIdentity?: string | null;
  readonly reasoningEffort?: ReasoningEffort | null;
  /** Builtin tools: browser, python. Printed in byte order of the name. */
  readonly tools?: readonly ToolNamespace[];
  readonly knowledgeCutoff?: string | null;
  /** `YYYY-MM-DD`; the caller's clock, since this folder has none. */
  readonly currentDate?: string | null;
  readonly validChannels?: readonly string[];
  readonly channelRequired?: boolean;
};

/** What the final message must look like; rendered under `# Response Formats`. */
export type ResponseFormat = {
  readonly name: string;
  readonly description?: string;
  /** The schema as text: compact JSON Schema, or an XSD. */
  readonly schema: string;
};

export type DeveloperContent = {
  readonly type: "developer";
  readonly instructions?: string | null;
  readonly tools?: readonly ToolNamespace[];
  readonly responseFormats?: readonly ResponseFormat[];
};

export type TextContent = { readonly type: "text"; readonly text: string };

export type Content = TextContent | SystemContent | DeveloperContent;

export type Message = {
  readonly role: Role;
  /** Tool messages: the tool that speaks, e.g. `functions.get_weather`. */
  readonly name?: string;
  readonly channel?: string | null;
  readonly recipient?: string | null;
  /** `json`, `code`, or `<|constrain|>json`. */
  readonly contentType?: string | null;
  readonly content: readonly Content[];
};
