/**
 * The command line of a supervised process: Node with as little as it needs.
 *
 * Contained by Node's permission model and the limits below: files (only what is named can be read,
 * nothing written), the environment (empty), processes, threads, code made of strings (none), memory
 * (bounded). Node's documentation says of its permission model that it is no wall against malicious code,
 * and it does not cover sockets: whatever is hostile belongs into an isolate inside of the process.
 * What the system adds to that is in `os-sandbox.ts`.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { dirname, parse } from "node:path";
import { fileURLToPath } from "node:url";
import { findOsSandbox, type OsSandbox, osSandboxCommand } from "./os-sandbox.ts";

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
  /** The TypeScript module that the process runs. */
  readonly entry: URL;
  /** JSON for the process, as its only argument. */
  readonly setup: unknown;
  /** Files and folders it may read beside this folder and the entry's. */
  readonly readable: readonly string[];
  readonly limits: ProcessLimits;
  /** Default: the strongest that works here. */
  readonly osSandbox?: OsSandbox;
};

/**
 * @returns the process, with its pipes
 * @throws the system's error when no process can be started (also by the `error` event)
 */
export function launch(options: LaunchOptions): ChildProcessWithoutNullStreams {
  const entry = fileURLToPath(options.entry);
  const own = dirname(fileURLToPath(import.meta.url));
  const readable = new Set([own, dirname(entry), ...options.readable]);
  const { limits } = options;
  const node = [
    process.execPath,
    "--permission",
    // For isolated-vm. Nothing that could be loaded can be written.
    "--allow-addons",
    ...[...readable].map((path) => `--allow-fs-read=${path}`),
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
    readable: [...readable],
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
