/** Which code makes pages of documents and indexes them: what older code made is made anew. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";

/** What decides how a document is read and how its words are kept. */
const FOLDERS = ["../convert/", "../text/", "../search/"].map(
  (path) => new URL(path, import.meta.url),
);

let version: Promise<number> | undefined;

/** @returns a positive 31-bit number, the same for the same code */
export function conversionVersion(): Promise<number> {
  version ??= hashOfCode();
  return version;
}

async function hashOfCode(): Promise<number> {
  const hash = createHash("sha256");
  for (const folder of FOLDERS) {
    const names = (await readdir(folder)).filter((name) => /\.(?:ts|js)$/.test(name)).sort();
    const contents = await Promise.all(names.map((name) => readFile(new URL(name, folder))));
    for (const content of contents) hash.update(content);
  }
  return (hash.digest().readUInt32LE() >>> 1) + 1;
}
