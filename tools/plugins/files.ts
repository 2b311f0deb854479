/**
 * The files that a plugin may touch. A path is judged by where it really leads: links are followed first.
 * Then the folder is opened, and what is done is done below that descriptor, so that a folder that another
 * program puts into the place of the judged one changes nothing.
 */
import { constants } from "node:fs";
import { type FileHandle, open, readdir, readlink, realpath, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { CapabilityError } from "./errors.ts";
import { type GrantedPermissions, isWithin } from "./permissions.ts";

export type PluginFiles = {
  read(path: string, as: "utf8" | "base64"): Promise<string>;
  write(path: string, text: string): Promise<void>;
  list(path: string): Promise<readonly { name: string; kind: "file" | "folder" | "other" }[]>;
};

type Purpose = "read" | "write";

const LONGEST_PATH = 4096;
const MOST_READ_BYTES = 512 * 1024;
const MOST_WRITTEN_BYTES = 64 * 1024 * 1024;
const MOST_ENTRIES = 2000;
const NEW_FILE_MODE = 0o600;
const NOT_REPLACED = "only plain files with one name are replaced.";
/** Windows knows none of the last three. */
const {
  O_RDONLY,
  O_WRONLY,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW = 0,
  O_NONBLOCK = 0,
  O_DIRECTORY = 0,
} = constants;

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
      const found = await existing(absolute(path), readable);
      return below(dirname(found), "read", async (parent) => {
        const file = await openPlain(parent, found, "read");
        try {
          const { size } = await file.stat();
          if (size > MOST_READ_BYTES) {
            throw refused(path, `it has ${size} bytes; at most ${MOST_READ_BYTES} are read.`);
          }
          return (await file.readFile()).subarray(0, MOST_READ_BYTES).toString(as);
        } finally {
          await file.close();
        }
      });
    },

    async write(path, text) {
      const bytes = Buffer.from(text, "utf8");
      written += bytes.length;
      if (written > MOST_WRITTEN_BYTES) {
        throw refused(path, `more than ${MOST_WRITTEN_BYTES} bytes were written in all.`);
      }
      const place = await writablePlace(absolute(path), write);
      await below(dirname(place), "write", async (parent) => {
        const file = await openPlain(parent, place, "write");
        try {
          await file.truncate(0);
          await file.writeFile(bytes);
        } finally {
          await file.close();
        }
      });
    },

    async list(path) {
      const found = await existing(absolute(path), readable);
      const entries = await below(found, "read", (opened) =>
        readdir(opened, { withFileTypes: true }),
      );
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
async function existing(path: string, roots: readonly string[]): Promise<string> {
  if (!roots.some((root) => isWithin(path, root))) throw notGranted(path, "read");
  const found = await realpath(path).catch(() => null);
  if (found === null) throw refused(path, "it does not exist.");
  for (const root of roots) {
    const real = await realpath(root).catch(() => null);
    if (real !== null && isWithin(found, real)) return found;
  }
  throw notGranted(path, "read");
}

/** The place of a file that may be there or not, in a folder that is. */
async function writablePlace(path: string, roots: readonly string[]): Promise<string> {
  if (!roots.some((root) => isWithin(path, root))) throw notGranted(path, "write");
  const folder = await realpath(dirname(path)).catch(() => null);
  if (folder === null) throw refused(path, "its folder does not exist.");
  const place = join(folder, basename(path));
  const real = await Promise.all(roots.map(realRoot));
  if (!real.some((root) => root !== null && isWithin(place, root))) throw notGranted(path, "write");
  return place;
}

/** A granted file may not exist yet; its folder must. */
async function realRoot(root: string): Promise<string | null> {
  const found = await realpath(root).catch(() => null);
  if (found !== null) return found;
  const folder = await realpath(dirname(root)).catch(() => null);
  return folder === null ? null : join(folder, basename(root));
}

/**
 * Opens a folder, makes sure that it is the one of that path, and hands over a path that leads below the
 * opened folder, also when the names above it change. Only Linux has such paths; elsewhere it is the
 * path itself, which is looked at once more afterwards.
 *
 * @param folder  a real path
 */
async function below<T>(
  folder: string,
  purpose: Purpose,
  use: (path: string) => Promise<T>,
): Promise<T> {
  let opened: FileHandle;
  try {
    opened = await open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (cause) {
    throw refused(folder, "it is no folder that can be opened.", cause);
  }
  try {
    const descriptor = `/proc/self/fd/${opened.fd}`;
    const really = await readlink(descriptor).catch(() => null);
    if (really !== null) {
      if (really !== folder) throw notGranted(folder, purpose);
      return await use(descriptor);
    }
    const result = await use(folder);
    if (!(await isStillAt(opened, folder))) throw notGranted(folder, purpose);
    return result;
  } finally {
    await opened.close();
  }
}

/** @param path  a real path, when it was found */
async function isStillAt(opened: FileHandle, path: string): Promise<boolean> {
  try {
    const [{ dev, ino }, now, real] = await Promise.all([
      opened.stat(),
      stat(path),
      realpath(path),
    ]);
    return real === path && now.dev === dev && now.ino === ino;
  } catch {
    return false;
  }
}

/**
 * Opens a plain file that has one name, and for writing makes a new one where there is none.
 *
 * @param parent  leads to the opened folder of the file
 */
async function openPlain(parent: string, path: string, purpose: Purpose): Promise<FileHandle> {
  const place = join(parent, basename(path));
  let isNew = false;
  const opening = async (): Promise<FileHandle> => {
    // Devices and pipes would block before they can be told from files.
    const flags = O_NOFOLLOW | O_NONBLOCK;
    if (purpose === "read") return open(place, O_RDONLY | flags);
    try {
      return await open(place, O_WRONLY | flags);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      isNew = true;
      return open(place, O_WRONLY | O_CREAT | O_EXCL | flags, NEW_FILE_MODE);
    }
  };
  let file: FileHandle;
  try {
    file = await opening();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const isOther = code === "ELOOP" || code === "EISDIR" || code === "ENXIO";
    const problem =
      isOther && purpose === "write" ? NOT_REPLACED : `it cannot be opened (${code}).`;
    throw refused(path, problem, cause);
  }
  try {
    const opened = await file.stat();
    if (!opened.isFile()) throw refused(path, "it is no plain file.");
    if (purpose === "write" && opened.nlink > 1) throw refused(path, NOT_REPLACED);
    if (parent === dirname(path) && !(await isStillAt(file, path))) {
      const led = await stat(place).catch(() => null);
      // It was made elsewhere, since the folder was swapped.
      if (isNew && led?.ino === opened.ino && led.dev === opened.dev) await rm(place);
      throw notGranted(path, purpose);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function notGranted(path: string, purpose: Purpose): CapabilityError {
  return refused(path, `it is not granted; the user can grant fs:${purpose}:PATH.`);
}

function refused(path: string, problem: string, cause?: unknown): CapabilityError {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  return new CapabilityError(`${JSON.stringify(shown)} was not touched: ${problem}`, { cause });
}
