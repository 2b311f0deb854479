/** Hostile plugin code in the process alone, on its main thread: `npm run conformance -- plugins-process test/tools/plugin-attacks.ts`. */

import type { Area } from "./case-result.ts";
import { runPluginAttacks } from "./plugin-attacks.ts";

export const run: Area["run"] = (paths) => runPluginAttacks(paths, "process");
