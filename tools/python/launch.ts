/**
 * Starts the interpreter's process with as little as it needs.
 *
 * Contained by Node's permission model and the options below: files (only its own sources, Pyodide and the
 * snapshot can be read, nothing written), the environment (empty), processes and native add-ons (none),
 * code made of strings (none), memory (bounded). Not contained: JavaScript's sockets, in case code breaks
 * out of Python; Node's documentation says of its permission model that it is no wall against malicious
 * code. An isolate inside of this process is to be that wall.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, parse } from "node:path";
import { fileURLToPath } from "node:url";
import type { ChildSetup } from "./child.ts";

const MIB = 1024 * 1024;
/** Resident memory of a fresh interpreter is 0.2 GB; the rest is for what cells hold. */
const MEMORY_LIMIT_BYTES = 1024 * MIB;
/** Python's own memory: 512 MiB in pages of 64 KiB. Beyond it, Python raises MemoryError. */
const WASM_PAGES = 8192;
const HEAP_MB = 256;
/**
 * RLIMIT_DATA in KiB. A fresh interpreter has 1.3 GB of writable memory mapped (not used); the rest is
 * what cells may add. Not RLIMIT_AS: WebAssembly reserves tens of gigabytes of addresses.
 */
const DATA_LIMIT_KIB = 2400 * 1024;

export const PYODIDE: { readonly folder: string; readonly version: string } = locatePyodide();

function locatePyodide(): { folder: string; version: string } {
  const manifest = createRequire(import.meta.url).resolve("pyodide/package.json");
  return {
    folder: dirname(manifest),
    version: JSON.parse(readFileSync(manifest, "utf8")).version,
  };
}

/**
 * @returns the process, with its pipes
 * @throws the system's error when no process can be started (also by the `error` event)
 */
export function launch(
  setup: Pick<ChildSetup, "snapshotFile" | "makeSnapshot">,
): ChildProcessWithoutNullStreams {
  const sources = dirname(fileURLToPath(import.meta.url));
  const full: ChildSetup = {
    ...setup,
    pyodideFolder: PYODIDE.folder,
    memoryLimitBytes: MEMORY_LIMIT_BYTES,
  };
  const readable = [
    sources,
    join(dirname(sources), "isolate"),
    PYODIDE.folder,
    ...(setup.snapshotFile ? [setup.snapshotFile] : []),
  ];
  const node = [
    process.execPath,
    "--permission",
    "--allow-worker",
    ...readable.map((path) => `--allow-fs-read=${path}`),
    "--disallow-code-generation-from-strings",
    `--max-old-space-size=${HEAP_MB}`,
    `--wasm-max-mem-pages=${WASM_PAGES}`,
    "--no-warnings",
    join(sources, "child.ts"),
    JSON.stringify(full),
  ];
  const [command = "", ...args] = process.platform === "linux" ? withLimits(node) : node;
  return spawn(command, args, {
    // Nothing in it can be read or written; a folder of its own would be left behind by a hard end.
    cwd: parse(process.execPath).root,
    env: {},
    stdio: ["pipe", "pipe", "pipe"],
    // Ctrl-C in a terminal goes to the whole group; what it means for a cell, the agent decides.
    detached: process.platform !== "win32",
    windowsHide: true,
  });
}

/**
 * No core dumps, no files, few descriptors, bounded memory. One limit per call: dash takes no more. A limit
 * that the system refuses is left out; the child watches its memory in any case.
 */
function withLimits(command: readonly string[]): string[] {
  const script = `ulimit -c 0; ulimit -f 0; ulimit -n 64; ulimit -d ${DATA_LIMIT_KIB}; exec "$@"`;
  return ["/bin/sh", "-c", script, "sh", ...command];
}
