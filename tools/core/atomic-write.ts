/** Files that other processes read while they are written: each sees the old content or the new one. */
import { open, rename, rm } from "node:fs/promises";
import { writerName } from "./writer-name.ts";

/** Ends the names of files that are being written; one that a killed writer left behind is of no use. */
export const TEMPORARY_SUFFIX = ".tmp";

/**
 * Writes a new file beside the target and renames it. A link in the target's place is replaced, not
 * followed.
 *
 * @param mode  of the new file; default: its user may read and write it
 * @throws the file system's error; the target is then as it was, and nothing is left beside it
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  const temporary = `${path}.${writerName()}${TEMPORARY_SUFFIX}`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(content);
      // Else a crash of the machine can leave an empty file under the target's name.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
