/** Ids that no one can guess and that are never given twice. */
import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 62 ** 24 is more than 2 ** 142. */
const LENGTH = 24;

/** @param prefix with its underscore or dash: `call_`, `chatcmpl-` */
export function newId(prefix: string): string {
  let id = prefix;
  while (id.length < prefix.length + LENGTH) {
    for (const byte of randomBytes(LENGTH)) {
      // The last bytes would make the first letters likelier.
      if (byte < 248 && id.length < prefix.length + LENGTH) id += ALPHABET[byte % 62];
    }
  }
  return id;
}
