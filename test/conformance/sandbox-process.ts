/** The attacks of `sandbox` with the process as the only layer: Pyodide runs in it without an isolate. */
import type { Area } from "./case-result.ts";
import { replaceLaunch } from "./replace-launch.ts";

export const run: Area["run"] = async function* (paths) {
  replaceLaunch("process-only-launch.ts");
  const { runAttacks } = await import("./attacks.ts");
  yield* runAttacks(paths, "process");
};
