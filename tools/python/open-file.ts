/** Opens a path that the user named. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/**
 * Without waiting: opening a pipe would wait for its other end, in a thread that nothing can interrupt.
 *
 * @throws Error where it cannot be opened, or is no file: a folder, a pipe, a device
 */
export async function openForReading(path: string): Promise<FileHandle> {
  // Windows has no such flag.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error("it is a folder, a pipe or a device and no file");
}
