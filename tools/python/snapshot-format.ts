/**
 * The file of a memory snapshot. It is code, so it is restored only if its bytes are those that were
 * written.
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** File: magic, SHA-256 of the rest, the rest. */
const MAGIC = Buffer.from("chorale-python-1", "latin1");
const HASH_BYTES = 32;
const HEADER_BYTES = MAGIC.length + HASH_BYTES;

const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

export function packSnapshot(memory: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, sha256(memory), memory]);
}

/**
 * The memory of a snapshot file, in a buffer of its own: handing it to an isolate then copies nothing.
 *
 * @throws Error in one sentence when the bytes are not what was written; the file system's error
 */
export function readSnapshot(path: string): Uint8Array<ArrayBuffer> {
  const file = openSync(path, "r");
  try {
    const header = readBytes(file, HEADER_BYTES);
    if (!header.subarray(0, MAGIC.length).equals(MAGIC)) {
      throw new Error("the snapshot is not one of this version");
    }
    const memory = readBytes(file, Math.max(0, fstatSync(file).size - HEADER_BYTES));
    if (!sha256(memory).equals(header.subarray(MAGIC.length))) {
      throw new Error("the snapshot is damaged: its hash does not fit");
    }
    return memory;
  } finally {
    closeSync(file);
  }
}

/** The next bytes of a file, fewer at its end. */
function readBytes(file: number, length: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.from(new ArrayBuffer(length));
  let read = 0;
  while (read < length) {
    const count = readSync(file, bytes, read, length - read, null);
    if (count === 0) break;
    read += count;
  }
  return bytes.subarray(0, read);
}
