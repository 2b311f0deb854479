/** Hostile plugin code in both layers: `npm run conformance -- plugins test/tools/plugin-attacks.ts`. */

import type { Area } from "./case-result.ts";
import { runPluginAttacks } from "./plugin-attacks.ts";

export const run: Area["run"] = (paths) => runPluginAttacks(paths, "both");
