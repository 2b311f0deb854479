import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

type LockedPackage = {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

const root = new URL("../../", import.meta.url);
const lock = JSON.parse(readFileSync(new URL("package-lock.json", root), "utf8")) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");

/** Paths at which a package in `path` finds `name`, innermost first. */
function places(path: string, name: string): string[] {
  const found: string[] = [];
  for (let at = path; ; at = at.slice(0, at.lastIndexOf("/node_modules/"))) {
    found.push(`${at}/node_modules/${name}`);
    if (!at.includes("/node_modules/")) return [...found, `node_modules/${name}`];
  }
}

// npm leaves out what it did not install itself when it writes a lock file beside an existing
// node_modules. Such a lock file changes at the next `npm install` on another system. The remedy:
// delete node_modules and package-lock.json, then `npm install`.
test("the lock file names the binaries of every system, not only of the one that wrote it", () => {
  const missing = packages.flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !places(path, name).some((place) => place in lock.packages))
      .map((name) => `${path} → ${name}`),
  );
  expect(missing).toEqual([]);
});

test("each package is locked by its hash, and none by an address (`.npmrc` says so to npm)", () => {
  const odd = packages.filter(([, { integrity, resolved }]) => !integrity || resolved);
  expect(odd).toEqual([]);
});

// npm 10 (of Node 20 and 22) removes the field and npm 11 adds it only to packages that are new in
// the file; without it both leave the file as it is.
test("no package has the field libc", () => {
  expect(packages.filter(([, { libc }]) => libc).map(([path]) => path)).toEqual([]);
});
