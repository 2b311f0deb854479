/**
 * A file that is being received. What was received of it stays for the next try, and belongs to one
 * process at a time: it is taken by renaming it, which only one can do, and given back the same way.
 */
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

const SUFFIX = ".part";
/** A process that receives something writes more often, or has given up (see `download.ts`). */
const ABANDONED_AFTER_MS = 60_000;

/** The name of a process: the number alone could be that of one on another machine. */
const HOST = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

export class PartialFile {
  /** Where it is now; nobody else's. */
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
    const path = join(folder, `${key}.${HOST}.${process.pid}.${randomUUID()}${SUFFIX}`);
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

  /** Leaves it for the next try, if there is anything of it and nobody else left more. */
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
    const [, host, pid] = name.split(".");
    if (host === undefined || pid === undefined) continue;
    const path = join(folder, name);
    if (host === HOST && isGone(Number(pid))) found.push(path);
    else {
      const { mtimeMs } = (await stat(path).catch(() => undefined)) ?? { mtimeMs: Date.now() };
      if (Date.now() - mtimeMs > ABANDONED_AFTER_MS) found.push(path);
    }
  }
  return found;
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
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
