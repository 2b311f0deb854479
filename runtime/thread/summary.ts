/** What a listing says of a thread: a function of its log, kept up to date entry by entry. */
import type { LogEntry } from "./entry.ts";
import { titleOf } from "./title.ts";

/** A thread in a listing. */
export type ThreadSummary = {
  readonly threadId: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly entries: number;
  /** As a person named it, else made from the first question; null before there is one. */
  readonly title: string | null;
  /** The folder in which it began; null where that is not known. */
  readonly folder: string | null;
  /** Of the last turn; null before there is one. */
  readonly model: string | null;
  readonly turns: number;
  /** The last turn has no end: a run is at work on it, waits for its caller, or was killed. */
  readonly isOpen: boolean;
};

/** The summary behind one more entry. @param before null: the entry is the first */
export function summarise(
  before: ThreadSummary | null,
  threadId: string,
  entry: LogEntry,
): ThreadSummary {
  const known = before ?? {
    threadId,
    createdAt: entry.at,
    updatedAt: entry.at,
    entries: 0,
    title: null,
    folder: null,
    model: null,
    turns: 0,
    isOpen: false,
  };
  const isLater = entry.at > known.updatedAt;
  const next = {
    ...known,
    updatedAt: isLater ? entry.at : known.updatedAt,
    entries: known.entries + 1,
  };
  switch (entry.type) {
    case "thread":
      return { ...next, folder: entry.folder ?? null };
    case "user":
      return {
        ...next,
        title: known.title ?? titleOf(entry.messages),
        model: entry.model,
        turns: known.turns + 1,
        isOpen: true,
      };
    case "titled":
      return { ...next, title: entry.title };
    case "ended":
      return { ...next, isOpen: false };
    default:
      return next;
  }
}
