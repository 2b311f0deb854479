/**
 * The trace of a model as `encrypted_content`: for clients that keep only this of a reasoning item and send it
 * back. Only the server that sealed it can read it. AES-256-GCM, 12 random bytes as nonce, the version as
 * associated data.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";

const VERSION = "ch1.";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** No trace is longer: contexts hold 131,072 tokens. */
const MAX_TRACE_BYTES = 1 << 23;

export class TraceSeal {
  readonly #key: Uint8Array;

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  seal(trace: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    cipher.setAAD(Buffer.from(VERSION));
    const sealed = Buffer.concat([cipher.update(deflateRawSync(trace)), cipher.final()]);
    return VERSION + Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
  }

  /** null for what this server has not sealed. */
  open(content: string): string | null {
    if (!content.startsWith(VERSION)) return null;
    const bytes = Buffer.from(content.slice(VERSION.length), "base64url");
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
    try {
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", this.#key, nonce);
      decipher.setAAD(Buffer.from(VERSION));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      const sealed = bytes.subarray(NONCE_BYTES + TAG_BYTES);
      const packed = Buffer.concat([decipher.update(sealed), decipher.final()]);
      return inflateRawSync(packed, { maxOutputLength: MAX_TRACE_BYTES }).toString("utf8");
    } catch {
      return null;
    }
  }
}
