/**
 * Types that the parts of the runtime share: what a model said as the runtime understood it, and the
 * conversation as a model reads it.
 */
import type { Issue, Message, ReasoningEffort, Role, Terminator } from "../harmony/index.ts";
import type { Sampling } from "../inference/index.ts";

/** A message that a model wrote, before the runtime decides what it means. */
export type ModelMessage = {
  readonly role: Role;
  /** The author, where the model wrote in the name of a tool. */
  readonly name?: string;
  readonly channel: string | null;
  /** As the model wrote it. */
  readonly recipient: string | null;
  readonly contentType: string | null;
  readonly text: string;
  /** Which token ended it; null: another message or the end of the output did. */
  readonly terminator: Terminator;
  readonly issues: readonly Issue[];
  /** Its ids are those of the step from the first index up to the second, which is not included. */
  readonly ids: readonly [from: number, to: number];
};

/** What a message means for the turn; see `calls/message-kind.ts`. */
export type MessageKind = "reasoning" | "preamble" | "answer" | "fragment" | "call" | "broken_call";

/** Who executes a call: this process, the caller of the run, or no declared tool at all. */
export type CallExecution = "local" | "client" | "unknown";

/** What a call addresses, after the recipient was resolved. */
export type ResolvedCall = {
  /** As the model wrote it. */
  readonly addressed: string;
  /** The recipient that the model reads in the conversation from now on. */
  readonly recipient: string;
  /** The tool's own name, which events and people read; what the model wrote where there is no such tool. */
  readonly tool: string;
  readonly execution: CallExecution;
  /** The body is raw text, not JSON. */
  readonly isRaw: boolean;
};

/**
 * What was understood of one message. History, events and the next prompt are all made of this value,
 * so the model never reads its own mistakes.
 */
export type UnderstoodMessage = {
  readonly kind: MessageKind;
  /** The item in events; null for a message without content, which is no item. */
  readonly itemId: string | null;
  /** The channel as the model wrote it. */
  readonly channel: string | null;
  readonly contentType: string | null;
  readonly text: string;
  readonly terminator: Terminator;
  readonly issues: readonly Issue[];
  readonly ids: readonly [from: number, to: number];
  /** Calls only. */
  readonly call?: ResolvedCall;
};

/** Something that went wrong in a step and is told as an item of its own. */
export type Notice = {
  readonly itemId: string;
  readonly code: string;
  readonly message: string;
};

/** One message of the conversation as a model reads it. */
export type TranscriptMessage = {
  readonly message: Message;
  /** Links a call with its result. */
  readonly callId?: string;
  /** Recipients of the tools that the message declares. */
  readonly declares?: readonly string[];
  /** A note of the runtime, which matters only as long as its turn. */
  readonly isNote?: true;
  /** The ids as a model sampled them, from its header to its terminator, and the vocabulary they belong to. */
  readonly sampled?: { readonly ids: readonly number[]; readonly vocabulary: string };
};

/** Who the model is told to be, in the system message. Absent: what gpt-oss was trained with. */
export type SystemSettings = {
  /** First line of the system message; null leaves it out. */
  readonly identity?: string | null;
  /** `YYYY-MM`; null leaves it out. */
  readonly knowledgeCutoff?: string | null;
};

export type ToolChoice =
  | "auto"
  | "none"
  | "required"
  /** The tool that must be called: its name, with or without `functions.`. */
  | { readonly tool: string }
  /** Only these may be called, in the whole turn; `required`: one of them must be, first. Default `auto`. */
  | { readonly tools: readonly string[]; readonly mode?: "auto" | "required" };

/** What the answer must be. */
export type OutputFormat =
  | { readonly type: "json"; readonly schema: unknown }
  | {
      readonly type: "xml";
      readonly xsd: string;
      /** The file's own name, and the schemas that it includes and imports, by their names relative to it. */
      readonly name?: string;
      readonly files?: Readonly<Record<string, string>>;
      /** Local name of the root element. */
      readonly root?: string;
    }
  | TextFormat;

/** An answer that is a text of a certain form. */
export type TextFormat =
  | { readonly type: "choice"; readonly choices: readonly string[] }
  /** ECMAScript, about the whole text. */
  | { readonly type: "regex"; readonly pattern: string }
  | { readonly type: "grammar"; readonly syntax: "ebnf" | "lark"; readonly text: string };

/** A tool that a turn may use, as the log remembers it. */
export type ToolPin = {
  /** By this name the model addresses it. */
  readonly recipient: string;
  /** The tool's own name. */
  readonly name: string;
  /** SHA-256 of its description and schema, the first 16 hexadecimal digits. */
  readonly hash: string;
  readonly execution: "local" | "client";
  /** What it returns is text of strangers. Absent in logs of older versions, where it is taken to be. */
  readonly isUntrusted?: boolean;
};

/** What a turn may use, each with a limit of its own. */
export type BudgetName =
  | "tokens"
  | "reasoning_tokens"
  | "seconds"
  | "steps"
  | "tool_calls"
  | "output_bytes";

/** `near`: the model is told to conclude. `used_up`: there is nothing left. */
export type BudgetState = "near" | "used_up";

/** Everything about a turn that decides what comes next. JSON. */
export type TurnSettings = {
  readonly effort: ReasoningEffort;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly instructions: string | null;
  readonly system: SystemSettings;
  readonly sampling: Sampling;
  /** Most steps (samplings of the model) of the turn. */
  readonly maxSteps: number;
  /** Most tokens sampled in all steps; null: what the context holds. */
  readonly maxTokens: number | null;
  /** Most tokens of reasoning in all steps; null: no limit. */
  readonly maxReasoningTokens: number | null;
  /** Most seconds that the turn works; waiting for a person is not counted. Absent or null: no limit. */
  readonly maxSeconds?: number | null;
  /** Most calls that are executed. Absent or null: no limit. */
  readonly maxToolCalls?: number | null;
  /** Most bytes of UTF-8 that are said to the user (answer and commentary). Absent or null: no limit. */
  readonly maxOutputBytes?: number | null;
  /** Whether what the model reads is made shorter near the end of the context. Absent: yes. */
  readonly compaction?: boolean;
  /** How often in a row the model may produce something unusable. */
  readonly maxRetries: number;
  /** How often an invalid answer goes back to the model. */
  readonly maxRepairs: number;
  /** Whether citations are checked against the cited lines. Absent: no. */
  readonly verifyCitations?: boolean;
  /** Whether the model can write only headers that the format has, where the engine allows that. */
  readonly constrainHeaders: boolean;
  /**
   * Whether the model can write only arguments and answers that pass their schemas, as far as a grammar carries
   * them and the engine allows that. Absent in older logs: no.
   */
  readonly constrainContent?: boolean;
  /** What becomes of an answer with a format that a limit of tokens cuts off. Absent: `fail`. */
  readonly onLimit?: "fail" | "close";
  readonly toolChoice: ToolChoice;
  readonly tools: readonly ToolPin[];
  /** Recipients of tools that are not declared at the beginning: the model finds them by a search. */
  readonly deferredTools?: readonly string[];
  readonly output: OutputFormat | null;
};

/** What one step computed. */
export type StepUsage = {
  readonly inputTokens: number;
  /** Leading tokens of the input whose keys and values were still in the KV cache. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
};

/** Milliseconds. */
export type StepTiming = {
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** From the start of the step to its first token; null when there was none. */
  readonly firstTokenMs: number | null;
};

/**
 * Why a step ended: the model stopped, it called a tool, a limit or the context was reached, the run
 * was aborted, the model or a listener failed. `budget`: the seconds or the output of the turn were used up
 * in the middle of it. `paused`: its reasoning was ended so that it reads that a budget is near its end.
 * `circling`: its reasoning repeated itself.
 */
export type StepFinish =
  | "stop"
  | "call"
  | "length"
  | "context"
  | "budget"
  | "paused"
  | "circling"
  | "cancelled"
  | "failed";

/** What a step came to. */
export type StepOutcome =
  /** There are calls to execute. */
  | "calls"
  /** A call was begun, but it names no tool or has no body. */
  | "broken_call"
  | "answer"
  /** The model thought, or announced something, and stopped. */
  | "no_answer"
  /** A limit or the context ended it. */
  | "cut_off"
  /** The model goes on in the next step, with something to read first. */
  | "paused"
  /** The model repeated itself; the conversation is cut back before it goes on. */
  | "circling"
  /** The run was aborted, or the model or a listener failed. */
  | "interrupted";
