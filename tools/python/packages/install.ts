/** Brings packages into the store: resolved, received, checked, and only then installed. */

import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../core/text.ts";
import {
  AddressRefusedError,
  HttpStatusError,
  isBeyondEnd,
  NetError,
  UrlRefusedError,
} from "../../net/index.ts";
import { ARCHIVE_LIMITS, type ArchiveSummary, inspectArchive } from "./archive.ts";
import { downloadError, wrongHash } from "./errors.ts";
import { type LockedPackage, readLock } from "./lock.ts";
import type { PartialFile } from "./partial-file.ts";
import { resolvePackages } from "./resolve.ts";
import { openSource, type PackageSource } from "./source.ts";
import { PackageStore, type StoredPackage, sha256Of } from "./store.ts";

export type InstallOptions = {
  /** Of the store; `python-packages` in the state folder. */
  readonly folder: string;
  /** Names of packages, or of modules that only one package has. */
  readonly names: readonly string[];
  /** A mirror's URL or a folder with the files; default: Pyodide's own place. */
  readonly from?: string;
  /** Another lock file than Pyodide's. */
  readonly lock?: string;
  readonly onProgress?: (progress: InstallProgress) => void;
  readonly signal?: AbortSignal;
};

export type InstallProgress = {
  readonly name: string;
  readonly version: string;
  /** `received` comes once for every part of the file. */
  readonly state: "present" | "started" | "received" | "installed";
  /** Of its file that are there. */
  readonly bytes: number;
  /** null where the server does not say. */
  readonly totalBytes: number | null;
  /** 1 is the first of `count`. */
  readonly at: number;
  readonly count: number;
};

export type Installed = {
  /** With what they need, in the order in which they were installed. */
  readonly installed: readonly StoredPackage[];
  /** Were there already, unchanged. */
  readonly present: readonly StoredPackage[];
};

/** Tries without a new byte between them. */
const MAX_TRIES = 4;
const FIRST_PAUSE_MS = 250;

/**
 * Installs packages with all that they need. What is installed already is checked by its hash and brought
 * anew where it is broken.
 *
 * @throws PackageError; what was installed before it stays
 */
export async function installPackages(options: InstallOptions): Promise<Installed> {
  const { onProgress = () => undefined, signal = new AbortController().signal } = options;
  const wanted = resolvePackages(await readLock(options.lock), options.names);
  const store = new PackageStore(options.folder);
  const source = openSource(options.from);
  const { packages } = await store.read();
  const installed: StoredPackage[] = [];
  const present: StoredPackage[] = [];
  for (const [index, one] of wanted.entries()) {
    signal.throwIfAborted();
    const { name, version } = one;
    const tell = (
      state: InstallProgress["state"],
      bytes: number,
      totalBytes: number | null = bytes,
    ): void =>
      onProgress({ name, version, state, bytes, totalBytes, at: index + 1, count: wanted.length });
    const known = packages.get(name);
    if (known !== undefined && known.sha256 === one.sha256) {
      const problem = await store.problemOf(known);
      if (problem === null) {
        present.push(known);
        tell("present", known.bytes);
        continue;
      }
    }
    const stored =
      (await adopted(one, store)) ?? (await bring(one, { store, source, signal, tell }));
    installed.push(stored);
    tell("installed", stored.bytes);
  }
  return { installed, present };
}

/** Without fetching anything, where the file is there already. */
async function adopted(
  one: LockedPackage,
  store: PackageStore,
): Promise<StoredPackage | undefined> {
  const content = await store.contentOf(one);
  if (content === undefined) return undefined;
  const { unpackedBytes } = await inspectArchive(content, one.fileName);
  const stored: StoredPackage = { ...one, bytes: content.length, unpackedBytes };
  await store.enter(stored);
  return stored;
}

type Bringing = {
  readonly store: PackageStore;
  readonly source: PackageSource;
  readonly signal: AbortSignal;
  readonly tell: (
    state: InstallProgress["state"],
    bytes: number,
    totalBytes?: number | null,
  ) => void;
};

async function bring(one: LockedPackage, context: Bringing): Promise<StoredPackage> {
  const { store, source } = context;
  const partial = await store.partial(one.sha256);
  let isOurs = true;
  try {
    const beganWith = partial.bytes;
    let content = await received(one, partial, context);
    if (sha256Of(content) !== one.sha256 && beganWith > 0) {
      // What an earlier try had left may have been of something else.
      await partial.empty();
      content = await received(one, partial, context);
    }
    const found = sha256Of(content);
    if (found !== one.sha256) {
      await partial.empty();
      throw wrongHash(one.name, source.name, one.sha256, {
        sha256: found,
        bytes: content.length,
      });
    }
    const { unpackedBytes } = await inspected(content, one, partial);
    const stored: StoredPackage = { ...one, bytes: content.length, unpackedBytes };
    await store.add(stored, partial);
    isOurs = false;
    return stored;
  } finally {
    if (isOurs) await partial.leave().catch(() => undefined);
  }
}

async function inspected(
  content: Buffer,
  { fileName }: LockedPackage,
  partial: PartialFile,
): Promise<ArchiveSummary> {
  try {
    return await inspectArchive(content, fileName);
  } catch (error) {
    // There is nothing to go on with.
    await partial.empty();
    throw error;
  }
}

/** All of the file, begun where the partial one ends. @throws PackageError, the signal's reason */
async function received(
  one: LockedPackage,
  partial: PartialFile,
  { source, signal, tell }: Bringing,
): Promise<Buffer> {
  for (let tries = 1; ; tries++) {
    const before = partial.bytes;
    try {
      await receive(one, partial, source, signal, tell);
      return await partial.read();
    } catch (cause) {
      signal.throwIfAborted();
      if (isBeyondEnd(cause) && before > 0) {
        await partial.empty();
        continue;
      }
      if (partial.bytes > before) tries = 0;
      if (tries >= MAX_TRIES || !mayPass(cause)) {
        const why = messageOf(cause).replace(/\.$/, "");
        const kept = partial.bytes > 0 ? ` (${partial.bytes} bytes are kept for the next try)` : "";
        throw downloadError(one.name, source.name, `${why}${kept}`, cause);
      }
      await delay(FIRST_PAUSE_MS * 2 ** tries, undefined, { signal });
    }
  }
}

async function receive(
  { fileName }: LockedPackage,
  partial: PartialFile,
  source: PackageSource,
  signal: AbortSignal,
  tell: Bringing["tell"],
): Promise<void> {
  const { start, totalBytes, body, close } = await source.open(fileName, partial.bytes, signal);
  try {
    if (start !== partial.bytes) await partial.empty();
    tell("started", partial.bytes, totalBytes);
    for await (const chunk of body) {
      if (partial.bytes + chunk.length > ARCHIVE_LIMITS.bytes) {
        await partial.empty();
        throw new RangeError(`${fileName} is longer than ${ARCHIVE_LIMITS.bytes} bytes`);
      }
      await partial.append(chunk);
      tell("received", partial.bytes, totalBytes);
    }
    if (totalBytes !== null && partial.bytes < totalBytes) {
      throw new EndedEarlyError(`it ended after ${partial.bytes} of ${totalBytes} bytes`);
    }
  } finally {
    await close();
  }
}

class EndedEarlyError extends Error {}

/** Whether trying again makes sense. */
function mayPass(error: unknown): boolean {
  if (error instanceof HttpStatusError) return error.status >= 500 || error.status === 429;
  if (error instanceof AddressRefusedError || error instanceof UrlRefusedError) return false;
  // There is no such name, or no network: neither changes within seconds.
  if (
    error instanceof Error &&
    (error.cause as NodeJS.ErrnoException | undefined)?.code === "ENOTFOUND"
  )
    return false;
  return error instanceof NetError || error instanceof EndedEarlyError;
}
