/** Brings the index of a folder to the state of its files: what is new or changed is read, the rest is left. */
import type { IndexThread } from "../search/index-thread.ts";
import type { IndexedDocument, StoredDocument } from "../search/search-index.ts";
import type { Extraction, FileToExtract } from "./extract-task.ts";
import { extractFiles } from "./extractor.ts";
import type { DocumentFile, FolderLimits, SkippedFile } from "./folder.ts";

export type FolderReading = {
  /** Addresses of the documents that are in the index now, in the order of the folder. */
  readonly urls: ReadonlySet<string>;
  /** Documents that were converted and indexed. */
  readonly read: number;
  readonly skipped: readonly SkippedFile[];
  readonly warnings: readonly SkippedFile[];
};

/** Files that were looked at, of all files of the folder. */
export type ReadingProgress = { readonly done: number; readonly of: number };

/** Groups of documents that are converted at the same time: one more than there are threads, so that none waits. */
const AT_ONCE = 5;
/** Characters, and documents, that are taken into the index as one change. */
const BATCH_CHARACTERS = 2 ** 20;
const BATCH_CHANGES = 200;

export async function readFolder(
  index: IndexThread,
  files: readonly DocumentFile[],
  limits: FolderLimits,
  onProgress: (progress: ReadingProgress) => void = () => {},
): Promise<FolderReading> {
  const known = new Map((await index.documents()).map((document) => [document.url, document]));
  const present = new Set(files.map(({ url }) => url));
  const writer = new BatchWriter(index);
  for (const url of known.keys()) if (!present.has(url)) await writer.remove(url);
  const readGroup = outcomeReader(known, limits, writer);
  let done = 0;
  const outcomes = (
    await mapConcurrently(groupsOf(files), async (group) => {
      const outcome = await readGroup(group);
      done += group.length;
      // What is known already takes no time that would have to be told.
      if (outcome.some(({ isRead }) => isRead)) onProgress({ done, of: files.length });
      return outcome;
    })
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
  known: ReadonlyMap<string, StoredDocument>,
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
    // A file that is too large is no document, and takes nothing from the others.
    if (size > limits.maxFileBytes) return null;
    if (size > bytesLeft) {
      return skip(
        file,
        `the documents before it fill the ${limits.maxTotalBytes} bytes of a folder`,
      );
    }
    const before = known.get(url);
    const isSame = version !== "" && before?.version === version;
    if (before?.reason === undefined || !isSame) bytesLeft -= size;
    if (isSame) return outcomeOf(before);
    if (Date.now() > deadline) {
      return skip(file, `the ${limits.totalTimeoutMs / 1000} s for reading the folder were over`);
    }
    return null;
  };
  const afterReading = async (
    file: DocumentFile,
    version: string,
    extraction: Extraction | undefined,
  ): Promise<Outcome> => {
    const { url } = file;
    if (extraction === undefined) return skip(file, "it was not read");
    if ("isKnown" in extraction) {
      const before = known.get(url);
      if (before?.version !== version) await writer.touch(url, version);
      return before === undefined ? skip(file, "it was not read") : outcomeOf(before);
    }
    if ("page" in extraction) {
      const { hash, page } = extraction;
      await writer.add({ page: { ...page, url }, version, hash }, page.text.length);
      return { isIn: true, isRead: true, warnings: page.warnings ?? [] };
    }
    const { hash, reason } = extraction;
    if (hash === undefined) return skip(file, reason);
    await writer.add({ url, reason, version, hash }, 0);
    return { isIn: false, isRead: false, skipped: reason };
  };
  return async (group) => {
    const versions = group.map(versionOf);
    const early = group.map((file, at) => beforeReading(file, versions[at] ?? ""));
    const files = group
      .filter((_, at) => early[at] === null)
      .map(
        ({ url, path }): FileToExtract => ({
          url,
          path,
          knownHash: known.get(url)?.hash || undefined,
        }),
      );
    const { maxFileBytes: maxBytes, extractionTimeoutMs } = limits;
    const extracted =
      files.length === 0 ? [] : await extractFiles({ files, maxBytes }, extractionTimeoutMs);
    const results = extracted.values();
    const outcomes: Outcome[] = [];
    for (const [at, file] of group.entries()) {
      const outcome = early[at] ?? afterReading(file, versions[at] ?? "", results.next().value);
      outcomes.push(await outcome);
    }
    return outcomes;
  };
}

function outcomeOf({ reason, warnings }: StoredDocument): Outcome {
  return reason === undefined
    ? { isIn: true, isRead: false, warnings }
    : { isIn: false, isRead: false, skipped: reason };
}

/** Collects changes and writes many at once; the next are collected while the last are written. */
class BatchWriter {
  readonly #index: IndexThread;
  #documents: IndexedDocument[] = [];
  #removed: string[] = [];
  #touched: { readonly url: string; readonly version: string }[] = [];
  #characters = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(index: IndexThread) {
    this.#index = index;
  }

  async add(document: IndexedDocument, characters: number): Promise<void> {
    this.#documents.push(document);
    this.#characters += characters;
    await this.#writeIfMany();
  }

  async remove(url: string): Promise<void> {
    this.#removed.push(url);
    await this.#writeIfMany();
  }

  /** The file has the bytes that are known, and other times. */
  async touch(url: string, version: string): Promise<void> {
    this.#touched.push({ url, version });
    await this.#writeIfMany();
  }

  async finish(): Promise<void> {
    await this.#write();
    await this.#writing;
    await this.#index.updateVocabulary();
  }

  async #writeIfMany(): Promise<void> {
    const changes = this.#documents.length + this.#removed.length + this.#touched.length;
    if (this.#characters >= BATCH_CHARACTERS || changes >= BATCH_CHANGES) await this.#write();
  }

  /** Waits for the change before, not for this one. */
  async #write(): Promise<void> {
    const [documents, removed, touched] = [this.#documents, this.#removed, this.#touched];
    if (documents.length + removed.length + touched.length === 0) return;
    this.#documents = [];
    this.#removed = [];
    this.#touched = [];
    this.#characters = 0;
    const before = this.#writing;
    this.#writing = before.then(() => this.#index.update({ documents, removed, touched }));
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

/**
 * The time of the last change is in it since a file of the same size can be put in the place of another with
 * the time at which that was written.
 */
function versionOf({ size, modifiedAt, changedAt }: DocumentFile): string {
  const isFresh = Date.now() - Math.max(modifiedAt, changedAt) < CLOCK_TICK_MS;
  return isFresh ? "" : `${size}:${modifiedAt}:${changedAt}`;
}
