/** The attacks of `sandbox` with the process as the only wall: Pyodide runs in it without an isolate. */

import { runAttacks } from "./attacks.ts";
import type { Area } from "./case-result.ts";

export const run: Area["run"] = (paths) => runAttacks(paths, "process");
