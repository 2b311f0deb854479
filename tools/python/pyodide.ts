/** The npm package pyodide, Python compiled to WebAssembly: where it is. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { PythonUnavailableError } from "../core/errors.ts";
import { missingPackage } from "../isolate/index.ts";

export type Pyodide = { readonly folder: string; readonly version: string };

let found: Pyodide | null | undefined;

/** Null when the package is not installed. */
export function findPyodide(): Pyodide | null {
  if (found === undefined) found = locate();
  return found;
}

function locate(): Pyodide | null {
  let manifest: string;
  try {
    manifest = createRequire(import.meta.url).resolve("pyodide/package.json");
  } catch {
    return null;
  }
  return {
    folder: dirname(manifest),
    version: JSON.parse(readFileSync(manifest, "utf8")).version,
  };
}

/** @throws PythonUnavailableError when the package is not installed */
export function installedPyodide(): Pyodide {
  const pyodide = findPyodide();
  if (pyodide === null) throw new PythonUnavailableError(missingPackage("pyodide"));
  return pyodide;
}
