/**
 * The memory snapshot: Python's memory after start-up, in a file. With it a start takes half a second in
 * place of several.
 */
import { createHash } from "node:crypto";
import { access, constants, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { TEMPORARY_SUFFIX, writeFileAtomic } from "../core/atomic-write.ts";
import { isAbandoned } from "../core/writer-name.ts";
import { makeFolder } from "./make-folder.ts";
import { packSnapshot } from "./snapshot-format.ts";

/** Of 30 MiB with this Pyodide; a later one may take more. */
export const SNAPSHOT_LIMIT_BYTES: number = 128 * 1024 * 1024;

/** Snapshots of this many versions are kept, so that two checkouts do not remove each other's. */
const KEPT_FILES = 3;
const SUFFIX = ".snapshot";
/** Writing one takes about a second. */
const SILENT_MS = 10 * 60 * 1000;

/** Where the snapshot of exactly these versions lies. `sources`: what decides its content. */
export function snapshotPath(cacheDir: string, pyodideVersion: string, sources: string): string {
  const key = createHash("sha256").update(sources).digest("hex").slice(0, 12);
  const name = `python-${pyodideVersion}-node-${process.versions.node}-${process.arch}-${key}${SUFFIX}`;
  return join(cacheDir, name);
}

export async function hasSnapshot(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/** Whether the folder is there, or can be made, and can be written. */
export async function canStoreSnapshots(cacheDir: string): Promise<boolean> {
  try {
    await makeFolder(cacheDir);
    await access(cacheDir, constants.W_OK);
    return (await stat(cacheDir)).isDirectory();
  } catch {
    return false;
  }
}

/** @throws the file system's error when the folder cannot be written */
export async function storeSnapshot(
  cacheDir: string,
  path: string,
  memory: Uint8Array,
): Promise<void> {
  await writeFileAtomic(path, packSnapshot(memory), 0o400);
  await removeOld(cacheDir);
}

/**
 * Removes what processes left that were killed while they wrote a snapshot. Never rejects: where it
 * cannot be removed, it is in no one's way.
 */
export async function removeAbandoned(cacheDir: string): Promise<void> {
  try {
    for (const { path, changedMs } of await list(cacheDir, TEMPORARY_SUFFIX)) {
      const end = path.lastIndexOf(SUFFIX) + SUFFIX.length + 1;
      const writer = path.slice(end, -TEMPORARY_SUFFIX.length);
      if (isAbandoned(writer, changedMs, SILENT_MS)) await rm(path, { force: true });
    }
  } catch {}
}

async function removeOld(cacheDir: string): Promise<void> {
  const snapshots = await list(cacheDir, SUFFIX);
  const old = snapshots.sort((a, b) => b.changedMs - a.changedMs).slice(KEPT_FILES);
  await Promise.all(old.map(({ path }) => rm(path, { force: true })));
}

async function list(
  cacheDir: string,
  suffix: string,
): Promise<{ readonly path: string; readonly changedMs: number }[]> {
  const names = (await readdir(cacheDir)).filter(
    (name) => name.startsWith("python-") && name.endsWith(suffix),
  );
  return Promise.all(
    names.map(async (name) => {
      const path = join(cacheDir, name);
      const changedMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
      return { path, changedMs };
    }),
  );
}
