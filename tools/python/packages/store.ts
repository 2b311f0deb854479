/**
 * The installed packages: files under the hash of their content, and for each version of Pyodide one
 * small document per package, which says what it is. Nothing locks: a file appears whole or not at all,
 * and two who install the same write the same.
 *
 * ```
 * <folder>/files/<sha256>.whl
 * <folder>/pyodide-<version>/<name>.json
 * <folder>/partial/<sha256>.part
 * ```
 */

import { createHash } from "node:crypto";
import { chmod, readdir, readFile, rename, stat } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { writeFileAtomic } from "../../core/atomic-write.ts";
import { messageOf } from "../../core/text.ts";
import { makeFolder } from "../make-folder.ts";
import { installedPyodide } from "../pyodide.ts";
import { ARCHIVE_LIMITS } from "./archive.ts";
import { storeError } from "./errors.ts";
import { isObject, type LockedPackage, lockedPackage } from "./lock.ts";
import { PartialFile } from "./partial-file.ts";

export type StoredPackage = LockedPackage & {
  /** Of its file. */
  readonly bytes: number;
  readonly unpackedBytes: number;
};

/** A document that cannot be read. */
export type BrokenEntry = { readonly name: string; readonly problem: string };

export type StoreContent = {
  /** By normalised name. */
  readonly packages: ReadonlyMap<string, StoredPackage>;
  readonly broken: readonly BrokenEntry[];
};

/** What the folder is called within the state folder. */
export const PACKAGE_FOLDER = "python-packages";

const SUFFIX = ".json";
const MAX_ENTRY_BYTES = 256 * 1024;

export class PackageStore {
  readonly folder: string;
  /** Of the packages' archives. */
  readonly files: string;
  readonly #entries: string;

  /**
   * @param folder  need not exist yet
   * @throws PythonUnavailableError when pyodide is not installed
   */
  constructor(folder: string) {
    this.folder = folder;
    this.files = join(folder, "files");
    this.#entries = join(folder, `pyodide-${installedPyodide().version}`);
  }

  /** Where a package's file is, or would be. */
  fileOf({ sha256, fileName }: Pick<LockedPackage, "sha256" | "fileName">): string {
    return join(this.files, `${sha256}${extname(fileName)}`);
  }

  /** What is installed for this version of Pyodide. @throws PackageError */
  async read(): Promise<StoreContent> {
    const packages = new Map<string, StoredPackage>();
    const broken: BrokenEntry[] = [];
    for (const file of await this.#entryFiles()) {
      const name = file.slice(0, -SUFFIX.length);
      const entry = await readEntry(join(this.#entries, file));
      if (typeof entry === "string") broken.push({ name, problem: entry });
      else if (entry.name !== name) broken.push({ name, problem: `it is about ${entry.name}` });
      else packages.set(name, entry);
    }
    return { packages, broken };
  }

  /** Why the file of an installed package is not what was installed; null when it is. */
  async problemOf(one: StoredPackage): Promise<string | null> {
    let content: Buffer;
    try {
      content = await readFile(this.fileOf(one));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === "ENOENT" ? "its file is missing" : `its file cannot be read (${message})`;
    }
    if (content.length !== one.bytes) {
      return `its file has ${content.length} bytes instead of ${one.bytes}`;
    }
    return sha256Of(content) === one.sha256 ? null : "its file was changed: the hash does not fit";
  }

  /** For receiving a file. @throws PackageError */
  partial(sha256: string): Promise<PartialFile> {
    return this.#writing(async () => {
      const folder = join(this.folder, "partial");
      await makeFolder(folder);
      return PartialFile.take(folder, sha256);
    });
  }

  /** The file of a package if it is there and right: another version of Pyodide may have the same. */
  async contentOf(one: LockedPackage): Promise<Buffer | undefined> {
    const content = await readFile(this.fileOf(one)).catch(() => undefined);
    return content !== undefined && sha256Of(content) === one.sha256 ? content : undefined;
  }

  /** Installs a package whose file is there. @throws PackageError */
  enter(one: StoredPackage): Promise<void> {
    return this.#writing(() => this.#writeEntry(one));
  }

  /**
   * Installs a package whose file has been received and checked.
   *
   * @throws PackageError
   */
  add(one: StoredPackage, received: PartialFile): Promise<void> {
    return this.#writing(async () => {
      const target = this.fileOf(one);
      await makeFolder(dirname(target));
      await chmod(received.path, 0o400);
      await rename(received.path, target);
      await received.remove();
      await this.#writeEntry(one);
    });
  }

  async #writeEntry(one: StoredPackage): Promise<void> {
    const { name, version, fileName, sha256, depends, imports, place } = one;
    const { bytes, unpackedBytes } = one;
    const document = {
      ...{ name, version, file_name: fileName, sha256, depends, imports, install_dir: place },
      ...{ bytes, unpacked_bytes: unpackedBytes },
    };
    await makeFolder(this.#entries);
    const path = join(this.#entries, `${name}${SUFFIX}`);
    await writeFileAtomic(path, `${JSON.stringify(document, null, 1)}\n`);
  }

  async #entryFiles(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#entries)).filter((file) => file.endsWith(SUFFIX)).sort();
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return [];
      throw storeError(this.folder, "read", cause);
    }
  }

  async #writing<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (cause) {
      throw storeError(this.folder, "written", cause);
    }
  }
}

export function sha256Of(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** @returns what is wrong with it, as the end of a sentence, if anything is */
async function readEntry(path: string): Promise<StoredPackage | string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_ENTRY_BYTES) return "it is too long";
    const document: unknown = JSON.parse(await readFile(path, "utf8"));
    const locked = lockedPackage(document);
    if (locked === undefined || !isObject(document)) return "it is not of its form";
    const { bytes, unpacked_bytes: unpackedBytes } = document;
    const isSize = (value: unknown, most: number): value is number =>
      Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;
    if (!isSize(bytes, ARCHIVE_LIMITS.bytes)) return "it is not of its form";
    if (!isSize(unpackedBytes, ARCHIVE_LIMITS.unpackedBytes)) return "it is not of its form";
    return { ...locked, bytes, unpackedBytes };
  } catch (error) {
    return messageOf(error);
  }
}
