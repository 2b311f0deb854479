/**
 * Names for files that go into the sandbox or come out of it. What comes out was named by the model's
 * code: only a plain name is kept, never a path.
 */

/**
 * In UTF-8. File systems take 255; the rest is for the number of a copy and the ending of the temporary
 * file that replaces an earlier one.
 */
const MAX_NAME_BYTES = 200;
const MAX_EXTENSION_CHARS = 12;
const MAX_COPIES = 1000;
/** Windows takes these for devices, with every extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=$|\.)/i;

/**
 * A name without folders that every file system takes: letters, digits, `. _ -` and single spaces; the
 * folders of a path are kept in front with a `-`. Never empty, hidden, or a way out (`..`).
 */
export function safeFileName(path: string): string {
  const flat = path
    .normalize("NFC")
    .split(/[/\\]+/)
    .filter((part) => part !== "" && part !== "." && part !== "..")
    .join("-");
  const plain = flat
    .replace(/[^\p{L}\p{M}\p{N}._ -]+/gu, "_")
    .replace(/\s+/g, " ")
    // Hidden files, options (`-rf`), and what Windows cuts off at the end.
    .replace(/^[.\s-]+|[.\s]+$/g, "");
  const { stem, extension } = splitName(plain);
  const name = `${cutToBytes(stem, MAX_NAME_BYTES - Buffer.byteLength(extension))}${extension}`;
  if (name === "") return "file";
  return DEVICE.test(name) ? `_${name}` : name;
}

/** The name, or the first of `name-2.ext`, `name-3.ext`, … that is not taken; undefined if all are. */
export function freeName(name: string, isTaken: (name: string) => boolean): string | undefined {
  if (!isTaken(name)) return name;
  const { stem, extension } = splitName(name);
  for (let n = 2; n <= MAX_COPIES; n++) {
    const candidate = `${stem}-${n}${extension}`;
    if (!isTaken(candidate)) return candidate;
  }
  return undefined;
}

/** Whole characters, without a mark that belongs to a letter that was cut off. */
function cutToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  let cut = "";
  let bytes = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    bytes += Buffer.byteLength(segment);
    if (bytes > maxBytes) break;
    cut += segment;
  }
  return cut.trimEnd();
}

function splitName(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf(".");
  const isExtension = dot > 0 && name.length - dot <= MAX_EXTENSION_CHARS;
  return isExtension
    ? { stem: name.slice(0, dot), extension: name.slice(dot) }
    : { stem: name, extension: "" };
}
