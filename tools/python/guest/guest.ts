/**
 * The part of the interpreter that runs in the isolate, beside the code of the cells, which can reach and
 * change everything here once the first of them has run. The host believes nothing that it says: it bounds
 * each answer and passes it on as data. Only strings, numbers and buffers made by the host go in and out.
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
  run: Run,
  check: (source: string) => unknown,
  cancel: () => void,
  prepare: (wake: (milliseconds: number) => void, pause: (seconds: number) => void) => () => void,
  setExplanation: (explain: unknown) => void,
  openPackages: (manifest: string, take: (name: string, path: string) => string) => unknown,
];

/** Imported before the snapshot is taken: the common part of the library costs a cell nothing then. */
const PREIMPORTS =
  "import ast, asyncio, base64, bisect, calendar, cmath, collections, copy, csv, dataclasses, datetime, " +
  "decimal, enum, fractions, functools, hashlib, heapq, hmac, importlib.metadata, importlib.resources, inspect, io, itertools, " +
  "json, linecache, math, operator, os, pathlib, random, re, statistics, string, struct, sys, tempfile, " +
  "textwrap, time, traceback, typing, unicodedata, zipfile, zlib, zoneinfo";

const MAX_OUTCOME_CHARS = 1024 * 1024;
const DATA_FOLDER = "/mnt/data";
/** Where files that cells write are handed out from. */
const WRITTEN_FOLDERS = ["/outputs", DATA_FOLDER];
/** Folders within folders that are looked into. */
const MAX_DEPTH = 4;
const MAX_FILES_LISTED = 1000;
/** In the data folder: caches that Python and its libraries write by themselves. */
const HIDDEN = /^\.|^__pycache__$/;

/** -5 to 256: there is one object of each in Python. */
const SUM_OF_KEPT_NUMBERS = 32_881;

let output: OutputBuffer;
/** One byte, by which the host raises KeyboardInterrupt. */
let interrupt: Uint8Array;
/** One byte, by which the host knows that the code of a cell has begun. */
let begun: Uint8Array;
let shell: Shell;
let python: Python;
let run: Run;
let check: Functions[1];
let cancelCell: () => void;
let setExplanation: Functions[4];
let openManifest: Functions[5];
let snapshot: Uint8Array | undefined;
let running = 0;
/** While a check runs, what it prints is not a cell's. */
let isMuted = false;

/** Before Pyodide's own modules are evaluated: they look around as they are. */
export function prepare(
  random: HostFunctions["random"],
  now: HostFunctions["now"],
  timer: HostFunctions["timer"],
  outputMemory: SharedArrayBuffer,
  interruptMemory: SharedArrayBuffer,
  begunMemory: SharedArrayBuffer,
  files: ReadonlyMap<string, ArrayBuffer>,
): void {
  output = new OutputBuffer(outputMemory);
  interrupt = new Uint8Array(interruptMemory);
  begun = new Uint8Array(begunMemory);
  shell = openShell({ random, now, timer }, files, write);
}

function write(bytes: Uint8Array): number {
  if (!isMuted) output.write(bytes);
  return bytes.length;
}

/**
 * Starts Python.
 *
 * @param lockFile  pyodide-lock.json
 * @param source  of the Python files; a snapshot holds what came of them
 * @param timeZones  the archive of the package tzdata
 * @param memory  of a snapshot; absent: from scratch
 */
export async function boot(
  createPyodideModule: CreateModule,
  loadPyodide: LoadPyodide,
  lockFile: string,
  source: string,
  timeZones: ArrayBuffer,
  memory: ArrayBuffer | undefined,
): Promise<void> {
  const snapshot = memory && { _loadSnapshot: new Uint8Array(memory) };
  python = await Promise.race([
    loadPyodide({ ...configuration(createPyodideModule, lockFile), ...snapshot }),
    shell.instantiationFailed,
  ]);
  python.setStdout({ write, isatty: false });
  python.setStderr({ write, isatty: false });
  python.setStdin({ stdin: () => null, isatty: false });
  python.setInterruptBuffer(interrupt);
  python.FS.writeFile("/lib/tzdata.whl", new Uint8Array(timeZones), { canOwn: true });
  if (memory === undefined) loadFunctions(source);
  const functions = python.runPython(TAKE_FUNCTIONS).toJs() as Functions;
  let prepareCells: Functions[3];
  [run, check, cancelCell, prepareCells, setExplanation, openManifest] = functions;
  shell.onWake(prepareCells(shell.wake, shell.pause));
  shell.silenceErrors();
}

/** Starts Python as the snapshot is to have it. @returns the snapshot's size in bytes */
export async function makeSnapshot(
  createPyodideModule: CreateModule,
  loadPyodide: LoadPyodide,
  lockFile: string,
  source: string,
): Promise<number> {
  const config = configuration(createPyodideModule, lockFile);
  python = await Promise.race([
    loadPyodide({ ...config, _makeSnapshot: true }),
    shell.instantiationFailed,
  ]);
  python.runPython(PREIMPORTS);
  loadFunctions(source);
  snapshot = python.makeMemorySnapshot();
  return snapshot.length;
}

/** Takes the functions from where a snapshot keeps them, so that cells do not find them there. */
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

/**
 * Forgets the output that the host has read, and adds two numbers in the way in which cells are run.
 *
 * @param read  bytes of the output that the host has read
 * @returns false when earlier cells have changed what cells run on, so that none can any more
 */
export function prepareCell(read: number, a: number, b: number): boolean {
  interrupt[0] = 0;
  output.forget(read);
  isMuted = true;
  try {
    const sum = check(`${a} + ${b}`);
    return sum === `{"value": "${a + b}", "error": null} ${SUM_OF_KEPT_NUMBERS}`;
  } catch {
    return false;
  } finally {
    isMuted = false;
  }
}

/** @returns JSON of `{value, error}`, written by cell.py; what the cell printed is in the output buffer */
export async function runCell(id: number, code: string, number: number): Promise<string> {
  running = id;
  begun[0] = 1;
  try {
    const outcome = `${await run(code, number)}`;
    return outcome.length > MAX_OUTCOME_CHARS ? "" : outcome;
  } finally {
    running = 0;
  }
}

/** For a cell that waits: then no Python runs that could see the interrupt byte. */
export function cancel(id: number): void {
  // A cell that finished meanwhile is not the one that was meant.
  if (id !== running) return;
  // The byte would interrupt `cancelCell` itself.
  interrupt[0] = 0;
  cancelCell();
}

export function fire(id: number): void {
  shell.fire(id);
}

/** Puts a copy of a file of the user where cells may read it. */
export function putFile(name: string, bytes: ArrayBuffer): void {
  const path = `${DATA_FOLDER}/${name}`;
  python.FS.writeFile(path, new Uint8Array(bytes), { canOwn: true });
  python.FS.chmod(path, 0o444);
}

/**
 * Lets imports find packages.
 *
 * @param manifest  JSON of a PackageManifest
 * @param take  the host's: the archive of a package, or why there is none
 */
export function setPackages(manifest: string, take: (name: string) => ArrayBuffer | string): void {
  const store = (name: string, path: string): string => {
    const archive = take(`${name}`);
    if (typeof archive === "string") return archive;
    python.FS.writeFile(path, new Uint8Array(archive), { canOwn: true });
    return "";
  };
  setExplanation(openManifest(manifest, store));
}

/**
 * Looks for files that cells may have written, and for the user's own.
 *
 * @returns JSON of `[path, bytes, time of change]` of each
 */
export function listFiles(): string {
  const found: [string, number, number][] = [];
  const look = (folder: string, depth: number): void => {
    for (const name of python.FS.readdir(folder)) {
      if (name === "." || name === ".." || found.length >= MAX_FILES_LISTED) continue;
      if (folder.startsWith(DATA_FOLDER) && HIDDEN.test(name)) continue;
      const path = `${folder}/${name}`;
      const stat = python.FS.lstat(path);
      if (python.FS.isFile(stat.mode)) found.push([path, stat.size, Number(stat.mtime)]);
      else if (python.FS.isDir(stat.mode) && depth < MAX_DEPTH) look(path, depth + 1);
    }
  };
  for (const folder of WRITTEN_FOLDERS) {
    try {
      look(folder, 0);
    } catch {
      // The folders are the cells' own: one that is gone has no files.
    }
  }
  return JSON.stringify(found);
}

/** Copies a file into `target`. @returns its bytes, or -1 when they do not fit */
export function readFile(path: string, target: SharedArrayBuffer): number {
  const bytes = python.FS.readFile(path);
  if (bytes.length > target.byteLength) return -1;
  new Uint8Array(target).set(bytes);
  return bytes.length;
}
