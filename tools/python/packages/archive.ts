/**
 * Looks into a package's archive before it is installed: what unpacking it would write, and how much.
 * Only the directory at the archive's end and the headers are read; the sandbox decompresses.
 *
 * yauzl reads the format (PKWARE's APPNOTE.TXT, 4.3 and 4.4). Some parts of the format let two readers see
 * two different archives in the same bytes, here yauzl and Python's zipfile. They are refused, since no
 * wheel needs them: ZIP64, encryption, several disks, a second name of an entry, and bytes before or
 * behind the archive.
 */

import type { Entry, ZipFile } from "yauzl";
import { messageOf } from "../../core/text.ts";
import { archiveError, PackageError } from "./errors.ts";

export type ArchiveSummary = {
  readonly files: number;
  /** Of all files when unpacked. */
  readonly unpackedBytes: number;
};

const MIB = 1024 * 1024;

/** What one package may be. The sandbox holds its files in memory. */
export const ARCHIVE_LIMITS: Readonly<
  Record<"bytes" | "entries" | "fileBytes" | "unpackedBytes" | "nameLength" | "depth", number>
> = {
  bytes: 128 * MIB,
  entries: 20_000,
  fileBytes: 96 * MIB,
  unpackedBytes: 192 * MIB,
  nameLength: 300,
  depth: 24,
};

/** End of the central directory, without a comment. */
const END_BYTES = 22;
const END_SIGNATURE = 0x06054b50;
/** An entry of the central directory, without its name, extra fields and comment. */
const ENTRY_BYTES = 46;
/** 32-bit fields that hold this have their value in a ZIP64 field. */
const IN_ZIP64 = 0xffffffff;
const ZIP64_FIELD = 0x0001;
const UNICODE_PATH_FIELD = 0x7075;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 0x1 | 0x40 | 0x2000;
const MADE_BY_UNIX = 3;
const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;

/** The bytes of an entry: its header and its compressed content. */
type Extent = { readonly from: number; readonly to: number; readonly name: string };

/** @throws PackageError for what is not an ordinary wheel */
export async function inspectArchive(archive: Buffer, fileName: string): Promise<ArchiveSummary> {
  const refuse = (entry: string | null, problem: string): never => {
    throw archiveError(fileName, entry, problem);
  };
  if (archive.length > ARCHIVE_LIMITS.bytes) {
    refuse(null, `it is larger than ${ARCHIVE_LIMITS.bytes / MIB} MiB`);
  }
  const { fromBufferPromise } = await import("yauzl");
  const directory = readEnd(archive);
  if (directory === undefined) return refuse(null, "it is no complete zip archive of one part");
  try {
    const zipFile = await fromBufferPromise(archive, { decodeStrings: false });
    return await inspectEntries(zipFile, directory, refuse);
  } catch (cause) {
    if (cause instanceof PackageError) throw cause;
    const why = messageOf(cause);
    throw archiveError(fileName, null, `it is a damaged zip archive (${why})`);
  }
}

type Directory = { readonly from: number; readonly to: number };

/** Where the directory lies; undefined unless the end is the archive's last bytes and says so itself. */
function readEnd(archive: Buffer): Directory | undefined {
  const end = archive.length - END_BYTES;
  if (end < 0 || archive.readUInt32LE(end) !== END_SIGNATURE) return undefined;
  const bytes = archive.readUInt32LE(end + 12);
  const from = archive.readUInt32LE(end + 16);
  const hasComment = archive.readUInt16LE(end + 20) !== 0;
  const isOfOneDisk = archive.readUInt16LE(end + 8) === archive.readUInt16LE(end + 10);
  if (hasComment || !isOfOneDisk || from === IN_ZIP64 || from + bytes !== end) return undefined;
  return { from, to: end };
}

async function inspectEntries(
  zipFile: ZipFile,
  directory: Directory,
  refuse: (entry: string | null, problem: string) => never,
): Promise<ArchiveSummary> {
  if (zipFile.entryCount > ARCHIVE_LIMITS.entries) {
    refuse(null, `it has more than ${ARCHIVE_LIMITS.entries} entries`);
  }
  const names = new Set<string>();
  const extents: Extent[] = [];
  let unpackedBytes = 0;
  let files = 0;
  let read = directory.from;
  for await (const entry of zipFile.eachEntry()) {
    const raw = entry.fileNameRaw;
    const name = raw.toString("utf8");
    const isFolder = name.endsWith("/");
    const problem = nameProblem(name, raw) ?? kindProblem(entry, isFolder);
    if (problem !== null) refuse(name, problem);
    const plain = name.replace(/\/$/, "");
    if (names.has(plain)) refuse(name, "is there twice");
    names.add(plain);

    if (entry.uncompressedSize > ARCHIVE_LIMITS.fileBytes) {
      refuse(name, `would have more than ${ARCHIVE_LIMITS.fileBytes / MIB} MiB unpacked`);
    }
    unpackedBytes += entry.uncompressedSize;
    if (unpackedBytes > ARCHIVE_LIMITS.unpackedBytes) {
      refuse(null, `it would have more than ${ARCHIVE_LIMITS.unpackedBytes / MIB} MiB unpacked`);
    }
    if (!isFolder) files++;
    const from = entry.relativeOffsetOfLocalHeader;
    const header = await zipFile
      .readLocalFileHeaderPromise(entry, { minimal: true })
      .catch(() => undefined);
    const to = (header?.fileDataStart ?? Infinity) + entry.compressedSize;
    if (to > directory.from) refuse(name, "is not where the directory says");
    extents.push({ from, to, name });
    read += ENTRY_BYTES + raw.length + entry.extraFieldLength + entry.fileCommentLength;
  }
  if (read !== directory.to) refuse(null, "it has a damaged directory");
  // Entries that share bytes are how a small archive becomes a very large one.
  extents.sort((a, b) => a.from - b.from);
  for (const [i, { from, name }] of extents.entries()) {
    if (from < (extents[i - 1]?.to ?? 0)) refuse(name, "shares its bytes with another entry");
  }
  return { files, unpackedBytes };
}

/** packages.py refuses such names as well. */
function nameProblem(name: string, raw: Buffer): string | null {
  if (!Buffer.from(name, "utf8").equals(raw)) return "has a name that is no UTF-8";
  if (name.length > ARCHIVE_LIMITS.nameLength) return "has a name that is too long";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f\x7f\\]/.test(name)) return "has a name with characters that no file should have";
  if (/^[A-Za-z]:/.test(name)) return "has a name that leads out of its folder";
  const parts = name.replace(/\/$/, "").split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    return "has a name that leads out of its folder";
  }
  return parts.length > ARCHIVE_LIMITS.depth ? "lies in too many folders" : null;
}

function kindProblem(entry: Entry, isFolder: boolean): string | null {
  if (entry.generalPurposeBitFlag & ENCRYPTED) return "is encrypted";
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
    return "is compressed in an unusual way";
  }
  if (entry.extraFields.some(({ id }) => id === ZIP64_FIELD || id === UNICODE_PATH_FIELD)) {
    return "has a second size or name";
  }
  if (isFolder && entry.uncompressedSize !== 0) return "is a folder with content";
  if (entry.versionMadeBy >>> 8 !== MADE_BY_UNIX) return null;
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE;
  if (type === 0 || type === (isFolder ? DIRECTORY : REGULAR)) return null;
  return "is neither a file nor a folder";
}
