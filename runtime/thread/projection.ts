/**
 * Events as a function of the log. While a step is sampled, its items begin and end in the stream before
 * the step's entry is in the log; what was told live is not told again. So the events of a run, without
 * those that only exist while something happens (`LIVE_EVENTS`), are those that its entries give.
 */

import type { UnderstoodMessage } from "../context.ts";
import type { DeniedCall, Item, PendingCall, RunEvent } from "../events.ts";
import { textOf } from "../options.ts";
import { annotated } from "./annotate.ts";
import type { Approval, Compaction, Denial, LogRecord, Sampled, UserInput } from "./entry.ts";
import { cutItem, errorItem, itemOf, startedItem, withResult } from "./items.ts";
import type { OpenCall, ThreadState } from "./state.ts";

/** Events that are no function of the log. */
export const LIVE_EVENTS: ReadonlySet<RunEvent["type"]> = new Set<RunEvent["type"]>([
  "item.delta",
  "prefill.progress",
  "tool.progress",
  "generation.reasoning_limited",
  "compaction.started",
]);

type ItemMessage = UnderstoodMessage & { readonly itemId: string };

export class EventProjection {
  readonly #told = new Map<string, "started" | "completed">();
  /** Items of calls that have no result yet. */
  readonly #calls = new Map<string, Item>();

  /** The item of a message whose content begins, told live. */
  started(item: Item): RunEvent {
    this.#told.set(item.id, "started");
    return { type: "item.started", item };
  }

  /** The item of a message that has ended, told live. */
  completed(item: Item): RunEvent {
    this.#told.set(item.id, "completed");
    return { type: "item.completed", item };
  }

  /** What a run tells first that goes on with a turn that is open. */
  resumed(state: ThreadState, model: string): readonly RunEvent[] {
    const { turn } = state;
    if (turn === null) return [];
    const calls = turn.calls.map((call) => {
      this.#calls.set(call.callId, openItem(call));
      return this.started(startedItem(call.callId, call, call.call));
    });
    return [threadStarted(state, model, turn.settings), { type: "turn.started" }, ...calls];
  }

  /** @param state the state behind the record */
  project(record: LogRecord, state: ThreadState): readonly RunEvent[] {
    switch (record.type) {
      case "thread":
      case "call":
      case "titled":
        return [];
      case "user":
        return [
          threadStarted(state, record.model, record.settings),
          { type: "turn.started" },
          ...taintEvents(state),
        ];
      case "steered":
        return [{ type: "turn.steered", text: record.messages.map(textOf).join("\n\n") }];
      case "sampled":
        return this.#sampled(record, state);
      case "approval":
        return [this.#approval(record)];
      case "result": {
        const item = this.#calls.get(record.callId);
        this.#calls.delete(record.callId);
        return [
          ...(item === undefined ? [] : [this.completed(withResult(item, record))]),
          ...taintEvents(state),
        ];
      }
      case "problem":
        return [this.completed(errorItem(record))];
      case "budget": {
        const { budget, state: budgetState, used, limit } = record;
        return [{ type: "budget", budget, state: budgetState, used, limit }];
      }
      case "cut_back":
        return [{ type: "loop.cut_back", reason: record.reason, kept_messages: record.keep }];
      case "compaction":
        return [compacted(record)];
      case "ended":
        return [
          record.status === "completed"
            ? { type: "turn.completed", usage: state.usage }
            : { type: "turn.failed", error: record.error ?? { message: "" } },
          {
            type: "run.completed",
            status: record.status,
            output: record.output,
            ...(record.partial !== undefined && { partial_output: record.partial }),
            ...(record.denied && { denied_call: deniedCall(record.denied) }),
            usage: state.usage,
            timing: record.timing,
          },
        ];
    }
  }

  #sampled(record: Sampled, state: ThreadState): readonly RunEvent[] {
    const events: RunEvent[] = [];
    const messages = record.messages.filter((message): message is ItemMessage => {
      return message.itemId !== null;
    });
    const last = record.messages.at(-1);
    const isInterrupted = record.outcome === "interrupted";
    for (const part of inOrder([...messages, ...record.notices])) {
      if ("code" in part) {
        if (!this.#told.has(part.itemId)) events.push(this.completed(errorItem(part)));
        continue;
      }
      const { itemId, call, channel } = part;
      if (!this.#told.has(itemId))
        events.push(this.started(startedItem(itemId, { channel }, call)));
      const whole = itemOf(part);
      if (call !== undefined) this.#calls.set(itemId, whole);
      else if (this.#told.get(itemId) !== "completed") {
        const isCut = isInterrupted && part === last && part.terminator === null;
        const status = record.finish === "cancelled" ? "cancelled" : "failed";
        const said = annotated(whole, state);
        events.push(this.completed(isCut ? cutItem(said, status) : said));
      }
    }
    if (!isInterrupted) events.push(generationCompleted(record));
    if (record.outcome === "calls") {
      for (const item of this.#calls.values()) events.push({ type: "item.updated", item });
    }
    return events;
  }

  #approval(record: Approval): RunEvent {
    const { callId, decision, by, reason, rule, change, remember } = record;
    if (decision === "asked") {
      const item = this.#calls.get(callId);
      return {
        type: "approval.requested",
        item_id: callId,
        tool: item?.type === "tool_call" ? item.tool : "python",
        arguments: bodyOf(item),
        rule: rule ?? by,
        ...(reason !== undefined && { reason }),
        ...(change !== undefined && { change }),
      };
    }
    return {
      type: "approval.resolved",
      item_id: callId,
      decision,
      by,
      ...(rule !== undefined && { rule }),
      ...(reason !== undefined && { reason }),
      ...(remember && { remember }),
    };
  }
}

/**
 * What the caller has to give before a run that ended as `pending` goes on. A call behind one of these that
 * the run itself executes is not among them.
 */
export function pendingCalls(state: ThreadState): readonly PendingCall[] {
  return (state.turn?.calls ?? []).flatMap(({ callId, call, text, progress }) => {
    const waitsForApproval = progress === "asked" || progress === "started";
    if (!waitsForApproval && call.execution !== "client") return [];
    const waits_for = waitsForApproval ? "approval" : "result";
    return [{ call_id: callId, tool: call.tool, arguments: text, waits_for } as const];
  });
}

/** Items of one step by their numbers, which is the order in which they began. */
function inOrder<T extends { readonly itemId: string }>(parts: readonly T[]): readonly T[] {
  const number = ({ itemId }: T): number => Number(itemId.slice(itemId.lastIndexOf("_") + 1));
  return parts.toSorted((a, b) => number(a) - number(b));
}

function openItem({ callId, call, text, channel, codes, isUnterminated }: OpenCall): Item {
  return itemOf({
    kind: "call",
    itemId: callId,
    channel,
    contentType: null,
    text,
    terminator: isUnterminated ? null : "call",
    issues: codes.map((code) => ({ code, detail: "" })),
    ids: [0, 0],
    call,
  });
}

function bodyOf(item: Item | undefined): string {
  if (item?.type === "code_execution") return item.code;
  return item?.type === "tool_call" ? item.arguments : "";
}

/** Told once in a thread: by the entry that brought the first text of strangers. */
function taintEvents({ taint, length }: ThreadState): readonly RunEvent[] {
  return taint?.seq === length - 1 ? [{ type: "thread.tainted", source: taint.source }] : [];
}

export function deniedCall({ callId, tool, rule, reason }: Denial): DeniedCall {
  return { call_id: callId, tool, rule, ...(reason !== undefined && { reason }) };
}

function threadStarted(
  { threadId, taint, length }: ThreadState,
  model: string,
  { sampling }: UserInput["settings"],
): RunEvent {
  const { temperature, topP, seed, topK, minP } = sampling;
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = sampling;
  return {
    type: "thread.started",
    thread_id: threadId,
    model,
    ...(taint !== null && taint.seq < length - 1 && { tainted_by: taint.source }),
    sampling: {
      temperature,
      top_p: topP,
      seed,
      ...(topK && { top_k: topK }),
      ...(minP && { min_p: minP }),
      ...((repetitionPenalty ?? 1) !== 1 && { repetition_penalty: repetitionPenalty ?? 1 }),
      ...(presencePenalty && { presence_penalty: presencePenalty }),
      ...(frequencyPenalty && { frequency_penalty: frequencyPenalty }),
    },
  };
}

function compacted(record: Compaction): RunEvent {
  const { kind, reason, tokensBefore, tokensAfter } = record;
  return {
    type: "compaction.completed",
    kind,
    reason,
    tokens_before: tokensBefore,
    tokens_after: tokensAfter,
    ...(record.kind === "summary"
      ? { replaced_messages: record.messages, summary: record.summary }
      : { shortened_results: record.results.map(({ callId }) => callId) }),
  };
}

function generationCompleted({ usage, finish, timing, contextLength }: Sampled): RunEvent {
  return {
    type: "generation.completed",
    input_tokens: usage.inputTokens,
    cached_input_tokens: usage.cachedTokens,
    output_tokens: usage.outputTokens,
    finish_reason: finish,
    ...(contextLength !== undefined && {
      context_tokens: usage.inputTokens + usage.outputTokens,
      context_length: contextLength,
    }),
    prefill_ms: timing.prefillMs,
    decode_ms: timing.decodeMs,
  };
}
