/**
 * Keys and values of prefixes that come again (system message, tools) on disk, so that the next process
 * reads them instead of computing them. A folder of files, one per prefix, named by its key; the key
 * says everything the content depends on, see `prefixKey`.
 *
 *     magic (8 bytes) | key (32) | payload bytes, u64 little endian (8) | payload | SHA-256 of all before (32)
 *
 * Any number of processes may use the folder at once: files appear by renaming, whole, and a file that
 * is deleted stays readable to a process that has it open. A file that is cut short, damaged or another's is
 * deleted and counts as missing. Failing to store is never an error for the caller.
 */

import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

export type PrefixCacheOptions = {
  /** Created when needed. */
  readonly path: string;
  /** Most bytes of all files together; what was not used for the longest time goes first. */
  readonly maxBytes: number;
  /** Gets a sentence when a prefix cannot be stored. */
  readonly onProblem?: ((sentence: string) => void) | undefined;
};

const MAGIC = Buffer.from("CHORKV1\n");
const HEAD_BYTES = MAGIC.length + 32 + 8;
const HASH_BYTES = 32;
const CHUNK_BYTES = 4 << 20;
const SUFFIX = ".kv";
const TEMPORARY = ".tmp";
/** A temporary file that old belongs to a process that ended while it wrote. */
const STALE_MS = 3_600_000;

export class PrefixCache {
  readonly #options: PrefixCacheOptions;

  constructor(options: PrefixCacheOptions) {
    this.#options = options;
  }

  /**
   * Reads what was saved under a key.
   * @param key 32 bytes
   * @param parts filled one after the other; together exactly as long as what was saved
   * @returns whether it was there, whole; else the parts may hold anything
   */
  async load(key: Buffer, parts: readonly Uint8Array[]): Promise<boolean> {
    const path = this.#pathOf(key);
    let file: FileHandle;
    try {
      file = await open(path, "r+");
    } catch {
      return false;
    }
    try {
      if (await readWhole(file, key, parts)) {
        const now = new Date();
        await file.utimes(now, now).catch(() => {});
        return true;
      }
    } catch {
      // A disk that cannot be read is as good as a file that is not there.
    } finally {
      await file.close();
    }
    await this.forget(key);
    return false;
  }

  /** Saves parts under a key, and makes room for them. */
  async save(key: Buffer, parts: readonly Uint8Array[]): Promise<void> {
    const { path: folder, maxBytes, onProblem } = this.#options;
    const payload = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const bytes = HEAD_BYTES + payload + HASH_BYTES;
    if (bytes > maxBytes) return;
    const temporary = join(folder, `${randomUUID()}${TEMPORARY}`);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await this.#makeRoom(bytes);
      const file = await open(temporary, "wx", 0o600);
      try {
        await writeWhole(file, key, payload, parts);
      } finally {
        await file.close();
      }
      await rename(temporary, this.#pathOf(key));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      const reason = error instanceof Error ? error.message : String(error);
      onProblem?.(`A computed prefix could not be stored in ${folder}: ${reason}.`);
    }
  }

  /** Deletes what is stored under a key. */
  async forget(key: Buffer): Promise<void> {
    await rm(this.#pathOf(key), { force: true }).catch(() => {});
  }

  #pathOf(key: Buffer): string {
    return join(this.#options.path, `${key.toString("hex")}${SUFFIX}`);
  }

  /** Deletes what was unused for the longest time until `bytes` more fit, and temporary files that no process will finish. */
  async #makeRoom(bytes: number): Promise<void> {
    const { path: folder, maxBytes } = this.#options;
    const files: { path: string; size: number; usedAt: number }[] = [];
    for (const name of await readdir(folder)) {
      if (!name.endsWith(SUFFIX) && !name.endsWith(TEMPORARY)) continue;
      const path = join(folder, name);
      // Another process may just have deleted it.
      const facts = await stat(path).catch(() => undefined);
      if (facts === undefined) continue;
      const { size, mtimeMs: usedAt } = facts;
      if (name.endsWith(SUFFIX)) files.push({ path, size, usedAt });
      else if (Date.now() - usedAt > STALE_MS) await rm(path, { force: true });
    }
    files.sort((a, b) => a.usedAt - b.usedAt);
    let total = files.reduce((sum, { size }) => sum + size, bytes);
    for (const { path, size } of files) {
      if (total <= maxBytes) break;
      await rm(path, { force: true });
      total -= size;
    }
  }
}

/**
 * @param identity of the model and of how it is computed: every fact that changes keys or values changes it
 * @returns 32 bytes
 */
export function prefixKey(identity: string, ids: readonly number[]): Buffer {
  return createHash("sha256").update(identity).update("\0").update(Int32Array.from(ids)).digest();
}

async function readWhole(
  file: FileHandle,
  key: Buffer,
  parts: readonly Uint8Array[],
): Promise<boolean> {
  const payload = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const { size } = await file.stat();
  if (size !== HEAD_BYTES + payload + HASH_BYTES) return false;
  const head = Buffer.alloc(HEAD_BYTES);
  if (!(await readInto(file, head, 0)) || !head.equals(headOf(key, payload))) return false;
  const hash = createHash("sha256").update(head);
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, payload));
  let position = HEAD_BYTES;
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += chunk.length) {
      const piece = chunk.subarray(0, Math.min(chunk.length, part.byteLength - at));
      if (!(await readInto(file, piece, position))) return false;
      hash.update(piece);
      part.set(piece, at);
      position += piece.length;
    }
  }
  const stored = Buffer.alloc(HASH_BYTES);
  return (await readInto(file, stored, position)) && hash.digest().equals(stored);
}

/** @returns whether there was enough to read */
async function readInto(file: FileHandle, target: Buffer, position: number): Promise<boolean> {
  for (let at = 0; at < target.length; ) {
    const { bytesRead } = await file.read(target, at, target.length - at, position + at);
    if (bytesRead === 0) return false;
    at += bytesRead;
  }
  return true;
}

async function writeWhole(
  file: FileHandle,
  key: Buffer,
  payload: number,
  parts: readonly Uint8Array[],
): Promise<void> {
  const head = headOf(key, payload);
  const hash = createHash("sha256").update(head);
  await file.writeFile(head);
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, payload));
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += chunk.length) {
      // A copy: the part may be shared with threads, which neither hashing nor writing accepts.
      const piece = chunk.subarray(0, Math.min(chunk.length, part.byteLength - at));
      piece.set(part.subarray(at, at + piece.length));
      hash.update(piece);
      await file.writeFile(piece);
    }
  }
  await file.writeFile(hash.digest());
}

function headOf(key: Buffer, payload: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  key.copy(head, MAGIC.length);
  head.writeBigUInt64LE(BigInt(payload), MAGIC.length + 32);
  return head;
}
