/** The conversations of this user, for commands that need no model. */
import { threadsPath } from "../environment.ts";
import { openHome } from "../home.ts";
import { SqliteThreadStore, type ThreadSummary } from "../index.ts";
import type { CommandContext } from "./command-context.ts";

/** @throws ThreadStoreError, and what `work` throws; the store is closed in any case */
export async function withThreads<T>(
  { env, output }: CommandContext,
  work: (store: SqliteThreadStore) => Promise<T>,
): Promise<T> {
  const home = openHome(env, (sentence) => output.note(sentence));
  try {
    await using store = new SqliteThreadStore(threadsPath(home));
    return await work(store);
  } finally {
    home.close();
  }
}

/** A summary for programs. */
export function summaryJson(summary: ThreadSummary): object {
  return {
    thread_id: summary.threadId,
    title: summary.title,
    created_at: summary.createdAt,
    updated_at: summary.updatedAt,
    turns: summary.turns,
    entries: summary.entries,
    model: summary.model,
    folder: summary.folder,
    is_open: summary.isOpen,
  };
}
