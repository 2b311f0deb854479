/**
 * The memory snapshot: Python's memory after start-up, in a file, which turns seconds of starting into
 * half a second.
 */
import { createHash } from "node:crypto";
import { access, constants, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { TEMPORARY_SUFFIX, writeFileAtomic } from "../core/atomic-write.ts";
import { makeFolder } from "./make-folder.ts";
import { packSnapshot } from "./snapshot-format.ts";

/** 30 MiB with this Pyodide; the room is for a later one. */
export const SNAPSHOT_LIMIT_BYTES: number = 128 * 1024 * 1024;

/** Files of this many versions are kept, so that two checkouts do not undo each other's work. */
const KEPT_FILES = 3;
const SUFFIX = ".snapshot";
/** Writing one takes a second; what is older was left by a process that ended in the middle of it. */
const ABANDONED_AFTER_MS = 10 * 60 * 1000;

/** Where the snapshot of exactly these versions lies. `sources`: what decides its content. */
export function snapshotPath(folder: string, pyodideVersion: string, sources: string): string {
  const key = createHash("sha256").update(sources).digest("hex").slice(0, 12);
  const name = `python-${pyodideVersion}-node-${process.versions.node}-${process.arch}-${key}${SUFFIX}`;
  return join(folder, name);
}

export async function hasSnapshot(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/** Whether the folder is there, or can be made, and can be written. */
export async function canStoreSnapshots(folder: string): Promise<boolean> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
    return (await stat(folder)).isDirectory();
  } catch {
    return false;
  }
}

/** @throws the file system's error when the folder cannot be written */
export async function storeSnapshot(
  folder: string,
  path: string,
  memory: Uint8Array,
): Promise<void> {
  await writeFileAtomic(path, packSnapshot(memory), 0o400);
  await removeOld(folder);
}

async function removeOld(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith("python-"));
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return { path, time: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 };
    }),
  );
  const old = files
    .filter(({ path }) => path.endsWith(SUFFIX))
    .sort((a, b) => b.time - a.time)
    .slice(KEPT_FILES);
  const abandoned = files.filter(
    ({ path, time }) => path.endsWith(TEMPORARY_SUFFIX) && time < Date.now() - ABANDONED_AFTER_MS,
  );
  await Promise.all([...old, ...abandoned].map(({ path }) => rm(path, { force: true })));
}
