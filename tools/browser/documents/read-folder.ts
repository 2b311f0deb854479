/** Brings the index of a folder to the state of its files: what is new or changed is read, the rest is left. */
import type { IndexThread } from "../search/index-thread.ts";
import type { IndexedPage } from "../search/index-worker.ts";
import { extractFiles } from "./extractor.ts";
import type { DocumentFile, FolderLimits, SkippedFile } from "./folder.ts";

export type FolderReading = {
  /** Addresses of the documents that are in the index now, in the order of the folder. */
  readonly urls: ReadonlySet<string>;
  /** Documents that were read. */
  readonly read: number;
  readonly skipped: readonly SkippedFile[];
  readonly warnings: readonly SkippedFile[];
};

/** Groups of documents that are converted at the same time: one more than there are threads, so that none waits. */
const AT_ONCE = 5;
/** Characters and pages that are taken into the index as one change. */
const BATCH_CHARACTERS = 2 ** 20;
const BATCH_PAGES = 200;

export async function readFolder(
  index: IndexThread,
  files: readonly DocumentFile[],
  limits: FolderLimits,
): Promise<FolderReading> {
  const known = new Map((await index.documents()).map((document) => [document.url, document]));
  const present = new Set(files.map(({ url }) => url));
  const writer = new BatchWriter(index);
  for (const url of known.keys()) if (!present.has(url)) await writer.remove(url);
  const outcomes = (
    await mapConcurrently(groupsOf(files), outcomeReader(known, limits, writer))
  ).flat();
  await writer.finish();
  const inIndex = files.filter((_, at) => outcomes[at]?.isIn);
  return {
    urls: new Set(inIndex.map(({ url }) => url)),
    read: outcomes.filter(({ isRead }) => isRead).length,
    skipped: listed(files, outcomes, ({ skipped }) => (skipped === undefined ? [] : [skipped])),
    warnings: listed(files, outcomes, ({ warnings }) => warnings ?? []),
  };
}

/** What became of one file. */
type Outcome = {
  readonly isIn: boolean;
  readonly isRead: boolean;
  readonly skipped?: string;
  readonly warnings?: readonly string[];
};

function listed(
  files: readonly DocumentFile[],
  outcomes: readonly Outcome[],
  reasons: (outcome: Outcome) => readonly string[],
): readonly SkippedFile[] {
  return files.flatMap(({ url }, at) => {
    const outcome = outcomes[at];
    return outcome === undefined ? [] : reasons(outcome).map((reason) => ({ path: url, reason }));
  });
}

/** Files that go to a thread together. */
const GROUP_BYTES = 2 ** 18;
const GROUP_FILES = 64;

function groupsOf(files: readonly DocumentFile[]): readonly (readonly DocumentFile[])[] {
  const groups: DocumentFile[][] = [];
  let bytes = 0;
  for (const file of files) {
    const last = groups.at(-1);
    bytes += file.size;
    if (last !== undefined && bytes <= GROUP_BYTES && last.length < GROUP_FILES) last.push(file);
    else {
      groups.push([file]);
      bytes = file.size;
    }
  }
  return groups;
}

function outcomeReader(
  known: ReadonlyMap<string, { readonly version: string; readonly warnings: readonly string[] }>,
  limits: FolderLimits,
  writer: BatchWriter,
): (group: readonly DocumentFile[]) => Promise<readonly Outcome[]> {
  const deadline = Date.now() + limits.totalTimeoutMs;
  let bytesLeft = limits.maxTotalBytes;
  const skip = async ({ url }: DocumentFile, skipped: string): Promise<Outcome> => {
    if (known.has(url)) await writer.remove(url);
    return { isIn: false, isRead: false, skipped };
  };
  /** What can be said of a file before it is read. */
  const beforeReading = (
    file: DocumentFile,
    version: string,
  ): Promise<Outcome> | Outcome | null => {
    const { url, size } = file;
    const before = known.get(url);
    if (version !== "" && before?.version === version) {
      return { isIn: true, isRead: false, warnings: before.warnings };
    }
    if (Date.now() > deadline) {
      return skip(file, `the ${limits.totalTimeoutMs / 1000} s for reading the folder were over`);
    }
    // A file that is too large is no document, and takes nothing from the others.
    if (size > limits.maxFileBytes) return null;
    if (size > bytesLeft) {
      return skip(
        file,
        `the documents before it fill the ${limits.maxTotalBytes} bytes of a folder`,
      );
    }
    bytesLeft -= size;
    return null;
  };
  return async (group) => {
    const versions = group.map(versionOf);
    const early = group.map((file, at) => beforeReading(file, versions[at] ?? ""));
    const files = group.filter((_, at) => early[at] === null);
    const { maxFileBytes: maxBytes, extractionTimeoutMs } = limits;
    const extracted =
      files.length === 0
        ? []
        : await extractFiles({ files: files.map(pathOf), maxBytes }, extractionTimeoutMs);
    const results = extracted.values();
    const outcomes: Outcome[] = [];
    for (const [at, file] of group.entries()) {
      const known = early[at];
      if (known) {
        outcomes.push(await known);
        continue;
      }
      const { value } = results.next();
      if (value === undefined || "reason" in value) {
        outcomes.push(await skip(file, value?.reason ?? "it was not read"));
        continue;
      }
      await writer.add({ page: { ...value.page, url: file.url }, version: versions[at] ?? "" });
      outcomes.push({ isIn: true, isRead: true, warnings: value.page.warnings ?? [] });
    }
    return outcomes;
  };
}

function pathOf({ url, path }: DocumentFile): { readonly url: string; readonly path: Uint8Array } {
  return { url, path };
}

/** Collects changes and writes many at once; the next are collected while the last are written. */
class BatchWriter {
  readonly #index: IndexThread;
  #pages: IndexedPage[] = [];
  #removed: string[] = [];
  #characters = 0;
  #hasChanged = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(index: IndexThread) {
    this.#index = index;
  }

  async add(page: IndexedPage): Promise<void> {
    this.#pages.push(page);
    this.#characters += page.page.text.length;
    if (this.#characters >= BATCH_CHARACTERS || this.#pages.length >= BATCH_PAGES)
      await this.#write();
  }

  async remove(url: string): Promise<void> {
    this.#removed.push(url);
    if (this.#removed.length >= BATCH_PAGES) await this.#write();
  }

  async finish(): Promise<void> {
    await this.#write();
    await this.#writing;
    if (this.#hasChanged) await this.#index.updateVocabulary();
  }

  /** Waits for the change before, not for this one. */
  async #write(): Promise<void> {
    const [pages, removed] = [this.#pages, this.#removed];
    if (pages.length + removed.length === 0) return;
    this.#pages = [];
    this.#removed = [];
    this.#characters = 0;
    this.#hasChanged = true;
    const before = this.#writing;
    this.#writing = before.then(() => this.#index.update(pages, removed));
    // It is waited for at the next change; until then its failure has no one to tell.
    this.#writing.catch(() => undefined);
    await before;
  }
}

/** Calls `work` for each item, for a few at the same time; results in the order of the items. */
async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      const item = items[at];
      if (item !== undefined) results[at] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

/** A file that was written just now may be written again within the tick of the clock: it is read again. */
const CLOCK_TICK_MS = 2000;

function versionOf({ size, modifiedAt }: DocumentFile): string {
  return Date.now() - modifiedAt < CLOCK_TICK_MS ? "" : `${size}:${modifiedAt}`;
}
