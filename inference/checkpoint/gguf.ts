/**
 * The GGUF container, versions 2 and 3, little-endian: metadata (key, type, value), descriptions of
 * the tensors, padding, then their bytes. gpt-oss's header is some 24 MB, nearly all of it the
 * vocabulary; only keys are kept, and values are read when they are asked for.
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * The header is hostile input: every count, length and offset is compared with the size of the file
 * before anything is made of it.
 */

import { CheckpointError } from "../errors.ts";
import { blockElements, bytesOf } from "./dtypes.ts";
import { dtypeOfGgmlType } from "./ggml-types.ts";
import { GgufMetadata, scanValue } from "./gguf-metadata.ts";
import { type ByteSource, HeaderReader } from "./header-reader.ts";
import { rejectOverlap, type StoredEntry } from "./stored-entry.ts";
import { TensorFile } from "./tensor-file.ts";

/** "GGUF" */
export const GGUF_MAGIC = 0x46554747;
const VERSIONS: readonly number[] = [2, 3];

/** Ten times that of gpt-oss. */
const MAX_HEADER_BYTES = 1 << 28;
/** gpt-oss-120b has 687 tensors and some 50 keys. */
const MAX_TENSORS = 65_536;
const MAX_KEYS = 4096;
const MAX_KEY_BYTES = 1024;
const MAX_NAME_BYTES = 256;
const MAX_DIMENSIONS = 4;
const MAX_ELEMENTS = 2 ** 48;
const DEFAULT_ALIGNMENT = 32;
const MAX_ALIGNMENT = 1 << 20;

export type GgufHeader = {
  readonly metadata: GgufMetadata;
  /** Shapes are outermost dimension first, the reverse of the file's. */
  readonly entries: readonly StoredEntry[];
};

/**
 * Opens a file and reads its header.
 * @throws ModelNotFoundError when there is no such file
 * @throws CheckpointError when the header is broken or does not fit the file
 */
export function openGguf(path: string): GgufHeader & { readonly file: TensorFile } {
  const file = new TensorFile(path);
  try {
    return { file, ...readGgufHeader(file) };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** @throws CheckpointError for every header that is not exactly right */
export function readGgufHeader(source: ByteSource): GgufHeader {
  const { path } = source;
  const end = Math.min(source.byteLength, MAX_HEADER_BYTES);
  const reader = new HeaderReader(source, 0, end);
  checkVersion(reader, path);
  const tensorCount = readCount(reader, path, "tensors", MAX_TENSORS);
  const keyCount = readCount(reader, path, "metadata keys", MAX_KEYS);
  const metadata = readMetadata(reader, source, keyCount);
  const alignment = readAlignment(metadata, path);
  const descriptions = Array.from({ length: tensorCount }, () => readDescription(reader, path));
  const dataStart = Math.ceil(reader.position / alignment) * alignment;
  const names = new Set<string>();
  const entries = descriptions.map((described): StoredEntry => {
    const { name, offset, byteLength } = described;
    const fail = (problem: string): CheckpointError =>
      new CheckpointError(path, `the tensor ${name} ${problem}`, name);
    if (names.has(name)) throw fail("is described twice.");
    names.add(name);
    if (offset % alignment !== 0) {
      throw fail(`lies at ${offset}, which is no multiple of the alignment ${alignment}.`);
    }
    const position = dataStart + offset;
    if (position + byteLength > source.byteLength) {
      throw fail(
        `ends at byte ${position + byteLength}, but the file has ${source.byteLength} bytes. ` +
          "It was cut short; fetch it again.",
      );
    }
    return { name, dtype: described.dtype, shape: described.shape, byteLength, position };
  });
  rejectOverlap(entries, path);
  return { metadata, entries };
}

function checkVersion(reader: HeaderReader, path: string): void {
  const magic = reader.u32("the magic number");
  if (magic !== GGUF_MAGIC) {
    throw new CheckpointError(path, 'it does not begin with "GGUF": it is no GGUF file.');
  }
  const version = reader.u32("the version");
  if (VERSIONS.includes(version)) return;
  // A big-endian file has its version in the upper bytes.
  const found = version > 0xffff ? "a big-endian file" : `version ${version}`;
  throw new CheckpointError(
    path,
    `it is ${found}; accepted: GGUF versions ${VERSIONS.join(" and ")}, little-endian.`,
  );
}

function readCount(reader: HeaderReader, path: string, what: string, most: number): number {
  const count = reader.u64(`the number of ${what}`);
  if (count <= most) return count;
  throw new CheckpointError(path, `it claims ${count} ${what}; accepted: at most ${most}.`);
}

function readMetadata(reader: HeaderReader, source: ByteSource, count: number): GgufMetadata {
  const metadata = new GgufMetadata(source);
  for (let i = 0; i < count; i++) {
    const key = reader.string(MAX_KEY_BYTES, `the metadata key ${i}`);
    metadata.add(key, scanValue(reader, source.path, key));
  }
  return metadata;
}

function readAlignment(metadata: GgufMetadata, path: string): number {
  const alignment = metadata.scalar("general.alignment") ?? DEFAULT_ALIGNMENT;
  const isPower = typeof alignment === "number" && Math.log2(alignment) % 1 === 0;
  if (isPower && alignment >= 1 && alignment <= MAX_ALIGNMENT) return alignment;
  throw new CheckpointError(
    path,
    `general.alignment is ${alignment}; accepted: a power of two up to ${MAX_ALIGNMENT}.`,
    "general.alignment",
  );
}

type Description = Pick<StoredEntry, "name" | "dtype" | "shape" | "byteLength"> & {
  readonly offset: number;
};

function readDescription(reader: HeaderReader, path: string): Description {
  const name = reader.string(MAX_NAME_BYTES, "a tensor's name");
  const what = `the description of ${name}`;
  const fail = (problem: string): CheckpointError =>
    new CheckpointError(path, `the tensor ${name} ${problem}`, name);
  const dimensions = reader.u32(what);
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw fail(`has ${dimensions} dimensions; accepted: 1 … ${MAX_DIMENSIONS}.`);
  }
  const sizes = Array.from({ length: dimensions }, () => reader.u64(what));
  const elements = sizes.reduce((a, b) => a * b, 1);
  if (elements < 1 || elements > MAX_ELEMENTS) {
    throw fail(`has ${elements} elements (${sizes.join(" × ")}); accepted: 1 … ${MAX_ELEMENTS}.`);
  }
  const dtype = dtypeOfGgmlType(reader.u32(what), path, name);
  const block = blockElements(dtype);
  const rowElements = sizes[0] ?? 0;
  if (rowElements % block !== 0) {
    throw fail(`has rows of ${rowElements} in ${dtype}, whose blocks have ${block} elements.`);
  }
  const offset = reader.u64(what);
  return { name, dtype, shape: sizes.reverse(), byteLength: bytesOf(dtype, elements), offset };
}
