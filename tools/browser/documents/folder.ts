/**
 * Which files of a folder are documents: a walk that stays inside the folder and within bounds, and
 * remembers what it left out and why.
 */
import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { sep } from "node:path";
import { DocumentFolderError } from "../errors.ts";
import { documentUrl } from "./document-path.ts";

export type FolderLimits = {
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxTotalBytes: number;
  readonly maxDepth: number;
  /** Longest time that reading one document's text out of its markup may take. */
  readonly extractionTimeoutMs: number;
  /** Longest time that reading the whole folder may take; what is not read then is left out. */
  readonly totalTimeoutMs: number;
};

export const DEFAULT_LIMITS: FolderLimits = {
  maxFiles: 100_000,
  maxFileBytes: 32 * 2 ** 20,
  maxTotalBytes: 2 * 2 ** 30,
  maxDepth: 32,
  extractionTimeoutMs: 10_000,
  totalTimeoutMs: 300_000,
};

/** Entries of a folder whose kind and times are asked for together. */
const LOOKS_AT_ONCE = 128;

/** A file that was left out, for people. */
export type SkippedFile = { readonly path: string; readonly reason: string };

export type DocumentFile = {
  /** Path below the folder with forward slashes: the document's address. */
  readonly url: string;
  /** The real path, as bytes: links are resolved, and it is inside the folder. */
  readonly path: Buffer;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** When its content, name or rights changed last, in milliseconds since 1970. */
  readonly changedAt: number;
};

export type FolderListing = {
  /** Real path of the folder. */
  readonly root: string;
  readonly files: readonly DocumentFile[];
  readonly skipped: readonly SkippedFile[];
};

/**
 * Lists the files of a folder in a stable order. Hidden names and `node_modules` are not looked at;
 * a symbolic link counts when what it leads to is in the folder too. Names are bytes: one that is no
 * UTF-8 is a name as well.
 *
 * @throws DocumentFolderError when there is no such folder or it cannot be read
 */
export async function listFolder(folder: string, limits: FolderLimits): Promise<FolderListing> {
  const root = await realFolder(folder);
  const rootBytes = Buffer.from(root);
  const files: DocumentFile[] = [];
  const skipped: SkippedFile[] = [];
  const visited = new Set<string>();

  const walk = async (directory: Buffer, names: readonly Buffer[]): Promise<void> => {
    const key = directory.toString("latin1");
    if (visited.has(key)) return;
    visited.add(key);
    const found = await readdir(directory, { encoding: "buffer", withFileTypes: true }).catch(
      (error: unknown) => {
        skipped.push({ path: `${documentUrl(names)}/`, reason: reasonOf(error) });
        return [];
      },
    );
    const entries = found
      .filter(({ name }) => name[0] !== DOT && !name.equals(NODE_MODULES))
      .toSorted((a, b) => Buffer.compare(a.name, b.name));
    for (let from = 0; from < entries.length; from += LOOKS_AT_ONCE) {
      const some = entries.slice(from, from + LOOKS_AT_ONCE);
      const places = await Promise.all(
        some.map(async (entry) => ({
          name: entry.name,
          place: await lookAt(directory, entry, rootBytes),
        })),
      );
      for (const { name, place } of places) await take([...names, name], place);
    }
  };
  const take = async (path: readonly Buffer[], place: Place | string): Promise<void> => {
    const url = documentUrl(path);
    if (typeof place === "string") {
      skipped.push({ path: url, reason: place });
    } else if (place.kind === "folder") {
      if (path.length <= limits.maxDepth) await walk(place.path, path);
      else skipped.push({ path: `${url}/`, reason: `deeper than ${limits.maxDepth} folders` });
    } else if (visited.has(place.path.toString("latin1"))) {
      return;
    } else if (files.length >= limits.maxFiles) {
      skipped.push({ path: url, reason: `more than ${limits.maxFiles} files` });
    } else {
      visited.add(place.path.toString("latin1"));
      const { path: realPath, size, modifiedAt, changedAt } = place;
      files.push({ url, path: realPath, size, modifiedAt, changedAt });
    }
  };
  await walk(rootBytes, []);
  return { root, files, skipped };
}

const DOT = 0x2e;
const NODE_MODULES = Buffer.from("node_modules");
const SEPARATOR = Buffer.from(sep);

async function realFolder(folder: string): Promise<string> {
  try {
    const path = await realpath(folder);
    if ((await stat(path)).isDirectory()) return path;
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const problem = missing ? "there is no such folder" : reasonOf(error);
    throw new DocumentFolderError(folder, problem, { cause: error });
  }
  throw new DocumentFolderError(folder, "it is a file, not a folder");
}

type Place =
  | { readonly kind: "folder"; readonly path: Buffer }
  | {
      readonly kind: "file";
      readonly path: Buffer;
      readonly size: number;
      readonly modifiedAt: number;
      readonly changedAt: number;
    };

/** Where an entry of a folder leads, or why it is left out. */
async function lookAt(
  directory: Buffer,
  entry: Dirent<Buffer>,
  root: Buffer,
): Promise<Place | string> {
  const path = joinBytes(directory, entry.name);
  try {
    if (entry.isDirectory()) return { kind: "folder", path };
    const real = entry.isSymbolicLink() ? await realpath(path, { encoding: "buffer" }) : path;
    if (!isInside(root, real)) return "a link that leaves the folder";
    const stats = await stat(real);
    if (stats.isDirectory()) return { kind: "folder", path: real };
    if (!stats.isFile()) return "not a regular file";
    const { size, mtimeMs, ctimeMs } = stats;
    return { kind: "file", path: real, size, modifiedAt: mtimeMs, changedAt: ctimeMs };
  } catch (error) {
    return reasonOf(error);
  }
}

function joinBytes(directory: Buffer, name: Buffer): Buffer {
  const separator = directory.at(-1) === SEPARATOR[0] ? [] : [SEPARATOR];
  return Buffer.concat([directory, ...separator, name]);
}

function isInside(root: Buffer, path: Buffer): boolean {
  if (path.equals(root)) return true;
  const prefix = root.at(-1) === SEPARATOR[0] ? root : Buffer.concat([root, SEPARATOR]);
  return path.subarray(0, prefix.length).equals(prefix);
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The path in Node's message is the user's whole one, and the place is named beside the reason.
  return error.message
    .replace(/, [a-z]+ '[^']*'(?: -> '[^']*')?$/s, "")
    .replace(/, [a-z]+ <Buffer[^>]*>$/, "");
}
