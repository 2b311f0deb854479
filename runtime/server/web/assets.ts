/**
 * The files of the page: its modules as they lie here, and those that they import. Nothing else is served. In the
 * package they are JavaScript; in a clone their types are left out as Node does, and libraries are read from
 * `node_modules`.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { traceStyle } from "../../tracing/index.ts";

export type Asset = {
  readonly type: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
};

/** Where files of the page are on the server. */
export const ASSET_PATH = "/page/";

/** The repository, or `dist/` of the package. */
const ROOT = new URL("../../../", import.meta.url);
const IS_SOURCE = import.meta.url.endsWith(".ts");

/** `from "…"` and `import "…"` of modules, minified or not; not what stands between two strings. */
const IMPORT = /(\bfrom\s*|\bimport\s*)(["'])((?:\.{1,2}\/)*[@a-z][\w@./-]*)\2/g;

let assets: ReadonlyMap<string, Asset> | null = null;

/** All files of the page by their paths; read once. */
export function pageAssets(): ReadonlyMap<string, Asset> {
  assets ??= readAssets();
  return assets;
}

function readAssets(): ReadonlyMap<string, Asset> {
  const found = new Map<string, Asset>();
  const entry = new URL(IS_SOURCE ? "./page/main.ts" : "./page/main.js", import.meta.url);
  addModule(entry, found);
  const style = readFileSync(new URL("./page/style.css", import.meta.url), "utf8");
  found.set(`${ASSET_PATH}style.css`, assetOf("text/css", style + traceStyle()));
  const index = readFileSync(new URL("./page/index.html", import.meta.url), "utf8");
  found.set("/", assetOf("text/html", index.replace("MAIN", pathOf(entry))));
  return found;
}

function addModule(file: URL, found: Map<string, Asset>): void {
  const path = pathOf(file);
  if (found.has(path)) return;
  const text = readFileSync(file, "utf8");
  const plain = file.pathname.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
  const imported: URL[] = [];
  const code = plain.replace(IMPORT, (whole, keyword: string, quote: string, name: string) => {
    if (name.startsWith(".")) {
      imported.push(new URL(name, file));
      return whole;
    }
    // Only in a clone: the package has its libraries bundled beside its modules.
    const target = new URL(import.meta.resolve(name));
    if (target.protocol !== "file:")
      throw new Error(`The page imports ${name}, which no browser has.`);
    imported.push(target);
    return `${keyword}${quote}${pathOf(target)}${quote}`;
  });
  found.set(path, assetOf("text/javascript", code));
  for (const next of imported) addModule(next, found);
}

/** The path on the server: the page's modules import each other by paths that stay as they are. */
function pathOf(file: URL): string {
  const root = fileURLToPath(ROOT);
  return ASSET_PATH + fileURLToPath(file).slice(root.length).replaceAll("\\", "/");
}

function assetOf(type: string, text: string): Asset {
  const body = Buffer.from(text);
  const hash = createHash("sha256").update(body).digest("base64url").slice(0, 22);
  return {
    type: `${type}; charset=utf-8`,
    body,
    gzipped: gzipSync(body, { level: 9 }),
    etag: `"${hash}"`,
  };
}
