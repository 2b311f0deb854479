/** One request and its whole response: no redirect, no second try. */
import type { Readable } from "node:stream";

import { asNetError, BodyTooLargeError, IncompleteResponseError } from "../errors.ts";
import { REDIRECTS, type SentRequest } from "../follow-redirects.ts";
import type { GuardedClient } from "../guarded-dispatcher.ts";
import { decodeBody } from "./decode-body.ts";
import { untilAborted } from "./until-aborted.ts";

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  /** Decoded; empty for redirects. */
  readonly bytes: Uint8Array;
  /** Nothing of it is left to be read. */
  readonly body: null;
};

const NOT_MODIFIED = 304;

/**
 * @param maxBytes  most bytes of the body, both as it is sent and as it is after decoding
 * @throws NetError
 */
export async function exchange(
  client: GuardedClient,
  url: URL,
  { method, headers, body }: SentRequest,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Answer> {
  let response: Awaited<ReturnType<GuardedClient["request"]>>;
  try {
    const verb = method === "POST" ? "POST" : "GET";
    // undici looks at the signal only once a connection is there, which a name that is never resolved never gets.
    response = await untilAborted(
      client.request(url, { method: verb, headers, body: body ?? null, signal }),
      signal,
    );
  } catch (error) {
    throw asNetError(error, url.host);
  }
  const received = headersOf(response.headers);
  const { statusCode: status } = response;
  if (REDIRECTS.has(status) || status === NOT_MODIFIED) {
    response.body.on("error", () => {}).destroy();
    return { status, headers: received, bytes: new Uint8Array(), body: null };
  }
  const announced = received.get("content-length");
  if (announced !== null && Number(announced) > maxBytes) {
    response.body.on("error", () => {}).destroy();
    throw new BodyTooLargeError(url.href, "response", maxBytes);
  }
  const sent = await readBounded(response.body, url, maxBytes);
  // Over HTTP/2, undici takes a stream that its server resets in the middle for one that ends.
  if (announced !== null && sent.length !== Number(announced)) {
    throw new IncompleteResponseError(url.href);
  }
  const encoding = received.get("content-encoding");
  const bytes = await decodeBody(sent, encoding, url.href, maxBytes);
  return { status, headers: received, bytes, body: null };
}

async function readBounded(body: Readable, url: URL, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let held = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      held += chunk.length;
      // Leaving the loop closes the connection.
      if (held > limit) throw new BodyTooLargeError(url.href, "response", limit);
      chunks.push(chunk);
    }
  } catch (error) {
    const known = asNetError(error, url.host);
    if (known.code !== "CHORALE_NET_UNREACHABLE") throw known;
    throw new IncompleteResponseError(url.href, { cause: error });
  }
  return Buffer.concat(chunks, held);
}

function headersOf(received: NodeJS.Dict<string | string[]>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    for (const line of [value ?? []].flat()) {
      try {
        headers.append(name, line);
      } catch {
        // A field that is none is of no use to anyone (RFC 9110 5.5).
      }
    }
  }
  return headers;
}
