/** A conversation as the page shows it: a function of the events of its turns. */
import type { Item, PendingCall, RunEvent, Timing, Usage } from "../../../events.ts";
import type { LoggedTurn } from "../../../tracing/index.ts";
import type { PageEvent } from "../live-run.ts";

/** What a call waits for, or was told. */
export type ApprovalView = {
  readonly rule: string;
  readonly reason: string | null;
  readonly change: string | null;
  readonly decision: "asked" | "allowed" | "denied";
  readonly by: string | null;
};

export type ItemView = {
  readonly kind: "item";
  readonly item: Item;
  /** What was written of it so far; the item's own text once it is complete. */
  readonly live: string;
  /** What its tool has printed so far. */
  readonly output: string;
  readonly progress: string | null;
  readonly approval: ApprovalView | null;
  /** With an output that is JSON: what is certain of it so far. */
  readonly value?: unknown;
  readonly isComplete: boolean;
};

export type NoteView = { readonly kind: "note"; readonly name: string; readonly text: string };

export type TurnView = {
  readonly question: string;
  readonly startedAt: string | null;
  readonly parts: readonly (ItemView | NoteView)[];
  readonly status: "running" | "completed" | "failed" | "cancelled" | "pending" | "open";
  readonly error: string | null;
  readonly pending: readonly PendingCall[];
  readonly usage: Usage | null;
  readonly timing: Timing | null;
  /** Tokens of the prompt that were read and are to be read; null: it is read. */
  readonly prefill: { readonly done: number; readonly total: number } | null;
  /** Pieces that were written in this turn: about as many as tokens. */
  readonly written: number;
  readonly context: { readonly tokens: number; readonly length: number } | null;
  readonly opening: string | null;
};

export function emptyTurn(question: string, startedAt: string | null = null): TurnView {
  return {
    question,
    startedAt,
    parts: [],
    status: "open",
    error: null,
    pending: [],
    usage: null,
    timing: null,
    prefill: null,
    written: 0,
    context: null,
    opening: null,
  };
}

export function turnOfLog({ question, startedAt, events }: LoggedTurn): TurnView {
  return events.reduce<TurnView>(withEvent, emptyTurn(question, startedAt));
}

/** The turn behind one more event. */
export function withEvent(turn: TurnView, event: PageEvent): TurnView {
  switch (event.type) {
    case "page.opening":
      return { ...turn, status: "running", opening: event.model };
    case "turn.started":
      return { ...turn, opening: null };
    case "item.started":
    case "item.updated":
    case "item.completed":
      return withItem(turn, event);
    case "item.delta":
      return {
        ...withPart(turn, event.item_id, (view) => ({ ...view, live: view.live + event.text })),
        written: turn.written + 1,
        prefill: null,
      };
    case "item.partial":
      return withPart(turn, event.item_id, (view) => ({ ...view, value: event.value }));
    case "tool.progress": {
      const { progress, total, message, output = "" } = event;
      const far = total === undefined ? null : `${progress} of ${total}`;
      const text = [far, message].filter((part) => part != null).join(": ");
      return withPart(turn, event.item_id, (view) => ({
        ...view,
        output: view.output + output,
        progress: text === "" ? view.progress : text,
      }));
    }
    case "approval.requested": {
      const { rule, reason = null, change = null } = event;
      return withPart(turn, event.item_id, (view) => ({
        ...view,
        approval: { rule, reason, change, decision: "asked", by: null },
      }));
    }
    case "approval.resolved":
      return withPart(turn, event.item_id, (view) => ({
        ...view,
        approval: {
          rule: view.approval?.rule ?? event.rule ?? event.by,
          reason: event.reason ?? view.approval?.reason ?? null,
          change: null,
          decision: event.decision,
          by: event.by,
        },
      }));
    case "prefill.progress":
      return { ...turn, prefill: { done: event.done, total: event.total } };
    case "generation.completed":
      return {
        ...turn,
        prefill: null,
        ...(event.context_tokens !== undefined && {
          context: { tokens: event.context_tokens, length: event.context_length ?? 0 },
        }),
      };
    case "turn.failed":
      return { ...turn, error: event.error.message };
    case "run.completed": {
      const { status, usage, timing, pending_calls: pending = [] } = event;
      return { ...turn, status, usage, timing, pending, prefill: null, opening: null };
    }
    case "error":
      return { ...turn, status: "failed", error: event.message, opening: null };
    default: {
      const note = noteOf(event);
      return note === null ? turn : { ...turn, parts: [...turn.parts, note] };
    }
  }
}

function withItem(
  turn: TurnView,
  event: RunEvent & { readonly type: "item.started" | "item.updated" | "item.completed" },
): TurnView {
  const { item, type } = event;
  const isComplete = type === "item.completed";
  const text = bodyOf(item);
  if (turn.parts.some((part) => part.kind === "item" && part.item.id === item.id)) {
    return withPart(turn, item.id, (view) => ({
      ...view,
      item,
      isComplete,
      live: text === "" && !isComplete ? view.live : text,
    }));
  }
  const view: ItemView = {
    kind: "item",
    item,
    live: text,
    output: "",
    progress: null,
    approval: null,
    isComplete,
  };
  return { ...turn, parts: [...turn.parts, view] };
}

/** What the model writes of an item. */
function bodyOf(item: Item): string {
  switch (item.type) {
    case "tool_call":
      return item.arguments;
    case "code_execution":
      return item.code;
    case "error":
      return item.message;
    default:
      return item.text;
  }
}

function withPart(turn: TurnView, id: string, change: (view: ItemView) => ItemView): TurnView {
  // It is nearly always the last one.
  const at = turn.parts.findLastIndex((part) => part.kind === "item" && part.item.id === id);
  const view = turn.parts[at];
  if (view?.kind !== "item") return turn;
  return { ...turn, parts: turn.parts.with(at, change(view)) };
}

function noteOf(event: PageEvent): NoteView | null {
  const note = (name: string, text: string): NoteView => ({ kind: "note", name, text });
  switch (event.type) {
    case "turn.steered":
      return note("You", event.text);
    case "thread.tainted":
      return note(
        "Text of strangers",
        `${event.source}: what changes something is asked from here on.`,
      );
    case "budget": {
      const { budget, state, used, limit } = event;
      return note(
        "Budget",
        `${budget} ${state === "near" ? "near its end" : "used up"}: ${used} of ${limit}`,
      );
    }
    case "loop.cut_back":
      return note("Went in circles", "The conversation was cut back to before that.");
    case "compaction.started":
      return note("Summarising", `${event.tokens} tokens`);
    case "compaction.completed":
      return note("Made shorter", `${event.tokens_before} → ${event.tokens_after} tokens`);
    case "generation.reasoning_limited":
      return note("Reasoning ended", `by its limit of ${event.limit} tokens`);
    case "page.unread":
      return note("Not read any more", event.texts.join("\n\n"));
    default:
      return null;
  }
}
