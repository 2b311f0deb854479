import { createHash } from "node:crypto";

const BLOCK_BYTES = 64 << 20;

/** 64 MiB that no compression of a file system makes smaller. */
export function repeatedBlock(): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const words = new Uint32Array(block.buffer, block.byteOffset, BLOCK_BYTES / 4);
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return block;
}

/** SHA-256 of so many bytes of that, again and again. */
export function sha256OfContent(bytes: number): string {
  const block = repeatedBlock();
  const hash = createHash("sha256");
  for (let at = 0; at < bytes; at += block.byteLength) {
    hash.update(block.subarray(0, Math.min(block.byteLength, bytes - at)));
  }
  return hash.digest("hex");
}
