/** What the source files of the repository import from each other, read with a parser. */

import { posix } from "node:path";
import { parseSync, Visitor } from "oxc-parser";

export type SourceFile = { readonly path: string; readonly text: string };

export type Import = {
  /** As it is written: `./message.ts`, `node:fs`, `undici`. */
  readonly specifier: string;
  /** Path of the file meant, from the root of the repository; null for packages and `node:` modules. */
  readonly target: string | null;
  /** How: when the file is loaded, by `import(…)`, as the entry of a worker or child, or not at run time. */
  readonly kind: "static" | "dynamic" | "entry" | "type";
};

/** A file of source code named by `new URL("…", import.meta.url)`: the entry of a worker or a child process. */
const SOURCE = /^\.{1,2}\/.*\.[cm]?[jt]s$/;

const parsed = new WeakMap<SourceFile, readonly Import[]>();

/**
 * All imports of `file`; each file is parsed once.
 *
 * @throws Error when the file cannot be parsed
 */
export function importsOf(file: SourceFile): readonly Import[] {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const imports = parse(file);
  parsed.set(file, imports);
  return imports;
}

function parse({ path, text }: SourceFile): Import[] {
  const { module, program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const found: Import[] = [];
  const add = (specifier: string, kind: Import["kind"]) => {
    const target = specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : null;
    found.push({ specifier, target, kind });
  };
  // `import { type X } from "…"` stays as an import without names when types are stripped.
  const isType = (start: number) =>
    /^(?:import|export)\s+type\b/.test(text.slice(start, start + 40));

  for (const { start, moduleRequest } of module.staticImports) {
    add(moduleRequest.value, isType(start) ? "type" : "static");
  }
  for (const { start, entries } of module.staticExports) {
    const from = entries.find((entry) => entry.moduleRequest !== null)?.moduleRequest;
    if (from) add(from.value, isType(start) ? "type" : "static");
  }
  if (/\bimport\s*\(|\bnew URL\(/.test(text)) {
    new Visitor({
      ImportExpression({ source }) {
        if (source.type === "Literal") add(String(source.value), "dynamic");
      },
      TSImportType({ source }) {
        add(source.value, "type");
      },
      NewExpression({ callee, arguments: [first] }) {
        if (callee.type !== "Identifier" || callee.name !== "URL") return;
        if (first?.type === "Literal" && SOURCE.test(String(first.value))) {
          add(String(first.value), "entry");
        }
      },
    }).visit(program);
  }
  return found;
}

/**
 * Packages that are loaded together with the file at `path`, followed through the files that it
 * imports; types, `import(…)` and `node:` modules aside.
 *
 * @param read text of a file, by its path from the root of the repository
 */
export function packagesLoadedBy(path: string, read: (path: string) => string): string[] {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const follow = (at: string) => {
    if (seen.has(at)) return;
    seen.add(at);
    for (const { specifier, target, kind } of importsOf({ path: at, text: read(at) })) {
      if (kind !== "static" || specifier.startsWith("node:")) continue;
      if (target === null) packages.add(specifier);
      else follow(target);
    }
  };
  follow(path);
  return [...packages];
}
