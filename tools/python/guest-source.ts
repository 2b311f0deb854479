/**
 * The text of what runs inside the isolate: Python's side of a cell, and the modules of `guest/`. In the
 * repository these are TypeScript, in the installed package JavaScript with the same names.
 */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";

const EXTENSION = extname(import.meta.filename);

const PYTHON_FILES = ["cell.py", "packages/packages.py"];

/** By the names that they import each other by, without folder and ending. */
const GUEST_MODULES = {
  guest: "guest/guest",
  shell: "guest/shell",
  "text-codec": "guest/text-codec",
  "output-buffer": "output-buffer",
};

/** What the interpreter runs first. */
export function pythonSource(): string {
  return PYTHON_FILES.map(read).join("\n");
}

/** Name → JavaScript of each module of the guest. */
export function guestModules(): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const [name, path] of Object.entries(GUEST_MODULES)) {
    const text = read(path + EXTENSION);
    sources.set(name, EXTENSION === ".ts" ? stripTypeScriptTypes(text) : text);
  }
  return sources;
}

/** Everything that decides what a memory snapshot holds, beside Pyodide and Node. */
export function snapshotSource(): string {
  const modules = ["guest/guest", "guest/shell", "guest/text-codec"];
  return [...PYTHON_FILES, ...modules.map((path) => path + EXTENSION)].map(read).join("");
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), "utf8");
}
