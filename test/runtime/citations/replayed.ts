/** The events that a log gives, without the run that wrote it. */
import type { RunEvent } from "../../../runtime/events.ts";
import type { LogEntry } from "../../../runtime/thread/entry.ts";
import { apply, emptyState } from "../../../runtime/thread/fold.ts";
import { EventProjection } from "../../../runtime/thread/projection.ts";

export function replayedEvents(entries: readonly LogEntry[]): readonly RunEvent[] {
  const projection = new EventProjection();
  let state = emptyState();
  return entries.flatMap((entry) => {
    state = apply(state, entry);
    return projection.project(entry, state);
  });
}
