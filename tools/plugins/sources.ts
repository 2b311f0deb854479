/** The modules of a plugin, read by the agent for the isolate, which can read nothing itself. */
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { openRegularFile } from "../core/read-file.ts";
import { MOST_SOURCE_BYTES, MOST_SOURCE_FILES } from "./limits.ts";
import { isWithin } from "./permissions.ts";

export type ReadSource = (path: string) => Promise<string>;

const MODULE = /\.(js|mjs|ts|mts|json)$/;

/**
 * A reader for one loading of the package in `folder`; it never gives more than a plugin may have.
 *
 * @returns a function that throws an error with a sentence for the plugin's author
 */
export function sourceReader(folder: string): ReadSource {
  let files = 0;
  let bytes = 0;
  return async (path) => {
    if (!MODULE.test(path)) {
      throw new Error(
        `${path} is no module; accepted: .js, .mjs, .ts, .mts, .json, with the ending.`,
      );
    }
    if (++files > MOST_SOURCE_FILES) {
      throw new Error(`it has more than ${MOST_SOURCE_FILES} modules; bundle them.`);
    }
    const found = await realpath(join(folder, path)).catch(() => null);
    if (found === null) throw new Error(`${path} does not exist in the plugin's folder.`);
    if (!isWithin(found, folder)) throw new Error(`${path} leads out of the plugin's folder.`);
    const file = await openRegularFile(found).catch(() => null);
    if (file === null) throw new Error(`${path} is no file that can be read.`);
    try {
      const { size } = await file.stat();
      bytes += size;
      if (bytes > MOST_SOURCE_BYTES) {
        throw new Error(`its modules have more than ${MOST_SOURCE_BYTES} bytes together.`);
      }
      return (await file.readFile()).subarray(0, size).toString("utf8");
    } finally {
      await file.close();
    }
  };
}
