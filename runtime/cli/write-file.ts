/** A file that a command writes whole: others see the old one or the new one, and never a part. */
import { randomUUID } from "node:crypto";
import { accessSync, constants, type Stats } from "node:fs";
import { realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { messageOf, RunError, UsageError } from "../errors.ts";

/**
 * Refuses a file that cannot be written, before the work for it is done.
 * @param flag that named it, as the sentence begins
 * @throws UsageError
 */
export async function checkWritable(path: string, flag: string): Promise<void> {
  const found = await statOrNull(path);
  if (found?.isDirectory()) throw new UsageError(`${flag} ${path} is a folder; name a file.`);
  const folder = dirname(resolve(path));
  try {
    accessSync(found === null ? folder : path, constants.W_OK);
    if (found?.isFile()) accessSync(folder, constants.W_OK);
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const why = isMissing ? `there is no folder ${folder}` : messageOf(cause);
    throw new UsageError(`${flag} ${path} cannot be written: ${why}.`, { cause });
  }
}

/**
 * Writes a temporary file beside it and renames that; through symbolic links, and into a device or pipe directly.
 * @param flag that named it, as the sentence begins
 * @throws RunError with the code CHORALE_FILE_WRITE
 */
export async function writeWhole(path: string, text: string, flag: string): Promise<void> {
  try {
    const found = await statOrNull(path);
    if (found !== null && !found.isFile()) {
      await writeFile(path, text);
      return;
    }
    const target = found === null ? resolve(path) : await realpath(path);
    const temporary = `${target}.${randomUUID().slice(0, 8)}.part`;
    try {
      await writeFile(temporary, text, { flag: "wx", flush: true, mode: found?.mode ?? 0o666 });
      await rename(temporary, target);
    } finally {
      await rm(temporary, { force: true });
    }
  } catch (cause) {
    throw new RunError(
      "CHORALE_FILE_WRITE",
      `${flag} ${path} cannot be written: ${messageOf(cause)}.`,
      { cause },
    );
  }
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch {
    return null;
  }
}
