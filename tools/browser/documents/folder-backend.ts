/**
 * A folder of documents as a place to browse. The folder is read once, at the start: what the model
 * sees is that snapshot, so a citation means the text that was shown, and no later call reads a
 * document, also where another process brings the same index to a later state.
 */
import { resolve as absolute } from "node:path";
import { messageOf } from "../../core/text.ts";
import type { BrowserBackend, SearchHit } from "../backend.ts";
import { DocumentFolderError } from "../errors.ts";
import type { PageContent } from "../page.ts";
import { resolveLinks } from "../resolve-links.ts";
import { IndexThread } from "../search/index-thread.ts";
import { isWeb, splitFragment } from "../text/address.ts";
import { conversionVersion } from "./conversion-version.ts";
import { addressForms, findDocument } from "./document-path.ts";
import {
  DEFAULT_LIMITS,
  type FolderLimits,
  type FolderListing,
  listFolder,
  type SkippedFile,
} from "./folder.ts";
import { keptIndexFile, purgeKeptIndexes, removeKeptIndex } from "./kept-index.ts";
import { type ReadingProgress, readFolder } from "./read-folder.ts";

export type { FolderLimits, SkippedFile } from "./folder.ts";

export type FolderSummary = {
  readonly path: string;
  readonly documents: number;
  /** Documents that were read this time; the others are in the index as they were. */
  readonly read: number;
  /** Files that were left out, each with the reason. */
  readonly skipped: readonly SkippedFile[];
  /** What to know of files that were read: a guessed character set, a part cut off. */
  readonly warnings: readonly SkippedFile[];
  /** Why the index was made for this process alone, though `indexFolder` was given. */
  readonly indexProblem?: string;
};

export type FolderOptions = Partial<FolderLimits> & {
  /**
   * Where the index is kept from one time to the next; only files that changed are read again. Without
   * it the index goes with the process. Several processes may use it at once.
   */
  readonly indexFile?: string | undefined;
  /**
   * Instead of `indexFile`: a folder in which the indexes of all folders are kept, in which those that were
   * not used for long make way. Where it cannot be used, the index goes with the process.
   */
  readonly indexFolder?: string | undefined;
  /** Called again and again while documents are read and indexed; not for those that are known. */
  readonly onProgress?: ((progress: ReadingProgress) => void) | undefined;
};

/** Documents named in an error, so that the model can choose one. */
const NAMED_DOCUMENTS = 8;

/**
 * Reads, converts and indexes the documents of a folder.
 *
 * @throws DocumentFolderError when the folder is missing, is none, or holds no document, or when `indexFile`
 *   cannot be used
 */
export async function openDocumentFolder(
  folder: string,
  { indexFile, indexFolder, onProgress, ...limits }: FolderOptions = {},
): Promise<FolderBackend> {
  const bounds = { ...DEFAULT_LIMITS, ...limits };
  const listing = await listFolder(folder, bounds);
  const reading: Reading = { folder, listing, bounds, onProgress };
  if (indexFile !== undefined || indexFolder === undefined) return openListing(reading, indexFile);
  try {
    return await openKept(reading, indexFolder);
  } catch (error) {
    if (error instanceof DocumentFolderError && error.cause === undefined) throw error;
    return openListing(reading, "", messageOf(error));
  }
}

type Reading = Pick<FolderOptions, "onProgress"> & {
  /** As the caller named it. */
  readonly folder: string;
  readonly listing: FolderListing;
  readonly bounds: FolderLimits;
};

async function openKept(reading: Reading, state: string): Promise<FolderBackend> {
  const file = await keptIndexFile(state, reading.listing.root, await conversionVersion());
  try {
    const backend = await openListing(reading, file);
    // Old indexes that cannot be removed are in no one's way today.
    await purgeKeptIndexes(state, file).catch(() => undefined);
    return backend;
  } catch (error) {
    // One that is damaged, or fills the disk, would fail the next time too; one in use will not.
    if (!messageOf(error).includes("locked")) await removeKeptIndex(state, file);
    throw error;
  }
}

async function openListing(
  { folder, listing, bounds, onProgress }: Reading,
  file = "",
  indexProblem?: string,
): Promise<FolderBackend> {
  const index = await openIndex(folder, file);
  try {
    const { urls, skipped, ...read } = await readFolder(index, listing.files, bounds, onProgress);
    const summary: FolderSummary = {
      path: listing.root,
      documents: urls.size,
      skipped: [...listing.skipped, ...skipped],
      ...read,
      ...(indexProblem !== undefined && { indexProblem }),
    };
    if (urls.size === 0) {
      const [first] = summary.skipped;
      const why = first ? ` (${first.path}: ${first.reason})` : "";
      throw new DocumentFolderError(folder, `there is no document in it${why}`);
    }
    await index.hold();
    return new FolderBackend(summary, urls, index);
  } catch (error) {
    await index.close();
    throw error;
  }
}

async function openIndex(folder: string, file: string): Promise<IndexThread> {
  try {
    return await IndexThread.open(file, await conversionVersion());
  } catch (error) {
    const problem = `its index ${file} cannot be opened: ${messageOf(error)}`;
    throw new DocumentFolderError(folder, problem, { cause: error });
  }
}

export class FolderBackend implements BrowserBackend {
  readonly summary: FolderSummary;
  readonly #urls: ReadonlySet<string>;
  readonly #index: IndexThread;

  /** @internal for `openDocumentFolder` */
  constructor(summary: FolderSummary, urls: ReadonlySet<string>, index: IndexThread) {
    this.summary = summary;
    this.#urls = urls;
    this.#index = index;
  }

  async search(query: string, topn: number, signal?: AbortSignal): Promise<readonly SearchHit[]> {
    const hits = await this.#index.search(query, topn, signal);
    // Another process with other limits may have taken in more.
    return hits.filter(({ url }) => this.#urls.has(url));
  }

  async open(address: string): Promise<PageContent> {
    const found = this.#find(address);
    const content = found === null ? null : await this.#index.get(found);
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
    await this.#index.close();
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
