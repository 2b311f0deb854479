/** Files of the user for the cells: read once, before anything is started, and handed over as copies. */
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { PythonFileError } from "../core/errors.ts";
import { freeName, safeFileName } from "./file-name.ts";
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
    handle = await open(path, "r");
    const stat = await handle.stat();
    if (!stat.isFile())
      throw new PythonFileError(path, `${path} is no file that Python could get.`);
    if (stat.size > fileBytes) {
      throw new PythonFileError(
        path,
        `${path} has ${(stat.size / MIB).toFixed(1)} MiB; Python gets files of at most ${fileBytes / MIB} MiB.`,
      );
    }
    // No more than was measured, however the file grows meanwhile.
    const bytes = new Uint8Array(stat.size);
    let read = 0;
    while (read < bytes.length) {
      const { bytesRead } = await handle.read(bytes, read, bytes.length - read, read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return bytes.subarray(0, read);
  } catch (cause) {
    if (cause instanceof PythonFileError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PythonFileError(path, `Cannot read ${path} for Python: ${why}.`, { cause });
  } finally {
    await handle?.close();
  }
}
