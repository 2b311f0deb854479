/** The attacks of `sandbox` with the isolate as the only wall: an ordinary Node process around it. */

import { runAttacks } from "./attacks.ts";
import type { Area } from "./case-result.ts";

export const run: Area["run"] = (paths) => runAttacks(paths, "isolate");
