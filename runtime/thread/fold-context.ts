/** Entries that change what the model reads of a conversation, beside what is said in it. */
import type { Message } from "../../harmony/index.ts";
import type { TranscriptMessage } from "../context.ts";
import type { Budget, Compaction, CutBack } from "./entry.ts";
import { misplaced } from "./errors.ts";
import type { ThreadState, TurnState } from "./state.ts";

/** @throws ThreadLogError for a note between a call and its result */
export function budget(state: ThreadState, turn: TurnState, record: Budget): Partial<ThreadState> {
  const { budget: name, note } = record;
  if (note !== null && turn.calls.length > 0) {
    throw misplaced(state, record, "a call has no result");
  }
  const told = { state: record.state, steps: turn.steps };
  return {
    transcript:
      note === null ? state.transcript : [...state.transcript, { message: note, isNote: true }],
    turn: { ...turn, budgets: { ...turn.budgets, [name]: told } },
  };
}

/** @throws ThreadLogError for more messages than there are, or while a call is open */
export function cutBack(
  state: ThreadState,
  turn: TurnState,
  record: CutBack,
): Partial<ThreadState> {
  const { keep, thought, hint } = record;
  const { transcript } = state;
  if (turn.calls.length > 0) throw misplaced(state, record, "a call has no result");
  if (keep > transcript.length) {
    throw misplaced(state, record, `there are only ${transcript.length} messages to keep`);
  }
  // The notes of the turn stay: the model was told these things once.
  return {
    transcript: [
      ...transcript.slice(0, keep),
      ...(thought === null ? [] : [{ message: thought }]),
      ...transcript.slice(keep).filter(({ isNote }) => isNote),
      { message: hint, isNote: true },
    ],
    turn: {
      ...turn,
      recentCalls: turn.recentCalls.filter(({ from }) => from < keep),
      circlingThought: null,
      cutBacks: turn.cutBacks + 1,
    },
  };
}

/** @throws ThreadLogError for a summary of a part of a turn, or in the middle of one */
export function compaction(state: ThreadState, record: Compaction): Partial<ThreadState> {
  if (record.kind === "shortened") {
    const texts = new Map(record.results.map(({ callId, text }) => [callId, text]));
    return { transcript: state.transcript.map((entry) => shortened(entry, texts)) };
  }
  const { transcript, turnStarts, turn, usage } = state;
  const { messages, range } = record;
  if (turn !== null && turn.steps > 0) {
    throw misplaced(state, record, "a turn is open, and has begun to call and answer");
  }
  const ends = [...turnStarts.slice(1).map(({ at }) => at), ...(turn ? [] : [transcript.length])];
  if (messages === 0 || !ends.includes(messages)) {
    throw misplaced(state, record, `message ${messages} is not the end of a turn that is over`);
  }
  const place: readonly TranscriptMessage[] = [
    { message: record.request },
    { message: summaryMessage(record.summary) },
  ];
  const moved = turnStarts
    .filter(({ at }) => at >= messages)
    .map((start) => ({ ...start, at: start.at - messages + place.length }));
  const { inputTokens, cachedTokens, outputTokens } = record.usage;
  return {
    transcript: [...place, ...transcript.slice(messages)],
    turnStarts: [{ at: 0, seq: range.fromSeq, isSummary: true }, ...moved],
    usage: {
      ...usage,
      input_tokens: usage.input_tokens + inputTokens,
      cached_input_tokens: usage.cached_input_tokens + cachedTokens,
      cache_write_input_tokens: usage.cache_write_input_tokens + inputTokens - cachedTokens,
      output_tokens: usage.output_tokens + outputTokens,
    },
  };
}

function shortened(
  entry: TranscriptMessage,
  texts: ReadonlyMap<string, string>,
): TranscriptMessage {
  const text = entry.callId === undefined ? undefined : texts.get(entry.callId);
  if (text === undefined || entry.message.role !== "tool") return entry;
  return { ...entry, message: { ...entry.message, content: [{ type: "text", text }] } };
}

/** The model's own words, with no more authority than these. */
function summaryMessage(summary: string): Message {
  return { role: "assistant", channel: "final", content: [{ type: "text", text: summary }] };
}
