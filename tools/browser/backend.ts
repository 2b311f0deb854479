/**
 * Where pages come from. The tools know only this interface, so a folder of documents and the web can
 * stand behind the same three calls.
 */
import type { PageContent } from "./page.ts";

/** One result of a search, as it is listed for the model. */
export type SearchHit = {
  readonly url: string;
  readonly title: string;
  /** The passage that answers best, one paragraph of plain text. */
  readonly summary: string;
  /** First line of that passage in the opened page, where the backend knows it. */
  readonly line?: number;
};

export interface BrowserBackend {
  /** Best first, at most `topn`. No match is an empty list, not an error. */
  search(query: string, topn: number, signal: AbortSignal): Promise<readonly SearchHit[]>;
  /**
   * Fetches and converts one page. The address may have a fragment; the page comes whole.
   *
   * @throws an error whose message tells the model what it can do instead
   */
  open(url: string, signal: AbortSignal): Promise<PageContent>;
  close(): Promise<void>;
}
