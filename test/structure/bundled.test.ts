/** Libraries that npm does not install with the package come into `dist/` by the entries of `scripts/bundle.ts`. */
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { BUNDLE_ENTRIES, PAGE_FOLDER } from "../../scripts/bundle.ts";
import { importsOf } from "./import-graph.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
  readFileSync(`${root}package.json`, "utf8"),
) as Record<string, Record<string, string>>;
// A package that only some users need is installed by them, and loaded where it is used.
const installed = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
const { include, exclude } = JSON.parse(
  readFileSync(`${root}tsconfig.build.json`, "utf8").replace(/^\s*\/\/.*$/gm, ""),
) as { readonly include: readonly string[]; readonly exclude: readonly string[] };
const shipped = globSync(
  include.map((folder) => `${folder}/**/*.ts`),
  { cwd: root },
).filter((path) => !exclude.some((excluded) => path.startsWith(excluded)));

/** Imports of packages at run time. */
function packagesOf(path: string): readonly string[] {
  return importsOf({ path, text: readFileSync(root + path, "utf8") })
    .filter(({ target, specifier, kind }) => {
      return target === null && kind !== "type" && !specifier.startsWith("node:");
    })
    .map(({ specifier }) => specifier);
}

const isInstalled = (specifier: string): boolean =>
  installed.some((name) => specifier === name || specifier.startsWith(`${name}/`));

test("what is shipped imports packages that are installed, or that an entry bundles", () => {
  expect(shipped.length).toBeGreaterThan(100);
  const missing = shipped
    .filter((path) => !BUNDLE_ENTRIES.includes(path) && !path.startsWith(PAGE_FOLDER))
    .flatMap((path) => packagesOf(path).map((specifier) => ({ path, specifier })))
    .filter(({ specifier }) => !isInstalled(specifier));
  expect(missing).toEqual([]);
});

test.each(BUNDLE_ENTRIES)("%s passes on a library and nothing else", (path) => {
  expect(shipped).toContain(path);
  expect(packagesOf(path).filter(isInstalled)).toEqual([]);
  const text = readFileSync(root + path, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  expect(text.replace(/export (?:type )?\{[^}]*\} from "[^".][^"]*";/g, "").trim()).toBe("");
});
