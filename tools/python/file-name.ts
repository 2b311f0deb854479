/**
 * Names for files that cross the sandbox's wall. What comes out was named by the model's code, what goes
 * in by anybody: only a plain name is kept, never a path.
 */

const LONGEST_NAME = 100;
const LONGEST_EXTENSION = 12;
const MOST_COPIES = 1000;
/** Windows takes these for devices, whatever their extension. */
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
  const room = LONGEST_NAME - extension.length;
  const name = `${[...stem].slice(0, room).join("")}${extension}`;
  if (name === "") return "file";
  return DEVICE.test(name) ? `_${name}` : name;
}

/** The name, or the first of `name-2.ext`, `name-3.ext`, … that is not taken; undefined if all are. */
export function freeName(name: string, isTaken: (name: string) => boolean): string | undefined {
  if (!isTaken(name)) return name;
  const { stem, extension } = splitName(name);
  for (let n = 2; n <= MOST_COPIES; n++) {
    const candidate = `${stem}-${n}${extension}`;
    if (!isTaken(candidate)) return candidate;
  }
  return undefined;
}

function splitName(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf(".");
  const isExtension = dot > 0 && name.length - dot <= LONGEST_EXTENSION;
  return isExtension
    ? { stem: name.slice(0, dot), extension: name.slice(dot) }
    : { stem: name, extension: "" };
}
