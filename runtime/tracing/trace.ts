/** A log as a timeline: what happened in each turn, how long it took, what it cost, and what the model read and wrote. */
import {
  type Message,
  MODEL_HEADER_STYLE,
  messageSegments,
  segmentsToText,
} from "../../harmony/index.ts";
import type { StepFinish, StepUsage } from "../context.ts";
import type { Timing } from "../events.ts";
import { textOf } from "../options.ts";
import { type ConversationTurn, conversationOf } from "../thread/conversation.ts";
import type { LogEntry, Sampled, UserInput } from "../thread/entry.ts";
import { questionOf } from "./log-events.ts";

/** A part of a turn. Times in milliseconds behind the beginning of the turn. */
export type TracePart = {
  /** The entry that it is of. */
  readonly seq: number;
  readonly startMs: number;
  readonly durationMs: number;
} & (
  | {
      readonly type: "step";
      readonly prefillMs: number;
      readonly decodeMs: number;
      readonly usage: StepUsage;
      readonly finish: StepFinish;
      /** Kinds of the messages that were sampled. */
      readonly wrote: readonly string[];
      readonly contextLength: number | null;
    }
  | {
      readonly type: "call";
      readonly tool: string;
      readonly status: string;
      /** The rule by which it ran without an answer. */
      readonly allowedBy: string | null;
    }
  /** Something else that the log tells: an approval, a budget, a problem. */
  | { readonly type: "note"; readonly name: string; readonly text: string }
);

/** A message as the model read or wrote it. */
export type TraceMessage = {
  readonly role: string;
  readonly name: string | null;
  readonly channel: string | null;
  readonly recipient: string | null;
  readonly text: string;
  /** Its ids are those that were sampled; else it is rendered. */
  readonly isSampled: boolean;
};

export type TraceTurn = {
  readonly question: string;
  readonly model: string;
  readonly version: string | null;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly effort: string;
  readonly seed: number;
  readonly temperature: number;
  readonly tools: readonly string[];
  readonly status: "completed" | "failed" | "cancelled" | "open";
  readonly error: string | null;
  readonly timing: Timing | null;
  /** From the first entry to the last. */
  readonly totalMs: number;
  readonly parts: readonly TracePart[];
  /** System and developer message first, where the log has them. */
  readonly messages: readonly TraceMessage[];
};

export type Trace = {
  readonly threadId: string;
  readonly parent: string | null;
  readonly folder: string | null;
  readonly turns: readonly TraceTurn[];
};

/** @throws ThreadLogError when the entries are no log */
export function traceOf(entries: readonly LogEntry[]): Trace {
  const conversation = conversationOf(entries);
  const first = entries.find((entry) => entry.type === "thread");
  const starts = entries.flatMap(({ type }, at) => (type === "user" ? [at] : []));
  return {
    threadId: first?.threadId ?? "",
    parent: first?.parent?.threadId ?? null,
    folder: first?.folder ?? null,
    turns: starts.flatMap((at, turn) => {
      const said = conversation[turn];
      const own = entries.slice(at, starts[turn + 1]);
      const begin = own[0];
      return said === undefined || begin?.type !== "user" ? [] : [turnOf(begin, own, said)];
    }),
  };
}

function turnOf(
  begin: UserInput & LogEntry,
  entries: readonly LogEntry[],
  said: ConversationTurn,
): TraceTurn {
  const { model, version, at, settings, messages } = begin;
  const ended = said.ended;
  const from = Date.parse(at);
  return {
    question: questionOf(messages),
    model,
    version: version ?? null,
    startedAt: at,
    effort: settings.effort,
    seed: settings.sampling.seed,
    temperature: settings.sampling.temperature,
    tools: settings.tools.map(({ name }) => name),
    status: ended?.status ?? "open",
    error: ended?.error?.message ?? null,
    timing: ended?.timing ?? null,
    totalMs: Math.max(0, Date.parse(entries.at(-1)?.at ?? at) - from),
    parts: partsOf(entries, from),
    messages: messagesOfTurn(said).map(({ message, sampled }) => ({
      role: message.role,
      name: message.name ?? null,
      channel: message.channel ?? null,
      recipient: message.recipient ?? null,
      text: shownText(message),
      isSampled: sampled !== undefined,
    })),
  };
}

/** What a message says; of the system and the developer message, how it is rendered. */
function shownText(message: Message): string {
  if (message.content.every(({ type }) => type === "text")) return textOf(message);
  try {
    return segmentsToText(messageSegments(message, { headerStyle: MODEL_HEADER_STYLE }));
  } catch {
    return "";
  }
}

/** Everything that was read and written in a turn, in order. */
export function messagesOfTurn({
  opening,
  messages,
}: ConversationTurn): ConversationTurn["messages"] {
  return [...(opening ?? []).map((message) => ({ message })), ...messages];
}

function partsOf(entries: readonly LogEntry[], from: number): readonly TracePart[] {
  const tools = new Map<string, string>();
  const calls = new Map<string, { readonly at: number; readonly allowedBy: string | null }>();
  return entries.flatMap((entry): readonly TracePart[] => {
    const { seq } = entry;
    const ms = Math.max(0, Date.parse(entry.at) - from);
    const note = (name: string, text: string): readonly TracePart[] => [
      { type: "note", seq, startMs: ms, durationMs: 0, name, text },
    ];
    switch (entry.type) {
      case "sampled":
        for (const { itemId, call } of entry.messages) {
          if (itemId !== null && call !== undefined) tools.set(itemId, call.tool);
        }
        return [stepOf(entry, ms)];
      case "call":
        calls.set(entry.callId, { at: ms, allowedBy: entry.allowedBy ?? null });
        return [];
      case "result": {
        const { durationMs, status, callId } = entry;
        const begun = calls.get(callId);
        return [
          {
            type: "call",
            seq,
            startMs: begun?.at ?? ms,
            durationMs,
            tool: tools.get(callId) ?? callId,
            status,
            allowedBy: begun?.allowedBy ?? null,
          },
        ];
      }
      case "approval":
        return note(
          `approval ${entry.decision}`,
          [tools.get(entry.callId) ?? entry.callId, `by ${entry.by}`, entry.reason ?? ""]
            .filter((part) => part !== "")
            .join(", "),
        );
      case "steered":
        return note("said meanwhile", questionOf(entry.messages));
      case "problem":
        return note(entry.code, entry.message);
      case "budget":
        return note(
          `budget ${entry.state.replace("_", " ")}`,
          `${entry.budget.replace("_", " ")}: ${entry.used} of ${entry.limit}`,
        );
      case "cut_back":
        return note("cut back", `${entry.reason.replace("_", " ")}; ${entry.keep} messages stay`);
      case "compaction":
        return note(
          entry.kind === "summary" ? "summarised" : "shortened",
          `${entry.tokensBefore} → ${entry.tokensAfter} tokens`,
        );
      default:
        return [];
    }
  });
}

function stepOf(
  { seq, timing, usage, finish, messages, ...rest }: Sampled & LogEntry,
  ms: number,
): TracePart {
  const { prefillMs, decodeMs } = timing;
  const durationMs = prefillMs + decodeMs;
  return {
    type: "step",
    seq,
    // The entry is written when the step has ended.
    startMs: Math.max(0, ms - durationMs),
    durationMs,
    prefillMs,
    decodeMs,
    usage,
    finish,
    wrote: messages.map(({ kind, call }) => (call === undefined ? kind : `${kind} ${call.tool}`)),
    contextLength: rest.contextLength ?? null,
  };
}
