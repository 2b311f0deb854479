/** Hostile plugin code in the isolate alone, in an ordinary Node process: `npm run conformance -- plugins-isolate test/tools/plugin-attacks.ts`. */
import type { Area } from "./case-result.ts";
import { replaceLaunch } from "./replace-launch.ts";

export const run: Area["run"] = async function* (paths) {
  replaceLaunch("bare-launch.ts");
  const { runPluginAttacks } = await import("./plugin-attacks.ts");
  yield* runPluginAttacks(paths, "isolate");
};
