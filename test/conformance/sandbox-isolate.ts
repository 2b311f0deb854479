/** The attacks of `sandbox` with the isolate as the only layer: an ordinary Node process around it. */
import type { Area } from "./case-result.ts";
import { replaceLaunch } from "./replace-launch.ts";

export const run: Area["run"] = async function* (paths) {
  replaceLaunch("bare-launch.ts");
  const { runAttacks } = await import("./attacks.ts");
  yield* runAttacks(paths, "isolate");
};
