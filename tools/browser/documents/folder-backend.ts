/**
 * A folder of documents as a place to browse. The folder is read once, at the start: what the model
 * sees is that snapshot, so a citation means the text that was shown, and no later call touches the
 * file system.
 */
import { resolve as absolute } from "node:path";
import { messageOf } from "../../core/text.ts";
import type { BrowserBackend, SearchHit } from "../backend.ts";
import { DocumentFolderError } from "../errors.ts";
import type { PageContent } from "../page.ts";
import { resolveLinks } from "../resolve-links.ts";
import { IndexThread } from "../search/index-thread.ts";
import { isWeb, splitFragment } from "../text/address.ts";
import { addressForms, findDocument } from "./document-path.ts";
import { DEFAULT_LIMITS, type FolderLimits, listFolder, type SkippedFile } from "./folder.ts";
import { readFolder } from "./read-folder.ts";

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
  const index = await openIndex(folder, indexFile);
  try {
    const { urls, skipped, ...read } = await readFolder(index, listing.files, bounds);
    const summary: FolderSummary = {
      path: listing.root,
      documents: urls.size,
      skipped: [...listing.skipped, ...skipped],
      ...read,
    };
    if (urls.size > 0) return new FolderBackend(summary, urls, index);
    const [first] = summary.skipped;
    const why = first ? ` (${first.path}: ${first.reason})` : "";
    throw new DocumentFolderError(folder, `there is no document in it${why}`);
  } catch (error) {
    await index.close();
    throw error;
  }
}

async function openIndex(folder: string, file = ""): Promise<IndexThread> {
  try {
    return await IndexThread.open(file);
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
    return this.#index.search(query, topn, signal);
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
