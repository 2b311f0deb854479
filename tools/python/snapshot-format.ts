/**
 * The file of a memory snapshot. It is code, so it is restored only if its bytes are those that were
 * written.
 */
import { createHash } from "node:crypto";

/** File: magic, SHA-256 of the rest, the rest. */
const MAGIC = Buffer.from("chorale-python-1", "latin1");
const HASH_BYTES = 32;
const HEADER_BYTES = MAGIC.length + HASH_BYTES;

const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

export function packSnapshot(memory: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, sha256(memory), memory]);
}

/** @throws Error in one sentence when the bytes are not what was written */
export function unpackSnapshot(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new Error("the snapshot is not one of this version");
  }
  const memory = bytes.subarray(HEADER_BYTES);
  if (!sha256(memory).equals(bytes.subarray(MAGIC.length, HEADER_BYTES))) {
    throw new Error("the snapshot is damaged: its hash does not fit");
  }
  return memory;
}
