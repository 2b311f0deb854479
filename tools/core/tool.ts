/**
 * What a tool is: one call into one result. A tool knows neither tokens nor the model nor the loop;
 * what it needs of them comes in its `ToolContext`.
 */
import type { Issue, JsonSchema } from "../../harmony/index.ts";
import type { ContentBlock } from "./content.ts";
import type { JsonValue } from "./json-value.ts";
import type { StandardSchema } from "./standard-schema.ts";

export type ToolContext<Context = unknown> = {
  /** Aborted when the run ends, the user stops it, or the tool's time is up. */
  readonly signal: AbortSignal;
  readonly callId: string;
  /**
   * The same text for the same call, also where a run is continued after a crash and the call is made
   * again: for services that carry out a request of one key only once.
   */
  readonly idempotencyKey: string;
  /** What the caller of the run handed over for its tools: a user, a database, a session. */
  readonly context: Context;
  /** Tokens of a text in the model's own vocabulary: pages are cut by tokens. */
  readonly countTokens: (text: string) => number;
  /** Most tokens that a result should take; a tool that can page or cut better than at the end does. */
  readonly resultTokenLimit: number;
  /**
   * What calls of this tool's namespace left behind in the conversation (`ToolOutput.threadState`), oldest first.
   * Absent where no thread is behind the call.
   */
  readonly threadState?: readonly JsonValue[];
  /** Tells those who watch how far the call has come; may be called often. */
  readonly onProgress?: ((progress: ToolProgress) => void) | undefined;
};

/** How far a call has come, in units of the tool's own. */
export type ToolProgress = {
  readonly progress: number;
  /** What `progress` is at the end, where that is known. */
  readonly total?: number;
  /** In words. */
  readonly message?: string;
  /** What the tool has printed since it told of it last: for people, the result has all of it. */
  readonly output?: string;
};

/** What a tool hands over, once it is in one form (see `toToolOutput`). */
export type ToolOutput = {
  /** What the model reads. */
  readonly text: string;
  readonly isError?: boolean;
  /** The parts of the result as MCP has them, for programs; what the model can read of them is in `text`. */
  readonly content?: readonly ContentBlock[];
  /** MCP's word for a result that programs can rely on. */
  readonly structuredContent?: JsonValue;
  /** The result for programs (events, tests). */
  readonly data?: unknown;
  /**
   * What the call leaves with the conversation. It is in the thread's log and in no event; later calls of the
   * namespace get it as `ToolContext.threadState`, also in another process and in a fork.
   */
  readonly threadState?: unknown;
};

/** Advice about side effects, in MCP's words; never proof. */
export type ToolAnnotations = {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
};

/** Who wrote a tool that is not the embedding program's own. Set by what makes the tool, never by its author. */
export type ToolOrigin = "builtin" | "plugin" | "mcp";

/**
 * Whether this call needs the user's approval. If it throws, it does.
 *
 * Written as a method, since TypeScript compares the parameters of methods both ways: a tool of any
 * input then fits into a list of tools.
 */
export type ApprovalRule<Input = unknown, Context = unknown> = {
  decide(input: Input, context: ToolContext<Context>): boolean | Promise<boolean>;
}["decide"];

/** A text of a certain form. */
export type InputFormat =
  /** ECMAScript, about the whole text. */
  | { readonly type: "regex"; readonly pattern: string }
  | { readonly type: "grammar"; readonly syntax: "ebnf" | "lark"; readonly text: string };

export interface Tool<Input = unknown, Context = unknown> {
  /**
   * What the model addresses: `python`, `browser.search`, `functions.get_weather`. `namespaceOf` and
   * `nameOf` take it apart.
   */
  readonly recipient: string;
  readonly description: string;
  /** Of the namespace that the tool is in; the first tool of a namespace that has one says it. */
  readonly namespaceDescription?: string;
  /**
   * For a tool whose description is the one that the model was trained with: what is to be added to it
   * here and now.
   */
  readonly descriptionSuffix?: string;
  /** JSON Schema of the arguments; null: the body is raw text (python), handed over as a string. */
  readonly inputSchema: JsonSchema | null;
  /**
   * Whether the model can write only arguments that pass `inputSchema`, where the engine allows that. Default:
   * yes, as far as a grammar carries the schema; the arguments are validated in any case.
   */
  readonly strict?: boolean;
  /**
   * The texts that a tool takes whose arguments are one text. The model writes it as it is, and can write no other
   * where the engine allows that; nothing else checks it.
   */
  readonly inputFormat?: InputFormat;
  /** Checks and changes what passed `inputSchema`: `execute` gets what it makes of the arguments. */
  readonly inputStandardSchema?: StandardSchema;
  /** Longest run before it is aborted. */
  readonly timeoutMs: number;
  readonly annotations?: ToolAnnotations;
  /** Absent: the program, or a module of its user. */
  readonly origin?: ToolOrigin;
  /** Whether the user is asked before a call is run; absent means no. */
  readonly needsApproval?: boolean | ApprovalRule<Input, Context>;
  /**
   * Gets arguments that passed `inputSchema`. May throw: the message becomes an error result.
   *
   * A tool without `execute` is a client-side tool: the run ends with its calls pending, and the caller
   * carries them out and appends their results.
   */
  execute?(input: Input, context: ToolContext<Context>): Promise<ToolOutput | string>;
  /** Ends what the tool holds (child processes, databases). Called once. */
  close?(): Promise<void>;
}

/** Whether calls of the tool are carried out by the caller of the run. */
export function isClientSideTool(tool: Tool): boolean {
  return tool.execute === undefined;
}

/** What the loop gets back, always: a tool's failure is a result that the model sees. */
export type ToolResult = {
  readonly status: "completed" | "failed";
  /** What the model reads. */
  readonly text: string;
  readonly content?: readonly ContentBlock[];
  readonly structuredContent?: JsonValue;
  /** Always JSON: a part of the tool's data that is none is described in its place. */
  readonly data?: JsonValue;
  /** What the call leaves with the conversation; see `ToolOutput`. */
  readonly threadState?: JsonValue;
  /** What was wrong with the arguments as the model wrote them; none where nothing was. */
  readonly issues?: readonly Issue[];
  /** Set when the text was cut: how much there was. */
  readonly truncated?: { readonly fromTokens: number; readonly toTokens: number };
  readonly durationMs: number;
};
