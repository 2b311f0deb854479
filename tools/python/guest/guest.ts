/**
 * The inner end of the interpreter: runs in the isolate, beside the code of the cells, which can reach and
 * change everything here once the first of them has run. Nothing it says is believed: the host bounds it
 * and passes it on as data. Only strings, numbers and buffers made by the host go in and out.
 */
import { OutputBuffer } from "../output-buffer.ts";
import { type HostFunctions, openShell, type Shell } from "./shell.ts";

/** What is used of Pyodide. */
type Python = {
  runPython(code: string, options?: { globals?: unknown; filename?: string }): PyObject;
  setStdout(options: object): void;
  setStderr(options: object): void;
  setStdin(options: object): void;
  setInterruptBuffer(buffer: Uint8Array): void;
  makeMemorySnapshot(): Uint8Array;
  readonly FS: {
    writeFile(path: string, data: Uint8Array, options: { canOwn: boolean }): void;
    chmod(path: string, mode: number): void;
    readdir(path: string): string[];
    readFile(path: string): Uint8Array;
    lstat(path: string): { mode: number; size: number; mtime: Date };
    isFile(mode: number): boolean;
    isDir(mode: number): boolean;
  };
};

type PyObject = { toJs(): unknown; destroy(): void };

type CreateModule = (settings: object) => Promise<unknown>;
type LoadPyodide = (config: object) => Promise<Python>;

type Run = (source: string, number: number) => string | Promise<string>;

/** What cell.py and, the last of them, packages.py leave. */
type Functions = [
  Run,
  () => boolean,
  () => void,
  () => void,
  (explain: unknown) => void,
  (manifest: string, take: (name: string, path: string) => string) => unknown,
];

/** Imported before the snapshot is taken: the common part of the library costs a cell nothing then. */
const PREIMPORTS =
  "import ast, asyncio, base64, bisect, calendar, cmath, collections, copy, csv, dataclasses, datetime, " +
  "decimal, enum, fractions, functools, hashlib, heapq, importlib.metadata, inspect, io, itertools, " +
  "json, linecache, math, operator, os, pathlib, random, re, statistics, string, struct, sys, tempfile, " +
  "textwrap, time, traceback, typing, unicodedata, zipfile, zlib, zoneinfo";

/** Places in the control memory. */
const INTERRUPT = 0;
const BEGUN = 1;

const LONGEST_OUTCOME = 1024 * 1024;
const INPUT_FOLDER = "/mnt/data";
const OUTPUT_FOLDER = "/outputs";
/** Folders within folders that are looked into for files to hand out. */
const DEEPEST_FOLDER = 4;
const MOST_FILES_LISTED = 1000;

let output: OutputBuffer;
/** The interrupt byte, and one that says that the cell's own code has begun. */
let control: Uint8Array;
let shell: Shell;
let python: Python;
let run: Run;
let isUsable: () => boolean;
let cancelCell: () => void;
let explainMissing: (explain: unknown) => void;
let openManifest: Functions[5];
let snapshot: Uint8Array | undefined;
let running = 0;

/** Before Pyodide's own modules are evaluated: they look around as they are. */
export function prepare(
  random: HostFunctions["random"],
  timer: HostFunctions["timer"],
  outputMemory: SharedArrayBuffer,
  controlMemory: SharedArrayBuffer,
  files: ReadonlyMap<string, ArrayBuffer>,
): void {
  output = new OutputBuffer(outputMemory);
  control = new Uint8Array(controlMemory);
  shell = openShell({ random, timer }, files, (bytes) => output.write(bytes));
}

/**
 * Starts Python.
 *
 * @param lockFile  pyodide-lock.json
 * @param source  cell.py and packages.py; a snapshot holds what came of them
 * @param memory  of a snapshot; absent: from scratch
 */
export async function boot(
  createPyodideModule: CreateModule,
  loadPyodide: LoadPyodide,
  lockFile: string,
  source: string,
  memory: ArrayBuffer | undefined,
): Promise<void> {
  const snapshot = memory && { _loadSnapshot: new Uint8Array(memory) };
  python = await loadPyodide({ ...configuration(createPyodideModule, lockFile), ...snapshot });
  const write = (bytes: Uint8Array): number => {
    output.write(bytes);
    return bytes.length;
  };
  python.setStdout({ write, isatty: false });
  python.setStderr({ write, isatty: false });
  python.setStdin({ stdin: () => null, isatty: false });
  python.setInterruptBuffer(control.subarray(INTERRUPT, INTERRUPT + 1));
  if (memory === undefined) loadFunctions(source);
  const functions = python.runPython(TAKE_FUNCTIONS).toJs();
  const [runCell, check, cancel, prepareCells, setExplanation, openPackages] =
    functions as Functions;
  prepareCells();
  shell.silenceErrors();
  run = runCell;
  isUsable = check;
  cancelCell = cancel;
  explainMissing = setExplanation;
  openManifest = openPackages;
}

/** Starts Python as the snapshot is to have it. @returns the snapshot's size in bytes */
export async function makeSnapshot(
  createPyodideModule: CreateModule,
  loadPyodide: LoadPyodide,
  lockFile: string,
  source: string,
): Promise<number> {
  const config = configuration(createPyodideModule, lockFile);
  python = await loadPyodide({ ...config, _makeSnapshot: true });
  python.runPython(PREIMPORTS);
  loadFunctions(source);
  snapshot = python.makeMemorySnapshot();
  return snapshot.length;
}

/** Where a snapshot keeps the functions; whoever takes them out leaves no trace for the cells. */
const TAKE_FUNCTIONS =
  "import sys; (*sys.__dict__.pop('_chorale_cell'), sys.__dict__.pop('_chorale_packages'))";

function loadFunctions(source: string): void {
  const globals = python.runPython("{'__name__': 'chorale'}");
  python.runPython(source, { globals, filename: "chorale.py" });
  globals.destroy();
}

/** @param target  of the size that `makeSnapshot` gave */
export function takeSnapshot(target: SharedArrayBuffer): void {
  if (snapshot) new Uint8Array(target).set(snapshot);
}

function configuration(createPyodideModule: CreateModule, lockFile: string): object {
  return {
    indexURL: "/py/",
    packageBaseUrl: "/py/",
    stdLibURL: "/py/python_stdlib.zip",
    createPyodideModule,
    // Without its packages: none can be fetched, and Python's own import error is the clearer one.
    lockFileContents: { ...JSON.parse(lockFile), packages: {} },
    env: { HOME: "/home/user", LANG: "C.UTF-8", MPLBACKEND: "Agg", _: "python" },
  };
}

/** @returns JSON of `{value, error}`, written by cell.py; what the cell printed is in the output buffer */
export async function runCell(id: number, code: string, number: number): Promise<string> {
  running = id;
  control[INTERRUPT] = 0;
  try {
    if (number > 1) probe();
    control[BEGUN] = 1;
    const outcome = `${await run(code, number)}`;
    return outcome.length > LONGEST_OUTCOME ? "" : outcome;
  } finally {
    running = 0;
  }
}

/** @throws Error when earlier cells have changed what cells run on, so that none can any more */
function probe(): void {
  try {
    if (isUsable()) {
      output.clear();
      return;
    }
  } catch {}
  throw new Error("an earlier call had left it unusable");
}

/** For a cell that waits: then no Python runs that could see the interrupt byte. */
export function cancel(id: number): void {
  // A cell that finished meanwhile is not the one that was meant.
  if (id !== running) return;
  // The byte would interrupt `cancelCell` itself.
  control[INTERRUPT] = 0;
  cancelCell();
}

export function fire(id: number): void {
  shell.fire(id);
}

/** A copy of a file of the user, which cells may read. */
export function putFile(name: string, bytes: ArrayBuffer): void {
  const path = `${INPUT_FOLDER}/${name}`;
  python.FS.writeFile(path, new Uint8Array(bytes), { canOwn: true });
  python.FS.chmod(path, 0o444);
}

/**
 * Lets imports find packages.
 *
 * @param manifest  JSON of an PackageManifest
 * @param take  the host's: the archive of a package, or why there is none
 */
export function setPackages(manifest: string, take: (name: string) => ArrayBuffer | string): void {
  const store = (name: string, path: string): string => {
    const archive = take(`${name}`);
    if (typeof archive === "string") return archive;
    python.FS.writeFile(path, new Uint8Array(archive), { canOwn: true });
    return "";
  };
  explainMissing(openManifest(manifest, store));
}

/** @returns JSON of `[path in the folder, bytes, time of change]` of each file that cells have written */
export function listOutputs(): string {
  const found: [string, number, number][] = [];
  const look = (folder: string, prefix: string, depth: number): void => {
    for (const name of python.FS.readdir(folder)) {
      if (name === "." || name === ".." || found.length >= MOST_FILES_LISTED) continue;
      const stat = python.FS.lstat(`${folder}/${name}`);
      if (python.FS.isFile(stat.mode)) found.push([prefix + name, stat.size, Number(stat.mtime)]);
      else if (python.FS.isDir(stat.mode) && depth < DEEPEST_FOLDER) {
        look(`${folder}/${name}`, `${prefix}${name}/`, depth + 1);
      }
    }
  };
  try {
    look(OUTPUT_FOLDER, "", 0);
  } catch {
    // The folder is the cells' own; without it there is nothing to hand out.
  }
  return JSON.stringify(found);
}

/** Copies a file into `target`. @returns its bytes, or -1 when they do not fit */
export function readOutput(path: string, target: SharedArrayBuffer): number {
  const bytes = python.FS.readFile(`${OUTPUT_FOLDER}/${path}`);
  if (bytes.length > target.byteLength) return -1;
  new Uint8Array(target).set(bytes);
  return bytes.length;
}
