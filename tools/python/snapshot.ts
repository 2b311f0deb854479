/**
 * The memory snapshot: Python's memory after start-up, in a file, which turns seconds of starting into
 * half a second. It is code, so it is restored only if its bytes are those that were written.
 */
import { createHash, randomUUID } from "node:crypto";
import { access, constants, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "./make-folder.ts";

/** File: magic, SHA-256 of the rest, the rest. */
const MAGIC = Buffer.from("chorale-python-1", "latin1");
const HASH_BYTES = 32;
const HEADER_BYTES = MAGIC.length + HASH_BYTES;

/** 30 MiB with this Pyodide; the room is for a later one. */
export const SNAPSHOT_LIMIT_BYTES: number = 128 * 1024 * 1024;

/** Files of this many versions are kept, so that two checkouts do not undo each other's work. */
const KEPT_FILES = 3;
const SUFFIX = ".snapshot";
const TEMPORARY_SUFFIX = ".tmp";
/** Writing one takes a second; what is older was left by a process that ended in the middle of it. */
const ABANDONED_AFTER_MS = 10 * 60 * 1000;

const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

export function packSnapshot(memory: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, sha256(memory), memory]);
}

/** @throws Error in one sentence when the bytes are not what was written */
export function unpackSnapshot(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new Error("the snapshot is not one of this version");
  }
  const memory = bytes.subarray(HEADER_BYTES);
  if (!sha256(memory).equals(bytes.subarray(MAGIC.length, HEADER_BYTES))) {
    throw new Error("the snapshot is damaged: its hash does not fit");
  }
  return memory;
}

/** Where the snapshot of exactly these versions lies. `sources`: what decides its content. */
export function snapshotPath(folder: string, pyodideVersion: string, sources: string): string {
  const key = sha256(Buffer.from(sources)).toString("hex").slice(0, 12);
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

/**
 * Writes beside the target and renames, so that another process sees the whole file or none.
 *
 * @throws the file system's error when the folder cannot be written
 */
export async function storeSnapshot(
  folder: string,
  path: string,
  memory: Uint8Array,
): Promise<void> {
  const temporary = `${path}.${randomUUID()}${TEMPORARY_SUFFIX}`;
  try {
    await writeFile(temporary, packSnapshot(memory), { mode: 0o400, flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
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
