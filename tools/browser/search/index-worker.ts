/** The thread that holds the search indexes: the main thread never waits for a disk or a long insertion. */
import { type IndexChange, SearchIndex } from "./search-index.ts";

/** `index` is the number under which it was opened. */
export type IndexRequest = { readonly index: number } & (
  | { readonly call: "open"; readonly file: string; readonly version: number }
  | { readonly call: "update"; readonly change: IndexChange }
  | { readonly call: "updateVocabulary" | "hold" | "documents" | "close" }
  | { readonly call: "get"; readonly url: string }
  | { readonly call: "search"; readonly query: string; readonly limit: number }
);

const indexes = new Map<number, SearchIndex>();

/** Called with one request at a time; the first for an index is `open`. */
export default function handle(request: IndexRequest): unknown {
  if (request.call === "open") {
    indexes.set(request.index, new SearchIndex(request.file, request.version));
    return undefined;
  }
  const index = indexes.get(request.index);
  if (index === undefined) throw new Error("the index is closed");
  switch (request.call) {
    case "update":
      return index.update(request.change);
    case "updateVocabulary":
      return index.updateVocabulary();
    case "hold":
      return index.hold();
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
