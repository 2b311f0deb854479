/** Another way for a conversation to go on: a copy of its log up to a step, perhaps with other results of calls. */
import { UsageError } from "../errors.ts";
import { type CallResult, type LogEntry, THREAD_LOG_VERSION } from "./entry.ts";
import { fold } from "./fold.ts";
import type { ThreadStore } from "./store.ts";
import { newThreadId, Thread } from "./thread.ts";

export type ForkPoint = {
  /** The last step that is kept, counted from 1 over the whole thread. Default: the one with the first edit. */
  readonly step?: number | undefined;
  /** Call → what the model reads instead of its result. */
  readonly edits?: ReadonlyMap<string, string> | undefined;
};

/**
 * A new thread with a copy of the log up to a step and the results of its calls, and with other texts in the place
 * of some. Its turn is open, so `agent.run(fork)` goes on with it; the recorded thread stays as it is.
 *
 * @param store where the copy is kept
 * @throws UsageError for a step or a call that the log does not have; ThreadStoreError
 */
export async function forkAtStep(
  store: ThreadStore,
  entries: readonly LogEntry[],
  { step, edits = new Map() }: ForkPoint,
): Promise<Thread> {
  const edited = entries.map((entry) => editedEntry(entry, edits));
  const found = new Set(edited.flatMap((entry) => (entry.type === "result" ? [entry.callId] : [])));
  for (const callId of edits.keys()) {
    if (found.has(callId)) continue;
    throw new UsageError(
      `The thread has no result of the call ${callId}; it has ${[...found].join(", ") || "none"}.`,
    );
  }
  const last = step ?? stepOfFirst(entries, edits);
  const kept = edited.slice(0, endOfStep(entries, last));
  if (fold(kept).turn === null) {
    throw new UsageError(`Step ${last} ends a turn; there is nothing to go on with behind it.`);
  }
  const [first] = entries;
  if (first?.type !== "thread") throw new UsageError("The log does not begin with a thread entry.");
  const threadId = newThreadId();
  const begin: LogEntry = {
    ...first,
    version: THREAD_LOG_VERSION,
    threadId,
    parent: { threadId: first.threadId, seq: kept.length - 1 },
    at: new Date().toISOString(),
  };
  await store.append(threadId, begin, ...kept.slice(1));
  return Thread.open(store, threadId);
}

/** Where a call that is named by its id, or by its number from 1, stands. @throws UsageError */
export function callNamed(entries: readonly LogEntry[], name: string): LogEntry & CallResult {
  const results = entries.filter((entry) => entry.type === "result");
  const found = results.find(({ callId }) => callId === name) ?? results[Number(name) - 1];
  if (found !== undefined) return found;
  const known = results.map(({ callId }, at) => `${at + 1} (${callId})`).join(", ");
  throw new UsageError(
    `The thread has no result of a call ${JSON.stringify(name)}; it has ${known || "none"}.`,
  );
}

function editedEntry(entry: LogEntry, edits: ReadonlyMap<string, string>): LogEntry {
  const text = entry.type === "result" ? edits.get(entry.callId) : undefined;
  if (entry.type !== "result" || text === undefined) return entry;
  // What programs read of the old result would contradict what the model reads.
  const { data: _data, content: _content, unusable: _unusable, ...rest } = entry;
  return { ...rest, status: "completed", text };
}

function stepOfFirst(entries: readonly LogEntry[], edits: ReadonlyMap<string, string>): number {
  const at = entries.findIndex((entry) => entry.type === "result" && edits.has(entry.callId));
  return entries.slice(0, Math.max(0, at)).filter(({ type }) => type === "sampled").length;
}

/** Entries up to the end of a step: its sample, and what its calls came to. */
function endOfStep(entries: readonly LogEntry[], step: number): number {
  const samples = entries.flatMap(({ type }, at) => (type === "sampled" ? [at] : []));
  const at = samples[step - 1];
  if (at === undefined) {
    throw new UsageError(`The thread has ${samples.length} steps; there is no step ${step}.`);
  }
  let end = at + 1;
  const belongs = new Set(["approval", "call", "result"]);
  while (belongs.has(entries[end]?.type ?? "")) end++;
  return end;
}
