/**
 * Which files of a folder are documents: a walk that stays inside the folder and within bounds, and
 * remembers what it left out and why.
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, open, readdir, realpath, stat } from "node:fs/promises";
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
    const found = await readdir(directory, { encoding: "buffer" }).catch((error: unknown) => {
      skipped.push({ path: `${documentUrl(names)}/`, reason: reasonOf(error) });
      return [];
    });
    for (const name of found.toSorted(Buffer.compare)) {
      if (name[0] === DOT || name.equals(NODE_MODULES)) continue;
      const path = [...names, name];
      const url = documentUrl(path);
      const entry = await lookAt(joinBytes(directory, name));
      if (typeof entry === "string") skipped.push({ path: url, reason: entry });
      else if (!isInside(rootBytes, entry.path)) {
        skipped.push({ path: url, reason: "a link that leaves the folder" });
      } else if (entry.stats.isDirectory()) {
        if (path.length <= limits.maxDepth) await walk(entry.path, path);
        else skipped.push({ path: `${url}/`, reason: `deeper than ${limits.maxDepth} folders` });
      } else if (!entry.stats.isFile()) skipped.push({ path: url, reason: "not a regular file" });
      else if (visited.has(entry.path.toString("latin1"))) continue;
      else if (files.length >= limits.maxFiles) {
        skipped.push({ path: url, reason: `more than ${limits.maxFiles} files` });
      } else {
        visited.add(entry.path.toString("latin1"));
        const { size, mtimeMs: modifiedAt } = entry.stats;
        files.push({ url, path: entry.path, size, modifiedAt });
      }
    }
  };
  await walk(rootBytes, []);
  return { root, files, skipped };
}

const DOT = 0x2e;
const NODE_MODULES = Buffer.from("node_modules");
const SEPARATOR = Buffer.from(sep);

/** Files that are something else than a document, by what they begin with. */
const KNOWN_KINDS: readonly (readonly [string, string])[] = [
  ["\x89PNG", "a picture (PNG)"],
  ["\xff\xd8\xff", "a picture (JPEG)"],
  ["GIF8", "a picture (GIF)"],
  ["II*\0", "a picture (TIFF)"],
  ["MM\0*", "a picture (TIFF)"],
  ["BM", "a picture (BMP)"],
  ["\0\0\x01\0", "a picture (icon)"],
  ["RIFF", "a picture, a sound or a film (RIFF)"],
  ["OggS", "a sound or a film (Ogg)"],
  ["ID3", "a sound (MP3)"],
  ["\x1aE\xdf\xa3", "a film (Matroska)"],
  ["\x1f\x8b", "compressed (gzip)"],
  ["BZh", "compressed (bzip2)"],
  ["\xfd7zXZ", "compressed (xz)"],
  ["(\xb5/\xfd", "compressed (zstd)"],
  ["7z\xbc\xaf", "an archive (7z)"],
  ["Rar!", "an archive (RAR)"],
  ["SQLite format 3", "a database (SQLite)"],
  ["\x7fELF", "a program (ELF)"],
  ["MZ", "a program (Windows)"],
  ["wOF", "a font"],
  ["OTTO", "a font"],
  ["\0\x01\0\0", "a font"],
  ["\xd0\xcf\x11\xe0", "a document of an old Office program; save it as .docx, .html or .pdf"],
];

/** Reads at most `maxBytes`; a longer file, or one that is no document, gives the reason instead. */
export async function readDocument(
  { path, url }: Pick<DocumentFile, "path" | "url">,
  maxBytes: number,
): Promise<Uint8Array | { readonly reason: string }> {
  let file: FileHandle | undefined;
  try {
    // A pipe that has taken the file's place must not block.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return { reason: "not a regular file" };
    if (stats.size > maxBytes) return { reason: tooLarge(stats.size, maxBytes) };
    const bytes = await file.readFile();
    if (bytes.length > maxBytes) return { reason: tooLarge(bytes.length, maxBytes) };
    const other = otherKind(bytes, url);
    return other === null ? bytes : { reason: other };
  } catch (error) {
    return { reason: reasonOf(error) };
  } finally {
    await file?.close();
  }
}

function tooLarge(size: number, maxBytes: number): string {
  return `${size} bytes, more than ${maxBytes}`;
}

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

async function lookAt(path: Buffer): Promise<{ path: Buffer; stats: Stats } | string> {
  try {
    const real = await realpath(path, { encoding: "buffer" });
    return { path: real, stats: await stat(real) };
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

/** What a file is that is no document, or null. */
function otherKind(bytes: Uint8Array, url: string): string | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 8192)).toString(
    "latin1",
  );
  if (head.startsWith("%PDF-")) return null;
  if (head.startsWith("PK\x03\x04")) return /\.docx$/i.test(url) ? null : "an archive (ZIP)";
  if (head.slice(4, 8) === "ftyp") return "a picture or a film (MP4, HEIC)";
  const isUtf16 = head.startsWith("\xff\xfe") || head.startsWith("\xfe\xff");
  if (isUtf16) return null;
  // Two letters begin a text as well.
  const known = KNOWN_KINDS.find(
    ([mark]) => head.startsWith(mark) && (mark.length > 2 || head.includes("\0")),
  );
  if (known !== undefined) return known[1];
  return head.includes("\0") ? "not a text: it has zero bytes" : null;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The path in Node's message is the user's whole one, and the place is named beside the reason.
  return error.message
    .replace(/, [a-z]+ '[^']*'(?: -> '[^']*')?$/s, "")
    .replace(/, [a-z]+ <Buffer[^>]*>$/, "");
}
