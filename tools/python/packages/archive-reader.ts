/** The interpreter's process gives archives to its isolate: those of the manifest, as they were installed. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { PackageManifest } from "./package-manifest.ts";

/** After an import that was interrupted, another may come; a flood of them may not. */
const MOST_TIMES = 3;

/**
 * @returns a function of a package's name: its archive, or as a sentence's end why there is none. What
 *   asks is not trusted.
 */
export function archiveReader({ packages }: PackageManifest): (name: unknown) => Buffer | string {
  const left = new Map(packages.map((one) => [one.name, { one, times: MOST_TIMES }]));
  return (name) => {
    const found = typeof name === "string" ? left.get(name) : undefined;
    if (found === undefined) return "this session was not given it";
    if (found.times-- === 0) return "it was asked for too often";
    const { file, bytes, sha256 } = found.one;
    let content: Buffer;
    try {
      content = readFileSync(file);
    } catch {
      return "its file cannot be read; see chorale python verify";
    }
    const hash = createHash("sha256").update(content).digest("hex");
    if (content.length !== bytes || hash !== sha256) {
      return "its file is damaged; see chorale python verify";
    }
    return content;
  };
}
