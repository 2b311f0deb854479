/** `chorale/harmony` alone: what it loads, and that it runs without anything of Node. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** Not members that are called the same: the parser has a method `process`. */
const NODE_GLOBAL =
  /(?<![\w.#$])(?:process\.|Buffer\.|require\(|__dirname|__filename|setImmediate)/;

const root = new URL("../../", import.meta.url);

/** Every module that the entry point loads, with its code as JavaScript. */
function modulesOf(entry: URL): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const open = [entry];
  for (let url = open.pop(); url !== undefined; url = open.pop()) {
    if (found.has(url.href)) continue;
    const code = stripTypeScriptTypes(readFileSync(url, "utf8"));
    found.set(url.href, code);
    for (const specifier of importsOf(code)) {
      expect(specifier, `${fileURLToPath(url)} imports ${specifier}`).toMatch(/^\.\.?\//);
      open.push(new URL(specifier, url));
    }
  }
  return found;
}

function importsOf(code: string): string[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"']+)["']/g;
  return [...code.matchAll(pattern)].map((match) => match[1] ?? "");
}

test("package.json leads to it", () => {
  const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  expect(manifest.exports["./harmony"]["chorale-source"]).toBe("./harmony/index.ts");
});

test("it loads nothing but its own folder, and names nothing of Node", () => {
  const modules = modulesOf(new URL("harmony/index.ts", root));
  expect(modules.size).toBeGreaterThan(10);
  for (const [href, code] of modules) {
    expect(href).toContain("/harmony/");
    expect(href).not.toContain("/vocabulary/");
    expect(NODE_GLOBAL.exec(code)?.[0], href).toBeUndefined();
  }
});

test("the imports that the test looks for are found", () => {
  const code = 'import a from "node:fs";\nexport { b } from "./b.ts";\nawait import("c");';
  expect(importsOf(code)).toEqual(["node:fs", "./b.ts", "c"]);
});
