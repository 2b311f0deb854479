/**
 * The lock file: which packages are built for this Python, what each needs, and the hash of its file.
 * Pyodide brings its own; one of the same form can stand in for it (as `micropip.freeze()` writes them).
 */

import { join } from "node:path";
import { messageOf } from "../../core/text.ts";
import { openForReading } from "../open-file.ts";
import { installedPyodide } from "../pyodide.ts";
import { lockError } from "./errors.ts";

/** Shared libraries lie apart from Python's packages, where the loader of libraries looks. */
export type PackagePlace = "site" | "dynlib";

export type LockedPackage = {
  /** Normalised. */
  readonly name: string;
  readonly version: string;
  /** On a mirror. Never a path. */
  readonly fileName: string;
  readonly sha256: string;
  readonly depends: readonly string[];
  /** What a program writes after `import`. */
  readonly imports: readonly string[];
  readonly place: PackagePlace;
};

export type PackageLock = {
  readonly path: string;
  /** By normalised name. */
  readonly packages: ReadonlyMap<string, LockedPackage>;
};

/** Pyodide's has 119 KB. */
const MAX_BYTES = 16 * 1024 * 1024;

const pyodideLock = (): string => join(installedPyodide().folder, "pyodide-lock.json");

/** The same name however it is written. Source: PEP 503. */
export function normaliseName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

/**
 * @param path  default: Pyodide's own
 * @throws PackageError for one that cannot be read, is none, or is for another Python
 */
export async function readLock(path: string = pyodideLock()): Promise<PackageLock> {
  const lock = await readDocument(path);
  const packages = lock["packages"];
  if (!isObject(packages)) throw lockError(path, "it has no packages");
  if (path !== pyodideLock()) await checkSamePython(lock, path);
  const found = new Map<string, LockedPackage>();
  for (const [key, entry] of Object.entries(packages)) {
    const one = lockedPackage(entry);
    if (one === undefined) {
      throw lockError(path, `its entry ${JSON.stringify(key)} is not of its form`);
    }
    found.set(one.name, one);
  }
  return { path, packages: found };
}

async function checkSamePython(lock: Record<string, unknown>, path: string): Promise<void> {
  const own = (await readDocument(pyodideLock()))["info"];
  const { info } = lock as { info?: unknown };
  const abi = (of: unknown): string =>
    isObject(of) ? `${of["python"]} ${of["arch"]} ${of["abi_version"]}` : "unknown";
  if (abi(info) !== abi(own)) {
    throw lockError(path, `it is for Python ${abi(info)}, and this is ${abi(own)}`);
  }
}

async function readDocument(path: string): Promise<Record<string, unknown>> {
  let document: unknown;
  try {
    await using file = await openForReading(path);
    const { size } = await file.stat();
    if (size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
    document = JSON.parse(await file.readFile("utf8"));
  } catch (cause) {
    throw lockError(path, messageOf(cause), cause);
  }
  if (!isObject(document)) throw lockError(path, "it holds no object");
  return document;
}

/** A name and nothing else: it becomes part of a path and of a URL. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,200}\.(?:whl|zip)$/;
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?$/;
const VERSION = /^[A-Za-z0-9.+!_-]{1,100}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const MODULE = /^[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*$/u;

/** @returns undefined for an entry that is not of the form of pyodide-lock.json */
export function lockedPackage(entry: unknown): LockedPackage | undefined {
  if (!isObject(entry)) return undefined;
  const { name, version, file_name, sha256, depends, imports, install_dir } = entry;
  const texts = (list: unknown): list is string[] =>
    Array.isArray(list) && list.length <= 1000 && list.every((one) => typeof one === "string");
  const matches = (value: unknown, form: RegExp): value is string =>
    typeof value === "string" && form.test(value);
  if (
    typeof name !== "string" ||
    !NAME.test(normaliseName(name)) ||
    !matches(version, VERSION) ||
    !matches(file_name, FILE_NAME) ||
    !matches(sha256, SHA256) ||
    !texts(depends) ||
    !depends.every((one) => NAME.test(normaliseName(one))) ||
    !texts(imports) ||
    (install_dir !== "site" && install_dir !== "dynlib")
  ) {
    return undefined;
  }
  return {
    name: normaliseName(name),
    version,
    fileName: file_name,
    sha256,
    depends: depends.map(normaliseName),
    // Pyodide's lock file has some that Python cannot import (`matplotlib-inline`).
    imports: imports.filter((one) => MODULE.test(one)),
    place: install_dir,
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
