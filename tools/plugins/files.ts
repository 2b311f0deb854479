/**
 * The files that a plugin may touch. A path is judged by where it really leads: links are followed first,
 * and the file that was opened is compared with the one that was judged.
 */
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { CapabilityError } from "./errors.ts";
import { type GrantedPermissions, isWithin } from "./permissions.ts";

export type PluginFiles = {
  read(path: string, as: "utf8" | "base64"): Promise<string>;
  write(path: string, text: string): Promise<void>;
  list(path: string): Promise<readonly { name: string; kind: "file" | "folder" | "other" }[]>;
};

const LONGEST_PATH = 4096;
const MOST_READ_BYTES = 512 * 1024;
const MOST_WRITTEN_BYTES = 64 * 1024 * 1024;
const MOST_ENTRIES = 2000;
const NEW_FILE_MODE = 0o600;

/** @param folder  what relative paths are relative to */
export function createPluginFiles(
  { read, write }: GrantedPermissions["fs"],
  folder: string,
): PluginFiles {
  // Who may write a file may read it.
  const readable = [...read, ...write];
  let written = 0;

  return {
    async read(path, as) {
      const file = await openRegular(await existing(absolute(path), readable, "read"), "read");
      try {
        const { size } = await file.stat();
        if (size > MOST_READ_BYTES) {
          throw refused(path, `it has ${size} bytes; at most ${MOST_READ_BYTES} are read.`);
        }
        return (await file.readFile()).subarray(0, MOST_READ_BYTES).toString(as);
      } finally {
        await file.close();
      }
    },

    async write(path, text) {
      const bytes = Buffer.from(text, "utf8");
      written += bytes.length;
      if (written > MOST_WRITTEN_BYTES) {
        throw refused(path, `more than ${MOST_WRITTEN_BYTES} bytes were written in all.`);
      }
      const file = await openRegular(await writablePlace(absolute(path), write), "write");
      try {
        await file.truncate(0);
        await file.writeFile(bytes);
      } finally {
        await file.close();
      }
    },

    async list(path) {
      const found = await existing(absolute(path), readable, "read");
      const entries = await readdir(found, { withFileTypes: true }).catch(() => {
        throw refused(path, "it is no folder.");
      });
      if (entries.length > MOST_ENTRIES) {
        throw refused(
          path,
          `it has ${entries.length} entries; at most ${MOST_ENTRIES} are listed.`,
        );
      }
      return entries.map((entry) => ({
        name: entry.name,
        kind: entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other",
      }));
    },
  };

  function absolute(path: string): string {
    if (path.includes("\0") || path.length > LONGEST_PATH) throw refused(path, "it is no path.");
    return resolve(folder, path);
  }
}

/**
 * Where a path really leads, if that is within one of the roots. Paths outside are refused without a look
 * at them: not even their existence is the plugin's to know.
 */
async function existing(
  path: string,
  roots: readonly string[],
  purpose: "read" | "write",
): Promise<string> {
  if (!roots.some((root) => isWithin(path, root))) throw notGranted(path, purpose);
  const found = await realpath(path).catch(() => null);
  if (found === null) throw refused(path, "it does not exist.");
  for (const root of roots) {
    const real = await realpath(root).catch(() => null);
    if (real !== null && isWithin(found, real)) return found;
  }
  throw notGranted(path, purpose);
}

/** A file that may be there or not, in a folder that is; never a link, never one with a second name. */
async function writablePlace(path: string, roots: readonly string[]): Promise<string> {
  if (!roots.some((root) => isWithin(path, root))) throw notGranted(path, "write");
  const folder = await realpath(dirname(path)).catch(() => null);
  if (folder === null) throw refused(path, "its folder does not exist.");
  const place = join(folder, basename(path));
  const real = await Promise.all(roots.map(realRoot));
  if (!real.some((root) => root !== null && isWithin(place, root))) throw notGranted(path, "write");
  const found = await lstat(place).catch(() => null);
  if (found !== null && (!found.isFile() || found.nlink > 1)) {
    throw refused(path, "only plain files with one name are replaced.");
  }
  return place;
}

/** A granted file may not exist yet; its folder must. */
async function realRoot(root: string): Promise<string | null> {
  const found = await realpath(root).catch(() => null);
  if (found !== null) return found;
  const folder = await realpath(dirname(root)).catch(() => null);
  return folder === null ? null : join(folder, basename(root));
}

async function openRegular(path: string, purpose: "read" | "write"): Promise<FileHandle> {
  const { O_RDONLY, O_WRONLY, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const flags = purpose === "read" ? O_RDONLY : O_WRONLY | O_CREAT;
  let file: FileHandle;
  try {
    // Devices and pipes would block before they can be told from files.
    file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK, NEW_FILE_MODE);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    throw refused(path, `it cannot be opened (${code}).`, cause);
  }
  try {
    const opened = await file.stat();
    if (!opened.isFile()) throw refused(path, "it is no plain file.");
    if (process.platform === "linux") {
      // Had a folder on the way been replaced by a link since it was judged, this would differ.
      const really = await readlink(`/proc/self/fd/${file.fd}`).catch(() => path);
      if (really !== path) throw notGranted(path, purpose);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function notGranted(path: string, purpose: "read" | "write"): CapabilityError {
  return refused(path, `it is not granted; the user can with --grant fs:${purpose}:PATH.`);
}

function refused(path: string, problem: string, cause?: unknown): CapabilityError {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  return new CapabilityError(`${JSON.stringify(shown)} was not touched: ${problem}`, { cause });
}
