/**
 * A process without permissions, limits and sandbox, with the agent's environment: what is in its isolate
 * has that alone around it, as if it were in the agent's process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { LaunchOptions } from "../../tools/isolate/launch.ts";

/** Without its limits an isolate could take the whole machine's memory. */
const RESIDENT_BYTES = 2500 * 1024 * 1024;

export function launch({ entry, setup }: LaunchOptions): ChildProcess {
  const argument = JSON.stringify({ residentBytes: RESIDENT_BYTES, setup });
  const args = ["--no-node-snapshot", "--no-warnings", fileURLToPath(entry), argument];
  return spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
}
