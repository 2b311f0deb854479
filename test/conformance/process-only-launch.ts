/** The interpreter's process as it is, with Pyodide on its main thread instead of in an isolate. */
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type LaunchOptions, launch as launchSandboxed } from "../../tools/isolate/launch.ts";

export function launch(options: LaunchOptions): ChildProcess {
  return launchSandboxed({
    ...options,
    entry: new URL("./process-only-child.ts", import.meta.url),
    readable: [...options.readable, fileURLToPath(new URL("../../tools/python", import.meta.url))],
  });
}
