/**
 * Everything that happens in a run, in order. The terminal, `--json`, traces and tests are readers of
 * this one stream. Names and shapes follow the JSON events that `codex exec --json` made common
 * (`thread`, `turn`, `item`; items are flat); additions are `item.delta`, `generation.completed`,
 * `run.completed`, and the items `tool_call` and `code_execution`. Field names are the wire's, hence
 * snake_case.
 */
import type { Artifact } from "../tools/index.ts";
import type { BudgetName, BudgetState, StepFinish } from "./context.ts";

/** Cumulative over the thread. Input counts every prompt in full; `cached` is the part whose KV was reused. */
export type Usage = {
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  /** The rest of the input: computed, and kept in the KV cache for the next prompt. */
  readonly cache_write_input_tokens: number;
  readonly output_tokens: number;
  /** Part of `output_tokens` that was analysis. */
  readonly reasoning_output_tokens: number;
};

export type Timing = {
  readonly total_ms: number;
  /** From the start of the run to the first sampled token; null when none was sampled. */
  readonly first_token_ms: number | null;
  readonly prefill_ms: number;
  readonly decode_ms: number;
  readonly tools_ms: number;
  /** Sampled tokens per second of decode; null when none was sampled. */
  readonly decode_tokens_per_second: number | null;
};

/** `declined`: a call that was not allowed. */
export type ItemStatus = "in_progress" | "completed" | "failed" | "cancelled" | "declined";

/** Present only where the run was aborted or failed while the model wrote this. */
export type WithCut = { readonly status?: "cancelled" | "failed" };

/** Codes of what was wrong with the model's Harmony, or the arguments of a call, in this item, when anything was. */
export type WithIssues = { readonly issues?: readonly string[] };

/** What ended a call, where `<|call|>` did not. */
export type WithEnding = { readonly ended_by?: "end" | "return" | "nothing" };

/** What the cited lines say to the sentence; with `verifyCitations` alone. */
export type CitationSupport =
  /** The numbers, dates and names of the sentence are in the cited lines. */
  | "supported"
  /** A number is not in the cited lines, and can be computed of those that are. */
  | "computed"
  | "unsupported";

/** A citation that holds. Offsets in UTF-16 units of the item's text, the end not included. */
export type UrlCitation = {
  readonly type: "url_citation";
  readonly start_index: number;
  readonly end_index: number;
  /** Address of the page; the path of a local document. */
  readonly url: string;
  readonly title: string;
  /** The call that showed the page, as the model counts them. */
  readonly cursor: number;
  /** Cited lines, both ends included; none where the page as a whole is cited. */
  readonly lines: readonly { readonly first: number; readonly last: number }[];
  /** The cited lines as the model read them. */
  readonly quote: string;
  /** Of the page as it was read, which is in the thread's log. */
  readonly sha256: string;
  readonly support?: CitationSupport;
  /** What of the sentence is not in the cited lines, as it is written there. */
  readonly missing?: readonly string[];
};

/** A citation that does not hold. */
export type BrokenCitation = {
  readonly type: "broken_citation";
  readonly start_index: number;
  readonly end_index: number;
  readonly reason: "malformed" | "unknown_cursor" | "no_document" | "no_such_line" | "not_shown";
  /** The reason in words. */
  readonly message: string;
};

export type Annotation = UrlCitation | BrokenCitation;

export type AgentMessageItem = WithIssues &
  WithCut & {
    readonly id: string;
    readonly type: "agent_message";
    /** As the model wrote it, with its citations. */
    readonly text: string;
    /** `commentary`: said before or between tool calls. */
    readonly phase: "commentary" | "final_answer";
    /** What its citations cite, in order. Absent where there are none. */
    readonly annotations?: readonly Annotation[];
  };

export type ReasoningItem = WithIssues &
  WithCut & {
    readonly id: string;
    readonly type: "reasoning";
    readonly text: string;
  };

export type ToolCallItem = WithIssues &
  WithEnding & {
    readonly id: string;
    readonly type: "tool_call";
    /** The tool's own name; what the model addressed, where there is no such tool. */
    readonly tool: string;
    /** The arguments as the model wrote them. */
    readonly arguments: string;
    /** What the model reads back, and the same for programs where the tool gives it. */
    readonly result?: { readonly text: string; readonly data?: unknown };
    readonly error?: { readonly message: string };
    readonly status: ItemStatus;
  };

export type CodeExecutionItem = WithIssues &
  WithEnding & {
    readonly id: string;
    readonly type: "code_execution";
    readonly language: "python";
    readonly code: string;
    readonly output: string;
    /** Files that the code wrote for the user; none where it wrote none. */
    readonly artifacts?: readonly Artifact[];
    readonly status: ItemStatus;
  };

/** Something that went wrong and did not end the run. */
export type ErrorItem = {
  readonly id: string;
  readonly type: "error";
  readonly code: string;
  readonly message: string;
};

export type Item = AgentMessageItem | ReasoningItem | ToolCallItem | CodeExecutionItem | ErrorItem;

/** `pending`: the run waits for its caller (results of client-side tools, approvals), the turn is not over. */
export type RunStatus = "completed" | "failed" | "cancelled" | "pending";

/** A call that waits for the caller of the run. */
export type PendingCall = {
  readonly call_id: string;
  /** The tool's own name. */
  readonly tool: string;
  /** The arguments as the model wrote them. */
  readonly arguments: string;
  /** `result`: the caller executes it and appends the result; `approval`: the caller decides whether it may run. */
  readonly waits_for: "result" | "approval";
};

/** A call that was not allowed, without a person having said so. */
export type DeniedCall = {
  readonly call_id: string;
  /** The tool's own name. */
  readonly tool: string;
  readonly rule: string;
  readonly reason?: string;
};

/** What it cost that not all experts are in memory. */
export type ExpertUsage = {
  readonly resident: number;
  readonly hits: number;
  readonly misses: number;
  readonly hit_rate: number | null;
  readonly bytes_read: number;
  readonly read_ms: number;
};

export type RunEvent =
  | {
      readonly type: "thread.started";
      readonly thread_id: string;
      readonly model: string;
      /** Text of strangers was read in an earlier turn: the tool that returned it, or its name. */
      readonly tainted_by?: string;
      readonly sampling: {
        readonly temperature: number;
        readonly top_p: number;
        readonly seed: number;
        /** These only where they are not off. */
        readonly top_k?: number;
        readonly min_p?: number;
        readonly repetition_penalty?: number;
        readonly presence_penalty?: number;
        readonly frequency_penalty?: number;
      };
    }
  | { readonly type: "turn.started" }
  /** The user said something in the middle of the turn; the model reads it in its next step. */
  | { readonly type: "turn.steered"; readonly text: string }
  | { readonly type: "item.started"; readonly item: Item }
  | { readonly type: "item.updated"; readonly item: Item }
  | { readonly type: "item.completed"; readonly item: Item }
  | {
      readonly type: "item.delta";
      readonly item_id: string;
      readonly channel: string | null;
      readonly text: string;
    }
  | {
      /**
       * With a JSON output: what of the answer is certain so far, while the rest is written. Values that may go on
       * are left out.
       */
      readonly type: "item.partial";
      readonly item_id: string;
      readonly value: unknown;
    }
  | {
      /** One sampling of the model ended: the tokens of this one, not cumulative. */
      readonly type: "generation.completed";
      readonly input_tokens: number;
      readonly cached_input_tokens: number;
      readonly output_tokens: number;
      readonly finish_reason: StepFinish;
      /** Tokens that the context holds now, and at most; absent in logs of version 1. */
      readonly context_tokens?: number;
      readonly context_length?: number;
      readonly prefill_ms: number;
      readonly decode_ms: number;
    }
  | {
      /** Prompt tokens computed so far; sent while a long prompt is read. */
      readonly type: "prefill.progress";
      readonly done: number;
      readonly total: number;
    }
  | {
      /** How far a call has come, as its tool says it; sent at most ten times a second. */
      readonly type: "tool.progress";
      readonly item_id: string;
      /** In units of the tool's own. */
      readonly progress: number;
      /** What `progress` is at the end, where the tool knows it. */
      readonly total?: number;
      readonly message?: string;
      /** What the tool has printed since it was told last. */
      readonly output?: string;
    }
  | {
      /** The model had reasoned as long as it may: its analysis was ended, and it goes on behind that. */
      readonly type: "generation.reasoning_limited";
      readonly reason: "limit";
      /** Tokens of reasoning that this step had left. */
      readonly limit: number;
      /** What was appended for it: the end of its analysis, the second time the header of an answer as well. */
      readonly forced_ids: readonly number[];
    }
  | {
      /** A call needs a person's agreement; the run waits for it. */
      readonly type: "approval.requested";
      readonly item_id: string;
      readonly tool: string;
      readonly arguments: string;
      /** The rule because of which it is asked; `tool`: the tool wants it. */
      readonly rule: string;
      readonly reason?: string;
      /** What is other than in the definition of the tool that was trusted, line by line. */
      readonly change?: string;
    }
  | {
      readonly type: "approval.resolved";
      readonly item_id: string;
      readonly decision: "allowed" | "denied";
      /** Who decided: `caller`, `user`, `no_approver` (there was no one to ask), or the name of a rule. */
      readonly by: string;
      /** The rule because of which it was asked, or that denied it. */
      readonly rule?: string;
      readonly reason?: string;
      /** The answer holds for later calls as well. */
      readonly remember?: "session" | "always";
    }
  | {
      /** From here on the conversation holds text of strangers: what changes something is asked again. */
      readonly type: "thread.tainted";
      /** The tool that returned it, or the name of what the user put in. */
      readonly source: string;
    }
  | {
      /** A budget of the turn is near its end (the model is told to conclude), or used up. */
      readonly type: "budget";
      readonly budget: BudgetName;
      readonly state: BudgetState;
      /** In the unit of the budget. */
      readonly used: number;
      readonly limit: number;
    }
  | {
      /** The model went in circles: the conversation was cut back to before that, and it goes on with a hint. */
      readonly type: "loop.cut_back";
      readonly reason: "repeated_calls" | "circling_thought";
      /** Messages of the conversation that the model still reads, counted from its beginning. */
      readonly kept_messages: number;
    }
  | {
      /** The context is nearly full, or it was asked for: the model summarises the first turns. */
      readonly type: "compaction.started";
      readonly tokens: number;
    }
  | {
      /** What the model reads of the conversation is shorter now; the log keeps what was said. */
      readonly type: "compaction.completed";
      /** `shortened`: old results of tools; `summary`: turns that were over. */
      readonly kind: "shortened" | "summary";
      readonly reason: "near_limit" | "asked";
      /** Tokens of the prompt. */
      readonly tokens_before: number;
      readonly tokens_after: number;
      /** The items of the calls whose results are shorter now. */
      readonly shortened_results?: readonly string[];
      /** Messages from the beginning of the conversation in whose place the summary stands. */
      readonly replaced_messages?: number;
      readonly summary?: string;
    }
  | { readonly type: "turn.completed"; readonly usage: Usage }
  | {
      readonly type: "turn.failed";
      readonly error: { readonly message: string; readonly code?: string };
    }
  | {
      readonly type: "run.completed";
      readonly status: RunStatus;
      /** The accepted answer; null when there is none. */
      readonly output: string | null;
      /** Without an answer: what was said to the user until then, as far as anything was. */
      readonly partial_output?: string;
      /** With `pending`: what the run waits for. */
      readonly pending_calls?: readonly PendingCall[];
      /**
       * With `completed`: a rule, or that there was no one to ask, kept the model from its last call; it answered
       * without.
       */
      readonly denied_call?: DeniedCall;
      readonly usage: Usage;
      readonly timing: Timing;
      /** The exit status; from the command only. */
      readonly exit_code?: number;
      /** From the command only, where experts were read from the model's file while it computed. */
      readonly experts?: ExpertUsage;
    }
  | { readonly type: "error"; readonly message: string; readonly code?: string };

/**
 * Receives every event. The run waits for the returned promise before it goes on, so a listener that
 * writes to disk has written before the next step begins.
 */
export type EventListener = (event: RunEvent) => void | Promise<void>;
