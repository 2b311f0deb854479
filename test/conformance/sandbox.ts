/**
 * Attacks of model-written Python on this machine, each as a cell of a fresh session, against real
 * canaries: `npm run conformance -- sandbox attacks.json`. The areas `sandbox-isolate` and
 * `sandbox-process` run the same against one layer alone, to see which layer holds what.
 */

import { runAttacks } from "./attacks.ts";
import type { Area } from "./case-result.ts";

export const run: Area["run"] = (paths) => runAttacks(paths, "both");
