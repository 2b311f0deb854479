/** Files of the user for the cells: read once, before anything is started, and handed over as copies. */

import type { FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { PythonFileError } from "../core/errors.ts";
import { messageOf } from "../core/text.ts";
import { freeName, safeFileName } from "./file-name.ts";
import { openForReading } from "./open-file.ts";
import { INPUT_LIMITS } from "./protocol.ts";

/** `name` is what the file is called in `/mnt/data`. */
export type InputFile = { readonly name: string; readonly bytes: Uint8Array };

const MIB = 1024 * 1024;

/** @throws PythonFileError for what is no file, cannot be read, or is more than the sandbox takes */
export async function readInputFiles(paths: readonly string[]): Promise<readonly InputFile[]> {
  const { files: most, totalBytes } = INPUT_LIMITS;
  if (paths.length > most) {
    throw new PythonFileError(
      "",
      `${paths.length} files were given for Python; at most ${most} are taken.`,
    );
  }
  const files: InputFile[] = [];
  let total = 0;
  for (const path of paths) {
    const bytes = await readInput(path);
    total += bytes.length;
    if (total > totalBytes) {
      throw new PythonFileError(
        path,
        `The files given for Python are more than ${totalBytes / MIB} MiB together, counted up to ${path}.`,
      );
    }
    const taken = (name: string): boolean => files.some((file) => file.name === name);
    const name = freeName(safeFileName(basename(path)), taken);
    if (name !== undefined) files.push({ name, bytes });
  }
  return files;
}

async function readInput(path: string): Promise<Uint8Array> {
  const { fileBytes } = INPUT_LIMITS;
  let handle: FileHandle | undefined;
  try {
    handle = await openForReading(path);
    const { size } = await handle.stat();
    if (size > fileBytes) throw tooLarge(path, `${(size / MIB).toFixed(1)} MiB`);
    return await readAll(handle, path);
  } catch (cause) {
    if (cause instanceof PythonFileError) throw cause;
    const why = messageOf(cause);
    throw new PythonFileError(path, `Cannot read ${path} for Python: ${why}.`, { cause });
  } finally {
    await handle?.close();
  }
}

/** To the end and not by the stated size: files of the system (`/proc`) state none, others may grow. */
async function readAll(handle: FileHandle, path: string): Promise<Uint8Array> {
  const { fileBytes } = INPUT_LIMITS;
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of handle.createReadStream({ autoClose: false, end: fileBytes })) {
    chunks.push(chunk);
    total += chunk.length;
    if (total > fileBytes) throw tooLarge(path, `more than ${fileBytes / MIB} MiB`);
  }
  return Buffer.concat(chunks);
}

function tooLarge(path: string, size: string): PythonFileError {
  return new PythonFileError(
    path,
    `${path} has ${size}; Python gets files of at most ${INPUT_LIMITS.fileBytes / MIB} MiB.`,
  );
}
