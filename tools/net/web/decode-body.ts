/**
 * A body as its server encoded it (`Content-Encoding`), bounded at every stage, so that a few bytes that unpack
 * to gigabytes end where the limit is. undici's own interceptor for it is not used: it takes what is cut off
 * for complete with some encodings, passes on errors' bodies packed, and does not read raw DEFLATE.
 */
import { promisify } from "node:util";
import {
  brotliDecompress,
  gunzip,
  inflate,
  inflateRaw,
  type ZlibOptions,
  zstdDecompress,
} from "node:zlib";

import { BodyTooLargeError, ContentEncodingError } from "../errors.ts";

type Decoder = (bytes: Uint8Array, options: ZlibOptions) => Promise<Uint8Array>;

const unzip: Decoder = promisify(gunzip);
const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ["gzip", unzip],
  ["x-gzip", unzip],
  ["br", promisify(brotliDecompress) as Decoder],
  ["zstd", promisify(zstdDecompress) as Decoder],
  // The standard means zlib's format (RFC 9110 8.4.1.2); many servers send DEFLATE without it.
  [
    "deflate",
    (bytes, options) => promisify(hasZlibHeader(bytes) ? inflate : inflateRaw)(bytes, options),
  ],
]);
export const ACCEPTED_ENCODINGS = "gzip, deflate, br, zstd";
/** Says nothing about how the bytes are packed, though servers send it. */
const NO_ENCODING: ReadonlySet<string> = new Set(["", "identity", "none", "utf-8"]);
const MOST_ENCODINGS = 3;

/**
 * @param contentEncoding  the header; null where there is none
 * @param limit  most bytes after each stage
 * @throws BodyTooLargeError, ContentEncodingError
 */
export async function decodeBody(
  body: Uint8Array,
  contentEncoding: string | null,
  url: string,
  limit: number,
): Promise<Uint8Array> {
  const names = (contentEncoding ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => !NO_ENCODING.has(name));
  if (names.length > MOST_ENCODINGS) {
    throw new ContentEncodingError(url, `it is encoded ${names.length} times`);
  }
  let bytes = body;
  // Some servers announce an encoding and send nothing.
  if (bytes.length === 0) return bytes;
  for (const name of names.reverse()) {
    const decode = DECODERS.get(name);
    if (decode === undefined) {
      throw new ContentEncodingError(url, `it is encoded as ${name}`);
    }
    try {
      bytes = await decode(bytes, { maxOutputLength: limit });
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
      if (code === "ERR_BUFFER_TOO_LARGE") throw new BodyTooLargeError(url, "response", limit);
      throw new ContentEncodingError(url, `it is no ${name}, or was cut off`, { cause });
    }
  }
  return bytes;
}

function hasZlibHeader(bytes: Uint8Array): boolean {
  const [method = 0, flags = 0] = bytes;
  return (method & 0x0f) === 8 && ((method << 8) | flags) % 31 === 0;
}
