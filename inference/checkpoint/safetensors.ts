/**
 * The safetensors container: u64 header length, a JSON header {name: {dtype, shape, data_offsets}},
 * then the bytes. The header is hostile input: nothing it says is believed before it was compared
 * with the size of the file, and nothing of a size it names is allocated here.
 * https://github.com/huggingface/safetensors#format
 */

import { CheckpointError } from "../errors.ts";
import { isObject } from "./fields.ts";
import { parseJson } from "./read-json.ts";
import { rejectOverlap, type StoredEntry } from "./stored-entry.ts";
import { TensorFile } from "./tensor-file.ts";

/** gpt-oss-120b's headers are some 100 KB; this leaves room and bounds the parse. */
export const MAX_HEADER_BYTES: number = 16 << 20;
/** { name: { shape: [ … ] } } */
const MAX_JSON_DEPTH = 3;
const MAX_DIMENSIONS = 8;
const LENGTH_BYTES = 8;

const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};

/**
 * Opens a file and reads its header.
 * @throws ModelNotFoundError when there is no such file
 * @throws CheckpointError when the header is broken or does not fit the file
 */
export function openSafetensors(path: string): { file: TensorFile; entries: StoredEntry[] } {
  const file = new TensorFile(path);
  try {
    return { file, entries: readEntries(file) };
  } catch (error) {
    file.close();
    throw error;
  }
}

function readEntries(file: TensorFile): StoredEntry[] {
  const lengthBytes = new Uint8Array(LENGTH_BYTES);
  file.readInto(lengthBytes, 0, "the header length");
  const length = new DataView(lengthBytes.buffer).getBigUint64(0, true);
  const limit = Math.min(MAX_HEADER_BYTES, file.byteLength - LENGTH_BYTES);
  if (length > limit) {
    throw new CheckpointError(
      file.path,
      `the header claims ${length} bytes, but the file has ${file.byteLength}; accepted: at most ` +
        `${limit}. It is cut short or not a safetensors file.`,
    );
  }
  const header = new Uint8Array(Number(length));
  file.readInto(header, LENGTH_BYTES, "the header");
  return parseHeader(header, LENGTH_BYTES + header.byteLength, file.byteLength, file.path);
}

/**
 * Checks a header's bytes. Pure, so that any bytes can be tried on it.
 * @param dataStart position of the first byte after the header
 * @param fileBytes size of the file
 * @throws CheckpointError for every header that is not exactly right
 */
export function parseHeader(
  header: Uint8Array,
  dataStart: number,
  fileBytes: number,
  path: string,
): StoredEntry[] {
  const json = parseJson(header, path, "the header", MAX_JSON_DEPTH);
  if (!isObject(json)) throw new CheckpointError(path, "the header is not a JSON object.");
  const entries: StoredEntry[] = [];
  for (const [name, value] of Object.entries(json)) {
    if (name === "__metadata__") continue;
    entries.push(parseEntry(name, value, dataStart, fileBytes, path));
  }
  rejectOverlap(entries, path);
  return entries;
}

function parseEntry(
  name: string,
  value: unknown,
  dataStart: number,
  fileBytes: number,
  path: string,
): StoredEntry {
  const shown = name.length > 120 ? `${name.slice(0, 117)}…` : name;
  const fail = (problem: string): CheckpointError =>
    new CheckpointError(path, `tensor ${shown} ${problem}`, shown);
  if (typeof value !== "object" || value === null) throw fail("has no description in the header.");
  const { dtype, shape, data_offsets: offsets } = value as Readonly<Record<string, unknown>>;
  if (typeof dtype !== "string" || !Object.hasOwn(ELEMENT_BYTES, dtype)) {
    throw fail(`has an unknown dtype; accepted: ${Object.keys(ELEMENT_BYTES).join(", ")}.`);
  }
  if (!isSizeList(shape) || shape.length > MAX_DIMENSIONS) {
    throw fail(`has a shape that is not a list of at most ${MAX_DIMENSIONS} sizes.`);
  }
  if (!isSizeList(offsets) || offsets.length !== 2) {
    throw fail("has data_offsets that are not [begin, end].");
  }
  const byteLength = shape.reduce((a, b) => a * b, ELEMENT_BYTES[dtype] ?? 0);
  const [begin = 0, end = 0] = offsets;
  if (end - begin !== byteLength) {
    throw fail(
      `has ${end - begin} bytes, but ${dtype} (${shape.join(", ")}) takes ${byteLength} bytes.`,
    );
  }
  if (dataStart + end > fileBytes) {
    throw fail(
      `ends at byte ${dataStart + end}, but the file has ${fileBytes} bytes. It was cut short; ` +
        "fetch it again.",
    );
  }
  return { name, dtype, shape, byteLength, position: dataStart + begin };
}

function isSizeList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
