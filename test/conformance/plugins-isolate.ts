/** Hostile plugin code behind the isolate alone, in an ordinary Node process: `npm run conformance -- plugins-isolate test/tools/plugin-attacks.ts`. */

import type { Area } from "./case-result.ts";
import { runPluginAttacks } from "./plugin-attacks.ts";

export const run: Area["run"] = (paths) => runPluginAttacks(paths, "isolate");
