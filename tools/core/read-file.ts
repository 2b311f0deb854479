/**
 * Files that a person or a manifest names. Opening a pipe blocks a thread until another program opens it
 * too, which may be never, and then even the end of the program waits for that thread; so everything is
 * opened without blocking, and looked at before it is read.
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { ToolsError } from "./errors.ts";
import { formatBytes } from "./text.ts";

/** A path that leads to something else than was asked for, or to more than is read. */
export class FileReadError extends ToolsError {
  readonly path: string;

  constructor(path: string, problem: string) {
    super("CHORALE_FILE_READ", `${path} ${problem}`);
    this.path = path;
  }
}

/** How long a pipe rests that has nothing to read at the moment. */
const PIPE_REST_MS = 20;
const CHUNK_BYTES = 64 * 1024;

/**
 * Opens a regular file for reading.
 *
 * @throws FileReadError for anything else; the system's error where nothing can be opened
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  const file = await openWithoutBlocking(path);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) {
      throw new FileReadError(path, `is ${kindOf(stats)}; accepted: a regular file.`);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The content of a regular file, also of one whose size the system does not say (in `/proc`).
 *
 * @throws FileReadError for anything else, or for more than `limitBytes`; the system's error
 */
export async function readRegularFile(path: string, limitBytes: number): Promise<Buffer> {
  const file = await openRegularFile(path);
  try {
    return await readToEnd(file, path, limitBytes);
  } finally {
    await file.close();
  }
}

/**
 * The content of a regular file or of a pipe, as a shell's `<(command)` makes them.
 *
 * @param signal  ends the wait for a pipe's other end
 * @throws FileReadError for a folder, a device or a socket, for more than `limitBytes`, and for a pipe that
 *   no program writes to; the signal's reason; the system's error
 */
export async function readFileOrPipe(
  path: string,
  limitBytes: number,
  signal?: AbortSignal,
): Promise<Buffer> {
  const file = await openWithoutBlocking(path);
  try {
    const stats = await file.stat();
    if (!stats.isFile() && !stats.isFIFO()) {
      throw new FileReadError(path, `is ${kindOf(stats)}; accepted: a regular file or a pipe.`);
    }
    const content = await readToEnd(file, path, limitBytes, signal);
    if (stats.isFIFO() && content.length === 0) {
      throw new FileReadError(path, "is a pipe that no program writes to.");
    }
    return content;
  } finally {
    await file.close();
  }
}

function openWithoutBlocking(path: string): Promise<FileHandle> {
  // Windows has no such flag, nor pipes among its files.
  const { O_RDONLY, O_NONBLOCK = 0 } = constants;
  return open(path, O_RDONLY | O_NONBLOCK);
}

async function readToEnd(
  file: FileHandle,
  path: string,
  limitBytes: number,
  signal?: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let held = 0;
  for (;;) {
    signal?.throwIfAborted();
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let bytesRead: number;
    try {
      ({ bytesRead } = await file.read(chunk, 0, chunk.length, null));
    } catch (error) {
      // The writer is there and has not written yet.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      await delay(PIPE_REST_MS, undefined, { ...(signal && { signal }) });
      continue;
    }
    if (bytesRead === 0) return Buffer.concat(chunks, held);
    held += bytesRead;
    if (held > limitBytes) {
      throw new FileReadError(
        path,
        `has more than ${formatBytes(limitBytes)}, the most that is read.`,
      );
    }
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}
