/**
 * JSON of a checkpoint, which is hostile input: its size is held against a limit before anything is
 * read, and its depth is counted on the bytes before JSON.parse builds anything.
 */

import { CheckpointError } from "../errors.ts";
import { TensorFile } from "./tensor-file.ts";

/** No file that describes a model nests half as deep. */
const MAX_DEPTH = 32;

/**
 * Reads a JSON file of bounded size.
 * @throws ModelNotFoundError, CheckpointError
 */
export function readJson(path: string, maxBytes: number): unknown {
  const file = new TensorFile(path);
  try {
    if (file.byteLength > maxBytes) {
      throw new CheckpointError(
        path,
        `the file has ${file.byteLength} bytes; accepted: at most ${maxBytes}.`,
      );
    }
    const bytes = new Uint8Array(file.byteLength);
    file.readInto(bytes, 0, "the file");
    return parseJson(bytes, path, "it", MAX_DEPTH);
  } finally {
    file.close();
  }
}

/**
 * @param what names the bytes in messages, and `path` the file they are from
 * @throws CheckpointError when they are not JSON, or nest deeper than `maxDepth`
 */
export function parseJson(
  bytes: Uint8Array,
  path: string,
  what: string,
  maxDepth: number,
): unknown {
  if (nestsDeeperThan(maxDepth, bytes)) {
    throw new CheckpointError(path, `${what} nests deeper than ${maxDepth} levels.`);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CheckpointError(path, `${what} is not JSON.`, undefined, { cause });
  }
}

function nestsDeeperThan(maxDepth: number, bytes: Uint8Array): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c)
        i++; // a backslash: the next character is part of the string
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) {
      inString = true;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxDepth) return true;
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
    }
  }
  return false;
}
