/** What is in the package, and what tools that read packages say about it. */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { describe, expect, inject, test } from "vitest";
import { importsOf } from "../structure/import-graph.ts";

const MB = 1e6;
const PACKED_LIMIT_BYTES = 12 * MB;
const INSTALLED_LIMIT_BYTES = 60 * MB;

const project = inject("project");
const tarball = readFileSync(inject("tarball"));
const manifest = JSON.parse(
  readFileSync(join(project, "node_modules/chorale/package.json"), "utf8"),
);

const isOf = (specifier: string, name: string): boolean =>
  specifier === name || specifier.startsWith(`${name}/`);

function filesIn(folder: string): { path: string; bytes: number }[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => ({ path, stats: lstatSync(join(folder, path)) }))
    .filter(({ stats }) => stats.isFile())
    .map(({ path, stats }) => ({ path, bytes: stats.size }));
}

describe("the package", () => {
  test("is small enough, with all that it depends on", () => {
    const installed = filesIn(join(project, "node_modules"));
    const installedBytes = installed.reduce((sum, { bytes }) => sum + bytes, 0);
    console.log(
      `${(tarball.length / MB).toFixed(1)} MB packed, ${(installedBytes / MB).toFixed(1)} MB installed`,
    );
    expect(tarball.length).toBeLessThanOrEqual(PACKED_LIMIT_BYTES);
    expect(installedBytes).toBeLessThanOrEqual(INSTALLED_LIMIT_BYTES);
  });

  test("has JavaScript with declarations and the files that it reads, and nothing else", () => {
    const paths = filesIn(join(project, "node_modules/chorale")).map(({ path }) => path);
    const endings = new Set(paths.map((path) => /(?:\.d)?\.\w+$/.exec(path)?.[0] ?? path));
    expect([...endings].sort()).toEqual([
      ".bin",
      ".css",
      ".d.ts",
      ".html",
      ".js",
      ".json",
      ".md",
      ".png",
      ".py",
      ".safetensors",
      ".svg",
      ".wasm",
      ".whl",
      "LICENSE",
      "NOTICE",
    ]);
    const places = new Set(paths.map((path) => path.split("/").slice(0, 2).join("/")));
    expect([...places].filter((place) => !place.startsWith("docs/")).sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "NOTICE",
      "README.md",
      "dist/THIRD-PARTY-LICENSES.md",
      "dist/bundled",
      "dist/docs",
      "dist/harmony",
      "dist/inference",
      "dist/runtime",
      "dist/tools",
      "package.json",
    ]);
    expect(paths.filter((path) => /\/(?:test|train|reference)\//.test(path))).toEqual([]);
  });

  test("names no TypeScript file that would have to be there at run time", () => {
    const named = filesIn(join(project, "node_modules/chorale/dist"))
      .map(({ path }) => join(project, "node_modules/chorale/dist", path))
      .filter((path) => /\.(?:js|d\.ts)$/.test(path) && !path.endsWith("launcher.js"))
      .flatMap((path) => {
        const text = readFileSync(path, "utf8");
        const found = text.matchAll(/(?:from |import\(|new URL\()["'`]\.{1,2}\/[^"'`]*\.ts["'`]/g);
        return [...found].map(([match]) => `${path}: ${match}`);
      });
    expect(named).toEqual([]);
  });

  test("imports only packages that are installed with it, and bundles the others with their licences", () => {
    const folder = join(project, "node_modules/chorale");
    const installed = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    // A user installs a peer, where it is needed; the program says so where it is not there.
    const peers = Object.keys(manifest.peerDependencies);
    const foreign = filesIn(join(folder, "dist"))
      .filter(({ path }) => path.endsWith(".js"))
      .flatMap(({ path }) =>
        importsOf({ path, text: readFileSync(join(folder, "dist", path), "utf8") })
          .filter(({ target, specifier }) => target === null && !isBuiltin(specifier))
          .filter(
            ({ specifier }) => ![...installed, ...peers].some((name) => isOf(specifier, name)),
          )
          .map(({ specifier }) => `${path}: ${specifier}`),
      );
    expect(foreign).toEqual([]);
    const licences = readFileSync(join(folder, "dist/THIRD-PARTY-LICENSES.md"), "utf8");
    const bundled = [...licences.matchAll(/^## (\S+) \d\S* \(/gm)].map(([, name]) => name ?? "");
    expect(bundled).toEqual(expect.arrayContaining(["js-yaml", "markdown-it", "undici"]));
    expect(bundled.filter((name) => installed.includes(name))).toEqual([]);
    for (const section of licences.split(/^## (?=\S+ \d\S* \()/m).slice(1))
      expect(section).toMatch(/copyright/i);
  });

  test("says no Node older than 24 and can be published", () => {
    expect(manifest).toMatchObject({
      engines: { node: ">=24" },
      sideEffects: false,
      type: "module",
    });
    expect(manifest).not.toHaveProperty("private");
  });

  test("has no fault that publint finds", async () => {
    const { buffer, byteOffset, byteLength } = new Uint8Array(tarball);
    const { messages, pkg } = await publint({
      pack: { tarball: buffer.slice(byteOffset, byteOffset + byteLength) },
    });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test("has types that are right, for TypeScript that resolves as Node does or a bundler", async () => {
    const analysis = await checkPackage(createPackageFromTarballData(tarball));
    if (analysis.types === false) throw new Error("the package has no types");
    expect(Object.keys(analysis.entrypoints).sort()).toEqual(Object.keys(manifest.exports).sort());
    // The package is ESM only. TypeScript's `node10` knows no `exports`, and what CommonJS resolves to
    // is ESM, which Node 24 can require.
    const accepted = (problem: (typeof analysis.problems)[number]) =>
      problem.kind === "CJSResolvesToESM" ||
      (problem.kind === "NoResolution" && problem.resolutionKind === "node10");
    expect(analysis.problems.filter((problem) => !accepted(problem))).toEqual([]);
  });
});
