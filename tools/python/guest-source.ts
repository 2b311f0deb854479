/**
 * The text of what runs inside the isolate: Python's side of a cell, and the modules of `guest/`. In the
 * repository these are TypeScript, in the installed package JavaScript with the same names.
 */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";

const EXTENSION = extname(import.meta.filename);

/** As PyPI has it. */
const TIME_ZONES = "tzdata/tzdata-2026.6-py2.py3-none-any.whl";

/** In the order in which they are run, all with the same globals. */
const PYTHON_FILES = [
  "guest/event_loop.py",
  "guest/explain.py",
  "guest/standard_library.py",
  "guest/cell.py",
  "guest/packages.py",
];

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

/** The archive of Python's package tzdata: the time zones of IANA, which Pyodide leaves out. */
export function readTimeZones(): Uint8Array {
  return readFileSync(new URL(TIME_ZONES, import.meta.url));
}

/** Everything that decides what a memory snapshot holds, beside Pyodide and Node. */
export function snapshotSource(): string {
  const modules = ["guest/guest", "guest/shell", "guest/text-codec"];
  return [...PYTHON_FILES, ...modules.map((path) => path + EXTENSION)].map(read).join("");
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), "utf8");
}
