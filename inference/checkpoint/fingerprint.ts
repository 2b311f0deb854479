/** Which weights a model has, in a few bytes. */
import { createHash } from "node:crypto";
import type { TensorFile } from "./tensor-file.ts";

/** Read of each file, evenly over it: files of weights differ everywhere if they differ at all. */
const SAMPLES = 64;
const SAMPLE_BYTES = 4096;
const DIGITS = 16;

/**
 * The same for the same files on every machine, in any folder and under any name of the folder: sizes and samples
 * of the bytes, since reading 13 GB whole would take longer than loading them. It tells two models apart and does
 * not protect against a file that was made to look like another.
 *
 * @param files in the order of their names in the model, which need not be what they are called on this disk
 * @returns 16 hexadecimal digits
 * @throws CheckpointError for a file that cannot be read
 */
export function fingerprintOf(files: readonly TensorFile[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    hash.update(`${file.byteLength}\n`);
    const length = Math.min(SAMPLE_BYTES, file.byteLength);
    const bytes = new Uint8Array(length);
    const last = file.byteLength - length;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const position = Math.floor((last * sample) / (SAMPLES - 1));
      file.readInto(bytes, position, "its fingerprint");
      hash.update(bytes);
    }
  }
  return hash.digest("hex").slice(0, DIGITS);
}
