/** Where the interpreter's process finds what it needs, and its limits. */
import { PythonUnavailableError } from "../core/errors.ts";
import {
  findIsolatedVm,
  missingPackage,
  type ProcessLimits,
  type SupervisedChildOptions,
} from "../isolate/index.ts";
import type { SessionPackages } from "./packages/session-packages.ts";
import { ARTIFACT_LIMITS, type ChildSetup } from "./protocol.ts";
import { findPyodide, installedPyodide } from "./pyodide.ts";
import { SNAPSHOT_LIMIT_BYTES } from "./snapshot.ts";

const MIB = 1024 * 1024;

const LIMITS: ProcessLimits = {
  /** A fresh interpreter has 0.3 GB; the rest is for what cells hold. */
  residentBytes: 1024 * MIB,
  /** A fresh interpreter has mapped 1.5 GB (not used); the rest is what cells may add. */
  dataBytes: 2500 * MIB,
  heapMb: 256,
  /** Python's own memory: 512 MiB. Beyond it, Python raises MemoryError. */
  wasmPages: 8192,
};

/** Why there can be no Python on this machine, as a sentence; null when there can be. */
export function pythonProblem(): string | null {
  if (findPyodide() === null) return `Python is off. ${missingPackage("pyodide")}`;
  const binary = findIsolatedVm();
  return binary.path === null
    ? `Python is off: its sandbox needs isolated-vm. ${binary.problem}`
    : null;
}

/** @throws PythonUnavailableError where pyodide is not installed, or isolated-vm has no binary */
export function launchOptions(
  setup: Pick<ChildSetup, "snapshotFile" | "makeSnapshot">,
  packages?: SessionPackages,
): SupervisedChildOptions {
  const binary = findIsolatedVm();
  if (binary.path === null) throw new PythonUnavailableError(pythonProblem() ?? "");
  const pyodide = installedPyodide();
  const full: ChildSetup = {
    ...setup,
    addon: binary.path,
    pyodideFolder: pyodide.folder,
    packageBytes: (packages?.packages ?? []).reduce((sum, one) => sum + one.unpackedBytes, 0),
  };
  return {
    entry: new URL("./child.ts", import.meta.url),
    setup: full,
    addon: binary.path,
    readable: [
      pyodide.folder,
      ...(setup.snapshotFile ? [setup.snapshotFile] : []),
      ...(packages?.readable ?? []),
    ],
    limits: LIMITS,
    bytesLimit: setup.makeSnapshot ? SNAPSHOT_LIMIT_BYTES : ARTIFACT_LIMITS.fileBytes,
  };
}
