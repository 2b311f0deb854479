/**
 * A file that is being received. What was received of it stays for the next try, and belongs to one
 * process at a time: a process takes it by renaming it, which only one can do, and gives it back the same
 * way.
 */
import { type FileHandle, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isAbandoned, writerName } from "../../core/writer-name.ts";

const SUFFIX = ".part";
/** A process that receives something writes more often, or has given up (see `download.ts`). */
const SILENT_MS = 60_000;

export class PartialFile {
  /** Where it is now; no other process uses this path. */
  readonly path: string;
  readonly #free: string;
  readonly #handle: FileHandle;
  #bytes: number;

  private constructor(path: string, free: string, handle: FileHandle, bytes: number) {
    this.path = path;
    this.#free = free;
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /**
   * Takes what an earlier try has left, or begins anew.
   *
   * @param key  of the file; letters and digits
   * @throws the file system's error where the folder cannot be written
   */
  static async take(folder: string, key: string): Promise<PartialFile> {
    const free = join(folder, `${key}${SUFFIX}`);
    const path = join(folder, `${key}.${writerName()}${SUFFIX}`);
    for (const left of [free, ...(await abandoned(folder, key))]) {
      if (await renamed(left, path)) break;
    }
    const handle = await open(path, "a", 0o600);
    const { size } = await handle.stat();
    return new PartialFile(path, free, handle, size);
  }

  /** Bytes that are there. */
  get bytes(): number {
    return this.#bytes;
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#handle.appendFile(chunk);
    this.#bytes += chunk.length;
  }

  async empty(): Promise<void> {
    await this.#handle.truncate(0);
    this.#bytes = 0;
  }

  /** Everything, on the disk for good. */
  async read(): Promise<Buffer> {
    await this.#handle.sync();
    return readFile(this.path);
  }

  /** Leaves it for the next try, if there is anything of it and no other process left more. */
  async leave(): Promise<void> {
    await this.#handle.close();
    const other = await stat(this.#free).catch(() => undefined);
    if (this.#bytes > (other?.size ?? 0)) await renamed(this.path, this.#free);
    else await rm(this.path, { force: true });
  }

  async remove(): Promise<void> {
    await this.#handle.close();
    await rm(this.path, { force: true });
  }
}

async function abandoned(folder: string, key: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${key}.`) || !name.endsWith(SUFFIX)) continue;
    const writer = name.slice(key.length + 1, -SUFFIX.length);
    if (writer === "") continue;
    const path = join(folder, name);
    const { mtimeMs } = (await stat(path).catch(() => undefined)) ?? { mtimeMs: Date.now() };
    if (isAbandoned(writer, mtimeMs, SILENT_MS)) found.push(path);
  }
  return found;
}

async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
