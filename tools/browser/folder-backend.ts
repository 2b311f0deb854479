/**
 * A folder of documents as a place to browse. The folder is read once, at the start: what the model
 * sees is that snapshot, so a citation means the text that was shown, and no later call touches the
 * file system.
 */
import { resolve as absolute } from "node:path";
import { setImmediate as otherWork } from "node:timers/promises";
import type { BrowserBackend, SearchHit } from "./backend.ts";
import { decodePath, findDocument } from "./document-path.ts";
import { DocumentFolderError } from "./errors.ts";
import { Extractor } from "./extractor.ts";
import {
  DEFAULT_LIMITS,
  type FolderLimits,
  listFolder,
  readDocument,
  type SkippedFile,
} from "./folder.ts";
import { createPage, type PageContent } from "./page.ts";
import { bestPassage } from "./passage.ts";
import { queryTerms, SearchIndex } from "./search-index.ts";

export type { FolderLimits } from "./folder.ts";

export type FolderSummary = {
  readonly path: string;
  readonly documents: number;
  readonly skipped: readonly SkippedFile[];
};

/** Documents named in an error, so that the model can choose one. */
const NAMED_DOCUMENTS = 8;

/**
 * Reads, extracts and indexes the documents of a folder.
 *
 * @throws DocumentFolderError when the folder is missing, is none, or holds no document
 */
export async function openDocumentFolder(
  folder: string,
  limits: Partial<FolderLimits> = {},
): Promise<FolderBackend> {
  const bounds = { ...DEFAULT_LIMITS, ...limits };
  const listing = await listFolder(folder, bounds);
  const skipped = [...listing.skipped];
  const index = new SearchIndex();
  const extractor = new Extractor(
    listing.files.map(({ url }) => url),
    bounds.extractionTimeoutMs,
  );
  const urls = new Set<string>();
  let bytesLeft = bounds.maxTotalBytes;
  try {
    for (const { url, path } of listing.files) {
      const bytes = await readDocument(path, Math.min(bounds.maxFileBytes, bytesLeft));
      const extraction =
        bytes instanceof Uint8Array ? await extractor.extract({ url, bytes }) : bytes;
      if ("reason" in extraction) {
        skipped.push({ path: url, reason: extraction.reason });
        continue;
      }
      index.add(extraction.page);
      urls.add(url);
      bytesLeft -= bytes instanceof Uint8Array ? bytes.length : 0;
    }
    if (urls.size === 0) {
      const first = skipped[0];
      const why = first ? ` (${first.path}: ${first.reason})` : "";
      throw new DocumentFolderError(folder, `there is no document in it${why}`);
    }
  } catch (error) {
    index.close();
    throw error;
  } finally {
    await extractor.close();
  }
  return new FolderBackend(listing.root, urls, skipped, index);
}

export class FolderBackend implements BrowserBackend {
  readonly summary: FolderSummary;
  readonly #urls: ReadonlySet<string>;
  readonly #index: SearchIndex;

  constructor(
    root: string,
    urls: ReadonlySet<string>,
    skipped: readonly SkippedFile[],
    index: SearchIndex,
  ) {
    this.summary = { path: root, documents: urls.size, skipped };
    this.#urls = urls;
    this.#index = index;
  }

  async search(query: string, topn: number, signal?: AbortSignal): Promise<readonly SearchHit[]> {
    const terms = queryTerms(query);
    const hits: SearchHit[] = [];
    for (const url of this.#index.search(query, topn)) {
      // Laying out a long page takes its time: signals and timers come through between two of them.
      await otherWork();
      signal?.throwIfAborted();
      const content = this.#index.get(url);
      if (content === null) continue;
      const { line, summary } = bestPassage(createPage(content, "document"), terms);
      hits.push({ url, title: content.title, summary, line });
    }
    return hits;
  }

  async open(url: string): Promise<PageContent> {
    const found = this.#find(url);
    const content = found === null ? null : this.#index.get(found);
    if (content !== null) return content;
    throw new Error(`${this.#whyNot(url)} ${this.#whatThereIs()}`);
  }

  async close(): Promise<void> {
    this.#index.close();
  }

  /** Accepts what a model may make of a path: `./`, a leading slash, a file URL, an anchor, escapes. */
  #find(url: string): string | null {
    const path = url
      .replace(/^file:\/\//i, "")
      .replace(/[#?].*$/s, "")
      .replace(/^(\.?\/)+/, "");
    const inRoot = absolute("/", path);
    const root = `${this.summary.path.replaceAll("\\", "/")}/`;
    const below = inRoot.startsWith(root) ? inRoot.slice(root.length) : path;
    for (const candidate of [url, path, below, decodePath(path)]) {
      const found = findDocument(candidate, this.#urls);
      if (found !== null) return found;
    }
    return null;
  }

  #whyNot(url: string): string {
    return /^https?:/i.test(url)
      ? "the web cannot be reached, only the documents of a folder."
      : "there is no such document.";
  }

  #whatThereIs(): string {
    const named = [...this.#urls].slice(0, NAMED_DOCUMENTS).join(", ");
    const more = this.#urls.size - NAMED_DOCUMENTS;
    return `The documents are: ${named}${more > 0 ? ` and ${more} more; use browser.search to find them` : ""}.`;
  }
}
