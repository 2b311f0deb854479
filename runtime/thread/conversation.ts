/** A log as a conversation: its turns with everything that was said in them, for people and for training. */
import type { Message } from "../../harmony/index.ts";
import type { TranscriptMessage } from "../context.ts";
import type { Ended, LogEntry } from "./entry.ts";
import { apply, emptyState } from "./fold.ts";

export type ConversationTurn = {
  /** System and developer message that the model read; null where the log does not say. */
  readonly opening: readonly Message[] | null;
  /** What was said in this turn, analysis included. */
  readonly messages: readonly TranscriptMessage[];
  readonly model: string;
  /** Citations of its answer were compared with the cited lines. */
  readonly verifiesCitations: boolean;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** How the turn ended; null where it is open. */
  readonly ended: Ended | null;
};

/**
 * What the model read shorter later (`compaction`) is here as it was said.
 * @throws ThreadLogError when the entries are no log
 */
export function conversationOf(entries: readonly LogEntry[]): readonly ConversationTurn[] {
  const turns: ConversationTurn[] = [];
  let state = emptyState();
  let begun = 0;
  for (const entry of entries) {
    if (entry.type === "compaction" && entry.kind === "shortened") {
      state = { ...state, length: state.length + 1 };
      continue;
    }
    state = apply(state, entry);
    if (entry.type === "user" || entry.type === "compaction") {
      begun = state.turnStarts.at(-1)?.at ?? 0;
    }
    if (entry.type === "compaction") continue;
    if (entry.type !== "user" && turns.length === 0) continue;
    const messages = state.transcript.slice(begun);
    const { opening } = state;
    if (entry.type === "user") {
      turns.push({
        opening,
        messages,
        model: entry.model,
        verifiesCitations: entry.settings.verifyCitations ?? false,
        startedAt: entry.at,
        ended: null,
      });
      continue;
    }
    const turn = turns.pop() as ConversationTurn;
    turns.push({ ...turn, messages, ended: entry.type === "ended" ? entry : turn.ended });
  }
  return turns;
}
