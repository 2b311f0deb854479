/**
 * Which files of a folder are documents: a walk that stays inside the folder and within bounds, and
 * remembers what it left out and why.
 */
import type { Stats } from "node:fs";
import { type FileHandle, open, readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { DocumentFolderError } from "./errors.ts";

export type FolderLimits = {
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxTotalBytes: number;
  readonly maxDepth: number;
  /** Longest time that reading one document's text out of its markup may take. */
  readonly extractionTimeoutMs: number;
};

export const DEFAULT_LIMITS: FolderLimits = {
  maxFiles: 10_000,
  maxFileBytes: 8 * 2 ** 20,
  maxTotalBytes: 100 * 2 ** 20,
  maxDepth: 32,
  extractionTimeoutMs: 20_000,
};

/** A file that was left out, for people. */
export type SkippedFile = { readonly path: string; readonly reason: string };

export type DocumentFile = {
  /** Path below the folder with forward slashes: the document's URL. */
  readonly url: string;
  /** The real path: links are resolved, and it is inside the folder. */
  readonly path: string;
};

export type FolderListing = {
  /** Real path of the folder. */
  readonly root: string;
  readonly files: readonly DocumentFile[];
  readonly skipped: readonly SkippedFile[];
};

/**
 * Lists the files of a folder in a stable order. Hidden names and `node_modules` are not looked at;
 * a symbolic link counts when what it leads to is in the folder too.
 *
 * @throws DocumentFolderError when there is no such folder or it cannot be read
 */
export async function listFolder(folder: string, limits: FolderLimits): Promise<FolderListing> {
  const root = await realFolder(folder);
  const files: DocumentFile[] = [];
  const skipped: SkippedFile[] = [];
  const visited = new Set<string>();

  const walk = async (directory: string, prefix: string, depth: number): Promise<void> => {
    if (visited.has(directory)) return;
    visited.add(directory);
    const names = await readdir(directory).catch((error: unknown) => {
      skipped.push({ path: prefix, reason: messageOf(error) });
      return [];
    });
    for (const name of names.toSorted()) {
      if (name.startsWith(".") || name === "node_modules") continue;
      const url = `${prefix}${name}`;
      const entry = await lookAt(join(directory, name));
      if (typeof entry === "string") skipped.push({ path: url, reason: entry });
      else if (!isInside(root, entry.path)) {
        skipped.push({ path: url, reason: "a link that leaves the folder" });
      } else if (entry.stats.isDirectory()) {
        if (depth < limits.maxDepth) await walk(entry.path, `${url}/`, depth + 1);
        else skipped.push({ path: `${url}/`, reason: `deeper than ${limits.maxDepth} folders` });
      } else if (!entry.stats.isFile()) skipped.push({ path: url, reason: "not a regular file" });
      else if (visited.has(entry.path)) continue;
      else if (files.length >= limits.maxFiles) {
        skipped.push({ path: url, reason: `more than ${limits.maxFiles} files` });
      } else {
        visited.add(entry.path);
        files.push({ url, path: entry.path });
      }
    }
  };
  await walk(root, "", 0);
  return { root, files, skipped };
}

/** Reads at most `maxBytes`; a longer file, or one that is no text, gives the reason instead. */
export async function readDocument(
  path: string,
  maxBytes: number,
): Promise<Uint8Array | { readonly reason: string }> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { size } = await file.stat();
    if (size > maxBytes) return { reason: `${size} bytes, more than ${maxBytes}` };
    const bytes = await file.readFile();
    if (bytes.length > maxBytes) return { reason: `more than ${maxBytes} bytes` };
    return isBinary(bytes) ? { reason: "not a text file" } : bytes;
  } catch (error) {
    return { reason: messageOf(error) };
  } finally {
    await file?.close();
  }
}

async function realFolder(folder: string): Promise<string> {
  try {
    const path = await realpath(folder);
    if ((await stat(path)).isDirectory()) return path;
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const problem = missing ? "there is no such folder" : messageOf(error);
    throw new DocumentFolderError(folder, problem, { cause: error });
  }
  throw new DocumentFolderError(folder, "it is a file, not a folder");
}

async function lookAt(path: string): Promise<{ path: string; stats: Stats } | string> {
  try {
    const real = await realpath(path);
    return { path: real, stats: await stat(real) };
  } catch (error) {
    return messageOf(error);
  }
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** A zero byte near the beginning means no text, unless the file says that it is UTF-16. */
function isBinary(bytes: Uint8Array): boolean {
  const utf16 =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return !utf16 && bytes.subarray(0, 8192).includes(0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
