/** The body of a request: bounded, decoded, parsed. */
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from "node:zlib";
import { ServerError } from "../errors.ts";

type Decode = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>;

const inflateBytes = promisify<Uint8Array, object, Uint8Array>(inflate);
const inflateRawBytes = promisify<Uint8Array, object, Uint8Array>(inflateRaw);

const DECODERS: Readonly<Record<string, Decode>> = {
  gzip: promisify<Uint8Array, object, Uint8Array>(gunzip),
  "x-gzip": promisify<Uint8Array, object, Uint8Array>(gunzip),
  br: promisify<Uint8Array, object, Uint8Array>(brotliDecompress),
  zstd: promisify<Uint8Array, object, Uint8Array>(zstdDecompress),
  // What calls itself deflate has the zlib header or not.
  deflate: async (bytes, options) => {
    try {
      return await inflateBytes(bytes, options);
    } catch (error) {
      if (isTooLarge(error)) throw error;
      return inflateRawBytes(bytes, options);
    }
  },
};

/** Deeper JSON is nothing that an API has, and code that walks it would use up its stack. */
const MAX_DEPTH = 256;

const EMPTY_BODY = "missing request body";

/**
 * @param maxBytes of what was sent, and of what it is decoded to
 * @throws ServerError: 400 for what is no JSON, 413 for too much, 415 for an encoding
 */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const bytes = await decoded(request, await readBytes(request, maxBytes), maxBytes);
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === "") throw new ServerError("CHORALE_REQUEST", EMPTY_BODY);
  if (isTooDeep(text)) {
    throw new ServerError(
      "CHORALE_REQUEST",
      `The body is JSON of more than ${MAX_DEPTH} levels; accepted: at most so many.`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.slice(0, 200) : "";
    throw new ServerError("CHORALE_REQUEST", `The body is no JSON: ${why}`, { cause });
  }
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof ServerError) throw cause;
    throw new ServerError("CHORALE_REQUEST", "The body did not come whole.", { cause });
  }
  return Buffer.concat(chunks);
}

async function decoded(request: Request, bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const named = (request.headers.get("content-encoding") ?? "").split(",");
  const encodings = named.map((name) => name.trim().toLowerCase()).filter((name) => name !== "");
  let result = bytes;
  // Each doubles the work that a small body makes; clients use one.
  if (encodings.length > 2) throw unknownEncoding(encodings.join(", "));
  for (const encoding of encodings.reverse()) {
    if (encoding === "identity") continue;
    const decode = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
    if (decode === undefined) throw unknownEncoding(encoding);
    try {
      result = await decode(result, { maxOutputLength: maxBytes });
    } catch (cause) {
      if (isTooLarge(cause)) throw tooLarge(maxBytes);
      throw new ServerError("CHORALE_REQUEST", `The body is not ${encoding}, as it says.`, {
        cause,
      });
    }
  }
  return result;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

function tooLarge(maxBytes: number): ServerError {
  return new ServerError(
    "CHORALE_TOO_LARGE",
    `The body is too large; accepted: at most ${maxBytes} bytes, decoded.`,
    { status: 413 },
  );
}

function unknownEncoding(encoding: string): ServerError {
  return new ServerError(
    "CHORALE_ENCODING",
    `The content-encoding ${encoding.slice(0, 60)} is not known; accepted: gzip, deflate, br, zstd.`,
    { status: 415 },
  );
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) isString = false;
    } else if (code === 0x22) isString = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}
