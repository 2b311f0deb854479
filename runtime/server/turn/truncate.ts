/**
 * A conversation that does not fit is made shorter from its beginning. The instructions stay, and what was said last;
 * a call and its result stay or go together.
 */
import { ServerError } from "../errors.ts";
import type { ConversationItem } from "./items.ts";
import type { TurnRequest } from "./run-turn.ts";

/**
 * @param begin throws a ServerError with the code `context_length_exceeded` for a conversation that does not fit
 * @throws what `begin` throws of the shortest conversation
 */
export async function truncated<T>(
  request: TurnRequest,
  begin: (request: TurnRequest) => Promise<T>,
): Promise<T> {
  let { items } = request;
  for (;;) {
    try {
      return await begin({ ...request, items });
    } catch (error) {
      const isTooLong =
        error instanceof ServerError && error.wireCode === "context_length_exceeded";
      const shorter = isTooLong ? withoutOldest(items) : null;
      if (shorter === null) throw error;
      items = shorter;
    }
  }
}

/**
 * Without the oldest quarter of what may go, and at least one message of it.
 * @returns null where nothing may go
 */
export function withoutOldest(
  items: readonly ConversationItem[],
): readonly ConversationItem[] | null {
  const first = items.findIndex(({ type }) => type !== "system" && type !== "developer");
  const last = items.findLastIndex(({ type }) => type === "user");
  if (first < 0 || last <= first) return null;
  const wanted = first + Math.max(1, Math.ceil((last - first) / 4));
  // Only where a user speaks next: there no call waits for its result.
  const next = items.findIndex((item, at) => at >= wanted && item.type === "user");
  const from = next < 0 ? last : next;
  const kept = items
    .slice(first, from)
    .filter(({ type }) => type === "system" || type === "developer");
  return [...items.slice(0, first), ...kept, ...items.slice(from)];
}
