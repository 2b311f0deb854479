/**
 * The command line of a supervised process: Node with as little as it needs.
 *
 * Contained by Node's permission model and the limits below: files (only what is named can be read,
 * nothing written), the environment (empty), processes, threads, native code, code made of strings (none),
 * memory (bounded). Node's documentation says that its permission model does not protect against malicious
 * code, and it does not cover sockets: hostile code belongs into an isolate inside of the process. What the
 * operating system adds to that is in `os-sandbox.ts`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { dirname, parse } from "node:path";
import { fileURLToPath } from "node:url";
import { findOsSandbox } from "./os-sandbox.ts";
import { type OsSandbox, osSandboxCommand } from "./os-sandbox-command.ts";

export type ProcessLimits = {
  /** Resident memory at which the process ends itself (see `ipc-client.ts`); watched everywhere. */
  readonly residentBytes: number;
  /**
   * RLIMIT_DATA, Linux only: writable private memory, used or not. Not RLIMIT_AS: WebAssembly reserves
   * tens of gigabytes of addresses. A process with an isolate starts at 1.4 GB.
   */
  readonly dataBytes: number;
  /** JavaScript objects of the process itself; isolates have limits of their own. */
  readonly heapMb: number;
  /** Pages of 64 KiB that one WebAssembly memory may have. Node itself needs some to read TypeScript. */
  readonly wasmPages: number;
};

export type LaunchOptions = {
  /** The module that the process runs. */
  readonly entry: URL;
  /** JSON for the process, as its only argument. */
  readonly setup: unknown;
  /** Files and folders it may read beside this folder and the entry's. */
  readonly readable: readonly string[];
  /**
   * The binary of isolated-vm, for a process that loads it (`loadIsolatedVm`). Without it native code is
   * refused: it would run outside of the permission model.
   */
  readonly addon?: string | undefined;
  readonly limits: ProcessLimits;
  /** Default: the strongest that works here. */
  readonly osSandbox?: OsSandbox;
};

/** A process could not be launched, for a reason that has nothing to do with what it runs. */
export class LaunchError extends Error {
  override name = "LaunchError";
}

/**
 * @returns the process; without its pipes when the system could not make them, and then it has an `error`
 *   event to come
 * @throws LaunchError, OsSandboxTrialError, the system's error when no process can be started
 */
export function launch(options: LaunchOptions): ChildProcess {
  const { limits, addon } = options;
  const entry = fileURLToPath(options.entry);
  const own = dirname(fileURLToPath(import.meta.url));
  const folders = [own, dirname(entry), ...options.readable];
  const readable = [...new Set(addon === undefined ? folders : [...folders, addon])];
  const node = [
    process.execPath,
    "--permission",
    ...(addon === undefined ? [] : ["--allow-addons"]),
    ...readable.map((path) => `--allow-fs-read=${withoutWildcard(path)}`),
    ...OUTSIDE_PERMISSIONS,
    "--disallow-code-generation-from-strings",
    // Node's own start-up snapshot and isolated-vm do not go together.
    "--no-node-snapshot",
    `--max-old-space-size=${limits.heapMb}`,
    `--wasm-max-mem-pages=${limits.wasmPages}`,
    "--no-warnings",
    entry,
    JSON.stringify({ residentBytes: limits.residentBytes, setup: options.setup }),
  ];
  const [command = "", ...args] = osSandboxCommand(node, {
    osSandbox: options.osSandbox ?? findOsSandbox(),
    readable,
    dataBytes: limits.dataBytes,
  });
  return spawn(command, args, {
    // Nothing in it can be read or written; a folder of its own would be left behind by a hard end.
    cwd: parse(process.execPath).root,
    env: {},
    stdio: ["pipe", "pipe", "pipe"],
    // Ctrl-C in a terminal goes to the whole group; what it means for a call, the agent decides.
    detached: process.platform !== "win32",
    windowsHide: true,
  });
}

/** `node:sqlite` opens any file of the user: the permission model does not cover it. */
const OUTSIDE_PERMISSIONS = ["--no-experimental-sqlite", "--no-experimental-webstorage"].filter(
  (flag) => process.allowedNodeEnvironmentFlags.has(flag),
);

/** @throws LaunchError */
function withoutWildcard(path: string): string {
  if (!path.includes("*")) return path;
  throw new LaunchError(
    `it would have to read ${path}, and Node's permission model takes the * in it for a wildcard; a path without * is needed`,
  );
}
