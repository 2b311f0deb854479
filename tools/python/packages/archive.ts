/**
 * Looks into a package's archive before anything of it is unpacked: what it would write, and how much.
 * It only reads the directory at the archive's end; decompressing is the sandbox's work.
 *
 * Source: PKWARE's APPNOTE.TXT, 4.3 and 4.4. Left out on purpose: ZIP64, encryption, parts on several
 * disks, anything in front of or behind the archive. No wheel needs them, and each is a way to show one
 * archive to this reader and another to the next.
 */
import { PackageArchiveError } from "./errors.ts";

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

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 0x1 | 0x40 | 0x2000;
const MADE_BY_UNIX = 3;
const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;

/** @throws PackageArchiveError for what no honest wheel is */
export function inspectArchive(archive: Buffer, fileName: string): ArchiveSummary {
  const refuse = (entry: string | null, problem: string): never => {
    throw new PackageArchiveError(fileName, entry, problem);
  };
  if (archive.length > ARCHIVE_LIMITS.bytes) {
    refuse(null, `is larger than ${ARCHIVE_LIMITS.bytes / MIB} MiB`);
  }
  const end = archive.length - END_BYTES;
  // A comment behind the directory would make its place a matter of opinion.
  if (end < 0 || archive.readUInt32LE(end) !== END_SIGNATURE || archive.readUInt16LE(end + 20)) {
    refuse(null, "is no complete zip archive");
  }
  const count = archive.readUInt16LE(end + 10);
  const directoryBytes = archive.readUInt32LE(end + 12);
  const directoryAt = archive.readUInt32LE(end + 16);
  if (
    archive.readUInt16LE(end + 4) !== 0 ||
    archive.readUInt16LE(end + 6) !== 0 ||
    archive.readUInt16LE(end + 8) !== count ||
    directoryAt + directoryBytes !== end
  ) {
    refuse(null, "is no plain zip archive of one part");
  }
  if (count > ARCHIVE_LIMITS.entries) {
    refuse(null, `has more than ${ARCHIVE_LIMITS.entries} entries`);
  }

  const names = new Set<string>();
  const extents: { readonly from: number; readonly to: number; readonly name: string }[] = [];
  let unpackedBytes = 0;
  let files = 0;
  let at = directoryAt;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > end || archive.readUInt32LE(at) !== ENTRY_SIGNATURE) {
      refuse(null, "has a damaged directory");
    }
    const nameLength = archive.readUInt16LE(at + 28);
    const next =
      at + ENTRY_BYTES + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
    if (next > end) refuse(null, "has a damaged directory");
    const raw = archive.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength);
    const name = raw.toString("utf8");
    const problem = nameProblem(name, raw) ?? kindProblem(archive, at, name.endsWith("/"));
    if (problem !== null) refuse(name, problem);
    const plain = name.replace(/\/$/, "");
    if (names.has(plain)) refuse(name, "is there twice");
    names.add(plain);

    const packed = archive.readUInt32LE(at + 20);
    const unpacked = archive.readUInt32LE(at + 24);
    if (unpacked > ARCHIVE_LIMITS.fileBytes) {
      refuse(name, `would have more than ${ARCHIVE_LIMITS.fileBytes / MIB} MiB unpacked`);
    }
    unpackedBytes += unpacked;
    if (unpackedBytes > ARCHIVE_LIMITS.unpackedBytes) {
      refuse(null, `would have more than ${ARCHIVE_LIMITS.unpackedBytes / MIB} MiB unpacked`);
    }
    if (!name.endsWith("/")) files++;
    const from = archive.readUInt32LE(at + 42);
    if (from + LOCAL_BYTES > directoryAt || archive.readUInt32LE(from) !== LOCAL_SIGNATURE) {
      refuse(name, "is not where the directory says");
    }
    const to =
      from +
      LOCAL_BYTES +
      archive.readUInt16LE(from + 26) +
      archive.readUInt16LE(from + 28) +
      packed;
    if (to > directoryAt) refuse(name, "is not where the directory says");
    extents.push({ from, to, name });
    at = next;
  }
  if (at !== end) refuse(null, "has a damaged directory");
  // Entries that share bytes are how a small archive becomes a very large one.
  extents.sort((a, b) => a.from - b.from);
  for (const [i, { from, name }] of extents.entries()) {
    if (from < (extents[i - 1]?.to ?? 0)) refuse(name, "shares its bytes with another entry");
  }
  return { files, unpackedBytes };
}

/** Also packages.py refuses such names: two readers may read one archive differently. */
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

function kindProblem(archive: Buffer, at: number, isFolder: boolean): string | null {
  if (archive.readUInt16LE(at + 8) & ENCRYPTED) return "is encrypted";
  const method = archive.readUInt16LE(at + 10);
  if (method !== STORED && method !== DEFLATED) return "is compressed in an unusual way";
  const packed = archive.readUInt32LE(at + 20);
  const unpacked = archive.readUInt32LE(at + 24);
  if (method === STORED && packed !== unpacked) return "has two sizes";
  if (isFolder && unpacked !== 0) return "is a folder with content";
  if (archive.readUInt16LE(at + 34) !== 0) return "lies on another disk";
  if (archive.readUInt8(at + 5) !== MADE_BY_UNIX) return null;
  const type = (archive.readUInt32LE(at + 38) >>> 16) & FILE_TYPE;
  if (type === 0 || type === (isFolder ? DIRECTORY : REGULAR)) return null;
  return "is neither a file nor a folder";
}
