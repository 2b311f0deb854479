/**
 * The `fetch` by which a server on the network is spoken to: guarded against server-side request forgery as
 * everything here is, and bounded, since the SDK reads answers and events whole.
 */

import { formatBytes } from "../core/text.ts";
import { classifyAddress } from "../net/address.ts";
import type { FetchResponse } from "../net/guarded-dispatcher.ts";
import { MESSAGE_LIMIT_BYTES } from "./inbox.ts";
import type { FetchLike } from "./sdk.ts";

export type HttpClient = {
  readonly fetch: FetchLike;
  /** Closes all connections. */
  close(): Promise<void>;
};

const CONNECT_MS = 20_000;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Statuses whose responses have no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * The host of `url` may be anywhere, since the user named it. What the server refers to in turn (to authorize)
 * is asked only in the public internet; for a server on this machine also on this machine.
 *
 * @param silenceMs  longest time without a byte of a response
 */
export async function openHttpClient(url: URL, silenceMs: number): Promise<HttpClient> {
  // Loaded where it is used: importing the tools loads no package.
  const { openGuardedClient } = await import("../net/guarded-dispatcher.ts");
  const isLocal = isLoopbackHost(url.hostname);
  const client = openGuardedClient({
    allowAddress: (address, { host }) =>
      host === url.host || (isLocal && isLoopbackAddress(address)),
    connectMs: CONNECT_MS,
    silenceMs,
  });
  return {
    fetch: async (to, init = {}) => {
      const { method, headers, body, signal } = init;
      const response = await client.fetch(new URL(to), {
        method: method ?? "GET",
        headers: [...new Headers(headers).entries()],
        ...(body !== undefined && { body: await bodyOf(body) }),
        ...(signal && { signal }),
      });
      return bounded(response);
    },
    close: () => client.close(),
  };
}

async function bodyOf(body: NonNullable<RequestInit["body"]> | null): Promise<string | null> {
  if (body === null || typeof body === "string") return body;
  return new Response(body).text();
}

function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || isLoopbackAddress(hostname);
}

function isLoopbackAddress(address: string): boolean {
  const found = classifyAddress(address);
  return !found.isPublic && found.range === "loopback";
}

/** As a response of this process's own `fetch`, whose body ends in an error where it is too long. */
function bounded(response: FetchResponse): Response {
  const { status, statusText, headers, url } = response;
  const isEvents = /^text\/event-stream\b/i.test(headers.get("content-type") ?? "");
  const body =
    response.body === null || BODILESS.has(status)
      ? null
      : (response.body as unknown as ReadableStream<Uint8Array>).pipeThrough(
          isEvents ? eventLimit() : bodyLimit(),
        );
  const copy = new Response(body, { status, statusText, headers: [...headers.entries()] });
  // Relative addresses in the answer are relative to it.
  Object.defineProperty(copy, "url", { value: url });
  return copy;
}

function bodyLimit(): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes > MESSAGE_LIMIT_BYTES) controller.error(tooLong("an answer"));
      else controller.enqueue(chunk);
    },
  });
}

/** Bounds each event of a stream: what stands between two empty lines. */
function eventLimit(): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  let isLineEmpty = true;
  return new TransformStream({
    transform(chunk, controller) {
      for (const byte of chunk) {
        bytes++;
        if (byte === NEWLINE) {
          if (isLineEmpty) bytes = 0;
          isLineEmpty = true;
        } else if (byte !== CARRIAGE_RETURN) isLineEmpty = false;
        if (bytes > MESSAGE_LIMIT_BYTES) return controller.error(tooLong("an event"));
      }
      controller.enqueue(chunk);
    },
  });
}

function tooLong(what: string): Error {
  return new Error(`the server sent ${what} of more than ${formatBytes(MESSAGE_LIMIT_BYTES)}`);
}
