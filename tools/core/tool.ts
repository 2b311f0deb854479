/**
 * What a tool is: one call into one result. A tool knows neither tokens nor the model nor the loop;
 * what it needs of them comes in its `ToolContext`.
 */
import type { Issue, JsonSchema } from "../../harmony/index.ts";

export type ToolContext = {
  /** Aborted when the run ends, the user stops it, or the tool's time is up. */
  readonly signal: AbortSignal;
  readonly callId: string;
  /** Tokens of a text in the model's own vocabulary: pages are cut by tokens. */
  readonly countTokens: (text: string) => number;
  /** Most tokens that a result should take; a tool that can page or cut better than at the end does. */
  readonly resultTokenLimit: number;
};

/** Text for the model; `data` is the same for programs (events, tests). */
export type ToolOutput = {
  readonly text: string;
  readonly isError?: boolean;
  readonly data?: unknown;
};

/** Advice about side effects, in MCP's words; never proof. */
export type ToolAnnotations = {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
};

export interface Tool<Input = unknown> {
  /** What the model addresses: `python`, `browser.search`, `functions.get_weather`. */
  readonly recipient: string;
  readonly description: string;
  /**
   * For a tool whose description is the one that the model was trained with: what is to be added to it
   * here and now.
   */
  readonly addendum?: string;
  /** JSON Schema of the arguments; null: the body is raw text (python), handed over as a string. */
  readonly inputSchema: JsonSchema | null;
  /** Longest run before it is aborted. */
  readonly timeoutMs: number;
  readonly annotations?: ToolAnnotations;
  /** `executeTool` runs it only when told that the user agreed to the call. */
  readonly needsApproval?: boolean;
  /** Gets arguments that passed `inputSchema`. May throw: the message becomes an error result. */
  execute(input: Input, context: ToolContext): Promise<ToolOutput | string>;
  /** Ends what the tool holds (child processes, databases). Called once. */
  close?(): Promise<void>;
}

/** What the loop gets back, always: a tool's failure is a result that the model sees. */
export type ToolResult = {
  readonly status: "completed" | "failed";
  readonly text: string;
  readonly data?: unknown;
  /** What was wrong with the arguments as the model wrote them; none where nothing was. */
  readonly issues?: readonly Issue[];
  /** Set when the text was cut: how much there was. */
  readonly truncated?: { readonly fromTokens: number; readonly toTokens: number };
  readonly durationMs: number;
};
