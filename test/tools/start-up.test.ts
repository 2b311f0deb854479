import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** Packages that an import of `entry` loads, followed through the project's own files; types aside. */
function packagesOf(entry: URL, seen = new Set<string>()): ReadonlySet<string> {
  const packages = new Set<string>();
  if (seen.has(entry.href)) return packages;
  seen.add(entry.href);
  const source = readFileSync(fileURLToPath(entry), "utf8");
  for (const match of source.matchAll(
    /^(?:import|export) (?!type )(?:[^;"]* from )?"([^"]+)";/gm,
  )) {
    const specifier = match[1] ?? "";
    if (specifier.startsWith("node:")) continue;
    if (!specifier.startsWith(".")) packages.add(specifier);
    else for (const name of packagesOf(new URL(specifier, entry), seen)) packages.add(name);
  }
  return packages;
}

test("importing the tools loads no package; each is loaded where it is used", () => {
  expect([...packagesOf(new URL("../../tools/index.ts", import.meta.url))]).toEqual([]);
  const worker = new URL("../../tools/browser/extract-worker.ts", import.meta.url);
  expect([...packagesOf(worker)]).toEqual(["cheerio"]);
});
