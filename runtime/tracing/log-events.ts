/** What a log tells, as the events of its runs. */
import type { RunEvent } from "../events.ts";
import type { LogEntry } from "../thread/entry.ts";
import { apply, emptyState } from "../thread/fold.ts";
import { EventProjection } from "../thread/projection.ts";

/** What the user put in, and what came of it. */
export type LoggedTurn = {
  /** The place of its first entry. */
  readonly seq: number;
  readonly model: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** What the user said. */
  readonly question: string;
  /** Those that happen only while something happens are not among them. */
  readonly events: readonly RunEvent[];
};

/** @throws ThreadLogError when the entries are no log */
export function turnsOfLog(entries: readonly LogEntry[]): readonly LoggedTurn[] {
  const projection = new EventProjection();
  const turns: (LoggedTurn & { readonly events: RunEvent[] })[] = [];
  let state = emptyState();
  for (const entry of entries) {
    state = apply(state, entry);
    const events = projection.project(entry, state);
    if (entry.type === "user") {
      turns.push({
        seq: entry.seq,
        model: entry.model,
        startedAt: entry.at,
        question: questionOf(entry.messages),
        events: [...events],
      });
    } else turns.at(-1)?.events.push(...events);
  }
  return turns;
}

/** The texts of the user among messages. */
export function questionOf(
  messages: readonly { readonly role: string; readonly content: readonly object[] }[],
): string {
  const own = messages.filter(({ role }) => role === "user");
  return own
    .map(({ content }) => content.map((part) => ("text" in part ? part.text : "")).join(""))
    .join("\n\n");
}
