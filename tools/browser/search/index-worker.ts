/** The thread that holds the search indexes: the main thread never waits for a disk or a long insertion. */
import type { PageContent } from "../page.ts";
import { SearchIndex } from "./search-index.ts";

/** A page to be taken into the index. */
export type IndexedPage = { readonly page: PageContent; readonly version: string };

/** `index` is the number under which it was opened. */
export type IndexRequest = { readonly index: number } & (
  | { readonly call: "open"; readonly file: string }
  | {
      readonly call: "update";
      readonly pages: readonly IndexedPage[];
      readonly removed: readonly string[];
    }
  | { readonly call: "updateVocabulary" | "documents" | "close" }
  | { readonly call: "get"; readonly url: string }
  | { readonly call: "search"; readonly query: string; readonly limit: number }
);

const indexes = new Map<number, SearchIndex>();

/** Called with one request at a time; the first for an index is `open`. */
export default function handle(request: IndexRequest): unknown {
  if (request.call === "open") {
    indexes.set(request.index, new SearchIndex(request.file));
    return undefined;
  }
  const index = indexes.get(request.index);
  if (index === undefined) throw new Error("the index is closed");
  switch (request.call) {
    case "update":
      return index.update(request.pages, request.removed);
    case "updateVocabulary":
      return index.updateVocabulary();
    case "documents":
      return index.documents();
    case "get":
      return index.get(request.url);
    case "search":
      return index.search(request.query, request.limit);
    case "close":
      indexes.delete(request.index);
      return index.close();
  }
}
