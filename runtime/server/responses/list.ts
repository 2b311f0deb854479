/** Lists by pages, as OpenAI's APIs give them. */
import { invalidField } from "../errors.ts";

export type ListQuery = {
  /** From 1 to 100. */
  readonly limit: number;
  /** `asc`: the oldest first. */
  readonly order: "asc" | "desc";
  /** Begins behind the item with this id; null: at the beginning. */
  readonly after: string | null;
};

export type Page<T> = {
  readonly object: "list";
  readonly data: readonly T[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
};

const MAX_LIMIT = 100;

/**
 * @param items the oldest first
 * @throws ServerError for a limit that is none, and for an item that is not there
 */
export function listed<T extends { readonly id: string }>(
  items: readonly T[],
  { limit, order, after }: ListQuery,
): Page<T> {
  if (limit < 1 || limit > MAX_LIMIT) {
    throw invalidField("limit", `The limit is ${limit}; accepted: 1 to ${MAX_LIMIT}.`);
  }
  const all = order === "asc" ? items : items.toReversed();
  const at = after === null ? -1 : all.findIndex(({ id }) => id === after);
  if (after !== null && at < 0) throw invalidField("after", "There is no item with this id.");
  const data = all.slice(at + 1, at + 1 + limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: at + 1 + data.length < all.length,
  };
}
