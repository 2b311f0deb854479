/**
 * A request as every API means it: a conversation as a list of items, apart from its wire form. Adapters turn
 * their bodies into these and know nothing of Harmony.
 */

/** What a client sends of a conversation, oldest first. */
export type ConversationItem =
  /** Instructions. The leading ones are merged; later ones stay where they are. */
  | { readonly type: "system" | "developer" | "user"; readonly text: string }
  /** A thought, in any of its spellings. It counts only inside of the turn that is not answered. */
  | { readonly type: "reasoning"; readonly text: string }
  | {
      readonly type: "assistant";
      /** May begin with `<think>…</think>`. */
      readonly text: string;
      /** null: commentary where a call follows in the same turn, else an answer. */
      readonly phase?: "commentary" | "final_answer" | null;
    }
  | CallItem
  | {
      readonly type: "result";
      /** As the client has it; absent where it was dropped: then the name, then the order decides. */
      readonly callId?: string | null;
      readonly name?: string | null;
      readonly text: string;
    };

/** A call that a model made before. */
export type CallItem = {
  readonly type: "call";
  readonly callId?: string | null;
  /** What the client calls the tool; of a tool that was carried out here, what the model addresses. */
  readonly name: string;
  readonly namespace?: string | null;
  /** It was carried out here. */
  readonly isServerTool?: boolean;
  /** JSON; of a custom tool the text as it is. */
  readonly arguments: string;
};

/** What a part of an answer cites. */
export type Citation = {
  readonly url: string;
  readonly title: string;
  /** Characters of the text, the second not included. */
  readonly startIndex: number;
  readonly endIndex: number;
};

/** What a turn gives back, each with an id that no other item of this server has. */
export type OutputItem =
  | { readonly type: "reasoning"; readonly id: string; readonly text: string }
  | {
      readonly type: "message";
      readonly id: string;
      readonly phase: "commentary" | "final_answer";
      readonly text: string;
      /** Once it is complete. Absent: it cites nothing. */
      readonly citations?: readonly Citation[];
    }
  /** A call that the client carries out. */
  | {
      readonly type: "call";
      readonly id: string;
      readonly callId: string;
      readonly name: string;
      readonly namespace: string | null;
      readonly arguments: string;
    }
  /** A call that was carried out here. */
  | {
      readonly type: "tool";
      readonly id: string;
      readonly callId: string;
      /** What the model addressed: `browser.search`, `python`. */
      readonly tool: string;
      readonly arguments: string;
      /** null while it is at work. */
      readonly result: { readonly text: string; readonly data?: unknown } | null;
      readonly status: "in_progress" | "completed" | "failed";
    };

/** What happens in a turn, in order. Every item begins, has deltas (not `tool`), and is completed whole. A `tool` begins with its arguments. */
export type TurnEvent =
  /** The prompt was checked and has its place in the queue; the first event of a turn. */
  | { readonly type: "accepted"; readonly inputTokens: number }
  /** Prompt tokens computed so far. */
  | { readonly type: "prefill"; readonly done: number; readonly total: number }
  | { readonly type: "item.started"; readonly item: OutputItem }
  | { readonly type: "item.delta"; readonly id: string; readonly text: string }
  | { readonly type: "item.completed"; readonly item: OutputItem };

export type TurnUsage = {
  readonly inputTokens: number;
  /** Leading tokens of the input that were computed before. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** Part of `outputTokens` that was analysis. */
  readonly reasoningTokens: number;
};

/** Milliseconds. */
export type TurnTiming = {
  /** Time in which the turn waited for others. */
  readonly queueMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly totalMs: number;
  /** From the beginning of the turn; null where none was sampled. */
  readonly firstTokenMs: number | null;
};

/**
 * Why a turn ended: the model answered (or a stop string came), it called tools of the client, a limit of tokens
 * or the context was reached, it was aborted, it failed.
 */
export type TurnFinish = "stop" | "calls" | "length" | "cancelled" | "failed";

export type TurnResult = {
  readonly finish: TurnFinish;
  readonly items: readonly OutputItem[];
  readonly usage: TurnUsage;
  readonly timing: TurnTiming;
  /** The stop string that came; the text before it is in the items. */
  readonly stopString: string | null;
  /** With `length`: what was full. */
  readonly limit: "max_tokens" | "context" | null;
  /** With `failed` and `cancelled`; else null. */
  readonly error: unknown;
};
