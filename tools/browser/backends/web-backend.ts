/**
 * The web, and a folder of documents beside it, as a place to browse: several search services asked at once, their
 * results as one list, and pages that are fetched when they are opened.
 */
import { messageOf } from "../../core/text.ts";
import type { FetchPurpose, WebClient } from "../../net/index.ts";
import type { BrowserBackend, SearchHit } from "../backend.ts";
import type { PageContent } from "../page.ts";
import { isWeb } from "../text/address.ts";
import { mergeHits } from "./merge-hits.ts";
import { openPage, webAddress } from "./open-page.ts";
import type { SearchProvider } from "./provider.ts";

export type WebBackendOptions = {
  /** Each entry is asked; of the providers in an entry, the first that answers. */
  readonly providers: readonly (readonly SearchProvider[])[];
  readonly client: WebClient;
  /** Documents that are no pages of the web. */
  readonly folder: BrowserBackend | null;
  /** Who chooses the pages that are opened. */
  readonly purpose: FetchPurpose;
  /** Gets a sentence where a provider did not answer and others did. */
  readonly onNote: (sentence: string) => void;
};

export class WebBackend implements BrowserBackend {
  readonly #options: WebBackendOptions;
  /** Sentences that were said: a provider that is blocked is so in the next search as well. */
  readonly #said = new Set<string>();

  constructor(options: WebBackendOptions) {
    this.#options = options;
  }

  /** @throws an Error that names what each provider said, where none has a result and one failed */
  async search(query: string, topn: number, signal: AbortSignal): Promise<readonly SearchHit[]> {
    if (this.#options.providers.length === 0) {
      throw new Error("no search service is configured; pages can be opened by their URL.");
    }
    const problems: string[] = [];
    const lists = await Promise.all(
      this.#options.providers.map((alternatives) =>
        searchFirst(alternatives, query, topn, signal, problems),
      ),
    );
    signal.throwIfAborted();
    const hits = mergeHits(lists).slice(0, topn);
    if (hits.length === 0 && problems.length > 0) throw new Error(problems.join(" "));
    for (const problem of problems) this.#note(problem);
    return hits;
  }

  async open(address: string, signal: AbortSignal): Promise<PageContent> {
    const { folder, client, purpose } = this.#options;
    // With a folder, what has no scheme is a path of it: `lens.md` must not become a request to a host of that name.
    if (folder !== null && !isWeb(address)) return folder.open(address, signal);
    const url = webAddress(address);
    if (url === null) throw new Error("it is no URL; accepted: http:// or https://.");
    return openPage(client, url, purpose, signal);
  }

  async close(): Promise<void> {
    const { providers, client, folder } = this.#options;
    await Promise.allSettled([
      ...providers.flat().map((provider) => provider.close()),
      client.close(),
      folder?.close(),
    ]);
  }

  #note(sentence: string): void {
    if (this.#said.has(sentence)) return;
    this.#said.add(sentence);
    this.#options.onNote(sentence);
  }
}

/** @param problems gets what each provider said that did not answer */
async function searchFirst(
  providers: readonly SearchProvider[],
  query: string,
  topn: number,
  signal: AbortSignal,
  problems: string[],
): Promise<readonly SearchHit[]> {
  for (const provider of providers) {
    try {
      return await provider.search(query, topn, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      problems.push(messageOf(error));
    }
  }
  return [];
}
