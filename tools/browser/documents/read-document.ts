/** Reads a file of a folder, if it is a document. */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { reasonOf } from "./folder.ts";

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
  ["{\\rtf", "a document in RTF; save it as .docx, .html or .txt"],
  ["%!PS", "a PostScript document; save it as .pdf"],
  ["wOF", "a font"],
  ["OTTO", "a font"],
  ["\0\x01\0\0", "a font"],
  ["\xd0\xcf\x11\xe0", "a document of an old Office program; save it as .docx, .html or .pdf"],
];

/** Why a file gives no document; `isLasting`: as long as its bytes are the same. */
export type NoDocument = { readonly reason: string; readonly isLasting?: boolean };

/** Of what a file begins with: enough to see what it is. */
const HEAD_BYTES = 8192;

/**
 * Reads at most `maxBytes`; a longer file, or one that is no document, gives the reason instead. It runs
 * in a thread of the pool, where waiting for a disk delays no other.
 */
export function readDocument(
  path: Uint8Array,
  url: string,
  maxBytes: number,
): Uint8Array | NoDocument {
  let file: number | undefined;
  try {
    // A pipe that has taken the file's place must not block.
    file = openSync(Buffer.from(path), constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(file);
    if (!stats.isFile()) return { reason: "not a regular file" };
    if (stats.size > maxBytes) return { reason: tooLarge(stats.size, maxBytes) };
    if (stats.size > HEAD_BYTES) {
      // Pictures and programs are not read to their end.
      const head = Buffer.alloc(HEAD_BYTES);
      const reason = otherKind(head.subarray(0, readSync(file, head, 0, HEAD_BYTES, 0)), url);
      if (reason !== null) return { reason, isLasting: true };
    }
    const bytes = readFileSync(file);
    if (bytes.length > maxBytes) return { reason: tooLarge(bytes.length, maxBytes) };
    return asDocument(bytes, url);
  } catch (error) {
    return { reason: reasonOf(error) };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The same bytes, or why they are no document. */
export function asDocument(bytes: Uint8Array, url: string): Uint8Array | NoDocument {
  const reason = otherKind(bytes, url);
  return reason === null ? bytes : { reason, isLasting: true };
}

function tooLarge(size: number, maxBytes: number): string {
  return `${size} bytes, more than ${maxBytes}`;
}

/** What a file is that is no document, or null. */
function otherKind(bytes: Uint8Array, url: string): string | null {
  const head = Buffer.from(
    bytes.buffer,
    bytes.byteOffset,
    Math.min(bytes.length, HEAD_BYTES),
  ).toString("latin1");
  if (head.startsWith("%PDF-")) return null;
  if (head.startsWith("PK\x03\x04")) return zipKind(url);
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

function zipKind(url: string): string | null {
  const extension = /\.([a-z]{3,5})$/i.exec(url)?.[1]?.toLowerCase() ?? "";
  if (extension === "docx") return null;
  const isDocument = /^(?:xlsx|pptx|odt|ods|odp|epub|pages|numbers|key)$/.test(extension);
  return isDocument
    ? `a document (.${extension}) of a kind that is not read; save it as .docx, .pdf, .csv or .html`
    : "an archive (ZIP)";
}
