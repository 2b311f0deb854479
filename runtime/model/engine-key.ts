/** Keys of servers, from files. */
import { stat } from "node:fs/promises";
import { readFileOrPipe } from "../../tools/index.ts";
import { messageOf, UsageError } from "../errors.ts";

const MAX_KEY_BYTES = 64 << 10;

/**
 * @returns the key in a file
 * @throws UsageError where there is none, or others may read the file
 */
export async function readEngineKey(path: string): Promise<string> {
  let mode: number;
  let text: string;
  try {
    mode = (await stat(path)).mode;
    text = (await readFileOrPipe(path, MAX_KEY_BYTES)).toString("utf8");
  } catch (cause) {
    throw new UsageError(
      `The file of the engine's key, ${path}, cannot be read: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new UsageError(
      `The file of the engine's key, ${path}, may be read by others (mode ${(mode & 0o777).toString(8)}); ` +
        `accepted: chmod 600 ${path}.`,
    );
  }
  const key = text.trim();
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new UsageError(
    `The file of the engine's key, ${path}, holds no key; accepted: one line without spaces.`,
  );
}
