/** Reads the archives of a session's packages for its isolate, and only those, as they were installed. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { PackageManifest } from "./package-manifest.ts";

/** An import that was interrupted may ask again. Code in the isolate that asks without end may not. */
const MAX_READS = 3;

/**
 * @returns a function of a package's name: its archive, or why there is none, as the end of a sentence.
 *   The isolate that calls it is not trusted.
 */
export function archiveReader({ packages }: PackageManifest): (name: unknown) => Buffer | string {
  const left = new Map(packages.map((one) => [one.name, { one, reads: MAX_READS }]));
  return (name) => {
    const found = typeof name === "string" ? left.get(name) : undefined;
    if (found === undefined) return "this session was not given it";
    if (found.reads-- === 0) return "it was asked for too often";
    const { file, bytes, sha256 } = found.one;
    let content: Buffer;
    try {
      content = readFileSync(file);
    } catch {
      return "its file cannot be read, so the user has to install it again";
    }
    const hash = createHash("sha256").update(content).digest("hex");
    if (content.length !== bytes || hash !== sha256) {
      return "its file is damaged, so the user has to install it again";
    }
    return content;
  };
}
