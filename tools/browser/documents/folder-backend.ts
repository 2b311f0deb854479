/**
 * A folder of documents as a place to browse. The folder is read once, at the start: what the model
 * sees is that snapshot, so a citation means the text that was shown, and no later call touches the
 * file system.
 */
import { resolve as absolute } from "node:path";
import { setImmediate as otherWork } from "node:timers/promises";
import type { BrowserBackend, SearchHit } from "../backend.ts";
import { DocumentFolderError } from "../errors.ts";
import type { PageContent } from "../page.ts";
import { SearchIndex } from "../search/search-index.ts";
import { isWeb, splitFragment } from "../text/address.ts";
import { resolveLinks } from "../text/links.ts";
import { addressForms, findDocument } from "./document-path.ts";
import { extractDocument } from "./extractor.ts";
import {
  DEFAULT_LIMITS,
  type DocumentFile,
  type FolderLimits,
  listFolder,
  readDocument,
  type SkippedFile,
} from "./folder.ts";

export type { FolderLimits, SkippedFile } from "./folder.ts";

export type FolderSummary = {
  readonly path: string;
  readonly documents: number;
  /** Files that were left out, each with the reason. */
  readonly skipped: readonly SkippedFile[];
  /** What to know of files that were read: a guessed character set, a part cut off. */
  readonly warnings: readonly SkippedFile[];
};

export type FolderOptions = Partial<FolderLimits> & {
  /**
   * Where the index is kept from one time to the next; only files that changed are read again. Without
   * it the index goes with the process.
   */
  readonly indexFile?: string;
};

/** Documents named in an error, so that the model can choose one. */
const NAMED_DOCUMENTS = 8;

/**
 * Reads, converts and indexes the documents of a folder.
 *
 * @throws DocumentFolderError when the folder is missing, is none, or holds no document
 */
export async function openDocumentFolder(
  folder: string,
  { indexFile, ...limits }: FolderOptions = {},
): Promise<FolderBackend> {
  const bounds = { ...DEFAULT_LIMITS, ...limits };
  const listing = await listFolder(folder, bounds);
  const index = new SearchIndex(indexFile);
  const reader = new FolderReader(index, bounds);
  try {
    await reader.read(listing.files);
    if (reader.urls.size === 0) {
      const first = [...listing.skipped, ...reader.skipped][0];
      const why = first ? ` (${first.path}: ${first.reason})` : "";
      throw new DocumentFolderError(folder, `there is no document in it${why}`);
    }
  } catch (error) {
    index.close();
    throw error;
  }
  const summary = {
    path: listing.root,
    documents: reader.urls.size,
    skipped: [...listing.skipped, ...reader.skipped],
    warnings: reader.warnings,
  };
  return new FolderBackend(summary, reader.urls, index);
}

/** Brings the index to the state of the files. */
class FolderReader {
  readonly urls = new Set<string>();
  readonly skipped: SkippedFile[] = [];
  readonly warnings: SkippedFile[] = [];
  readonly #index: SearchIndex;
  readonly #limits: FolderLimits;
  readonly #deadline: number;
  #bytesLeft: number;

  constructor(index: SearchIndex, limits: FolderLimits) {
    this.#index = index;
    this.#limits = limits;
    this.#deadline = Date.now() + limits.totalTimeoutMs;
    this.#bytesLeft = limits.maxTotalBytes;
  }

  async read(files: readonly DocumentFile[]): Promise<void> {
    const known = new Map(this.#index.documents().map(({ url, version }) => [url, version]));
    const present = new Set(files.map(({ url }) => url));
    this.#index.transaction(() => {
      for (const url of known.keys()) if (!present.has(url)) this.#index.remove(url);
    });
    let isChanged = false;
    for (const file of files) {
      const version = versionOf(file);
      if (known.get(file.url) === version) this.urls.add(file.url);
      else if (await this.#readFile(file, version)) isChanged = true;
      else if (known.has(file.url)) this.#index.transaction(() => this.#index.remove(file.url));
    }
    if (isChanged) this.#index.updateVocabulary();
  }

  async #readFile(file: DocumentFile, version: string): Promise<boolean> {
    const { url } = file;
    if (Date.now() > this.#deadline) {
      const seconds = this.#limits.totalTimeoutMs / 1000;
      return this.#skip(url, `the ${seconds} s for reading the folder were over`);
    }
    if (file.size > this.#bytesLeft && file.size <= this.#limits.maxFileBytes) {
      return this.#skip(
        url,
        `the documents before it fill the ${this.#limits.maxTotalBytes} bytes of a folder`,
      );
    }
    const bytes = await readDocument(file, this.#limits.maxFileBytes);
    if (!(bytes instanceof Uint8Array)) return this.#skip(url, bytes.reason);
    const extraction = await extractDocument({ url, bytes }, this.#limits.extractionTimeoutMs);
    if ("reason" in extraction) return this.#skip(url, extraction.reason);
    this.#index.transaction(() => this.#index.add({ ...extraction.page, url }, version));
    await otherWork();
    this.#bytesLeft -= bytes.length;
    this.urls.add(url);
    for (const reason of extraction.page.warnings ?? []) this.warnings.push({ path: url, reason });
    return true;
  }

  #skip(path: string, reason: string): false {
    this.skipped.push({ path, reason });
    return false;
  }
}

/** A file that was written just now may be written again within the tick of the clock: it is read again. */
const CLOCK_TICK_MS = 2000;

function versionOf({ size, modifiedAt }: DocumentFile): string {
  return Date.now() - modifiedAt < CLOCK_TICK_MS ? "" : `${size}:${modifiedAt}`;
}

export class FolderBackend implements BrowserBackend {
  readonly summary: FolderSummary;
  readonly #urls: ReadonlySet<string>;
  readonly #index: SearchIndex;

  constructor(summary: FolderSummary, urls: ReadonlySet<string>, index: SearchIndex) {
    this.summary = summary;
    this.#urls = urls;
    this.#index = index;
  }

  async search(query: string, topn: number, signal?: AbortSignal): Promise<readonly SearchHit[]> {
    signal?.throwIfAborted();
    return this.#index.search(query, topn);
  }

  async open(address: string): Promise<PageContent> {
    const found = this.#find(address);
    const content = found === null ? null : this.#index.get(found);
    if (content === null) throw new Error(`${whyNot(address)} ${this.#whatThereIs()}`);
    return resolveLinks(content, (url) => {
      if (isWeb(url)) return url;
      const target = this.#find(url);
      if (target === null || target === found) return null;
      const hash = url.indexOf("#");
      return hash < 0 ? target : target + url.slice(hash);
    });
  }

  async close(): Promise<void> {
    this.#index.close();
  }

  /** Accepts what a model may make of a path: `./`, a leading slash, a file URL, an anchor, escapes. */
  #find(address: string): string | null {
    const has = (url: string): boolean => this.#urls.has(url);
    if (has(address)) return address;
    const path = address.replace(/^file:\/\//i, "").replace(/^(\.?\/)+/, "");
    const inRoot = absolute("/", splitFragment(path).url);
    const root = `${this.summary.path.replaceAll("\\", "/")}/`;
    const below = inRoot.startsWith(root) ? [inRoot.slice(root.length)] : [];
    for (const form of [...addressForms(path), ...below.flatMap(addressForms)]) {
      const found = findDocument(form, has);
      if (found !== null) return found;
    }
    return null;
  }

  #whatThereIs(): string {
    const named = [...this.#urls].slice(0, NAMED_DOCUMENTS).join(", ");
    const more = this.#urls.size - NAMED_DOCUMENTS;
    return `The documents are: ${named}${more > 0 ? ` and ${more} more; use browser.search to find them` : ""}.`;
  }
}

function whyNot(address: string): string {
  return isWeb(address)
    ? "the web cannot be reached, only the documents of a folder."
    : "there is no such document.";
}
