/** From what a person types to a thread of the store. */
import { AmbiguousThreadError, ThreadNotFoundError } from "./errors.ts";
import type { ThreadStore } from "./store.ts";
import type { ThreadSummary } from "./summary.ts";

/** What ids that are made here begin with; it need not be typed. */
export const THREAD_PREFIX = "thread_";

/**
 * The thread with this id, or whose id alone begins with it; `thread_` may be left out.
 * @throws ThreadNotFoundError, AmbiguousThreadError naming the candidates; ThreadStoreError
 */
export async function findThread(store: ThreadStore, id: string): Promise<ThreadSummary> {
  if (id === "") throw new ThreadNotFoundError(id);
  for (const prefix of [id, THREAD_PREFIX + id]) {
    const found = await store.list({ prefix });
    const exact = found.find(({ threadId }) => threadId === prefix);
    if (exact !== undefined) return exact;
    if (found.length > 1) throw new AmbiguousThreadError(id, found);
    if (found[0] !== undefined) return found[0];
  }
  throw new ThreadNotFoundError(id);
}

/**
 * The thread that was used last, of those that began in a folder.
 * @returns undefined where none did
 * @throws ThreadStoreError
 */
export async function lastThread(
  store: ThreadStore,
  folder: string,
): Promise<ThreadSummary | undefined> {
  const [last] = await store.list({ folder, limit: 1 });
  return last;
}

/** How much of an id says which thread is meant, at least eight characters behind `thread_`. */
export function shortIds(ids: readonly string[]): ReadonlyMap<string, string> {
  const bare = ids.map((id) =>
    id.startsWith(THREAD_PREFIX) ? id.slice(THREAD_PREFIX.length) : id,
  );
  const sorted = bare.toSorted();
  const shared = (a: string, b: string): number => {
    let length = 0;
    while (length < a.length && a[length] === b[length]) length++;
    return length;
  };
  const needed = new Map(
    sorted.map((id, at) => {
      const before = shared(id, sorted[at - 1] ?? "");
      const behind = shared(id, sorted[at + 1] ?? "");
      return [id, Math.max(SHORT_ID, before + 1, behind + 1)] as const;
    }),
  );
  return new Map(ids.map((id, at) => [id, (bare[at] ?? id).slice(0, needed.get(bare[at] ?? id))]));
}

const SHORT_ID = 8;
