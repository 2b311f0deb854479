/**
 * Pages of the web for a person or a model: each URL, each redirect and each address is judged before it is
 * asked, and bodies, time and redirects are bounded. No cookies are kept or sent.
 */
import { createHash } from "node:crypto";

import type { Resolver } from "../address.ts";
import { asNetError, NetAbortedError, NetTimeoutError, UrlRefusedError } from "../errors.ts";
import { followRedirects, type SentRequest } from "../follow-redirects.ts";
import type { GuardedClient } from "../guarded-dispatcher.ts";
import { ACCEPTED_ENCODINGS } from "./decode-body.ts";
import { type Answer, exchange } from "./exchange.ts";
import { createWebPolicy, type WebPolicyOptions } from "./policy.ts";

export type WebTimeouts = {
  /** The whole of it: names, connections, waiting, redirects, body. Default 60 s. */
  readonly totalMs: number;
  /** One connection. Default 10 s. */
  readonly connectMs: number;
  /** Longest time without a byte of a response. Default 20 s. */
  readonly silenceMs: number;
};

export type WebClientOptions = WebPolicyOptions & {
  readonly timeouts?: Partial<WebTimeouts> | undefined;
  /** Most bytes of a body, both as it is sent and as it is after decoding. Default 10 MiB. */
  readonly maxBytes?: number | undefined;
  /** Default 8. */
  readonly maxRedirects?: number | undefined;
  /** Languages that are asked for, as `Accept-Language` has them. Default: none is named. */
  readonly acceptLanguage?: string | undefined;
  /** Default `chorale`. */
  readonly userAgent?: string | undefined;
  /** Default: the system's. */
  readonly resolve?: Resolver | undefined;
  /** Certificate authorities to trust instead of the usual ones (PEM). */
  readonly ca?: string | undefined;
};

/** Who chose a URL: the user, or a program that follows links by itself and heeds robots.txt. */
export type FetchPurpose = "named by the user" | "crawl";

export type WebRequest = {
  readonly signal?: AbortSignal | undefined;
  /** Media types, as `Accept` has them. */
  readonly accept?: string | undefined;
  readonly maxBytes?: number | undefined;
  readonly timeouts?: Pick<Partial<WebTimeouts>, "totalMs"> | undefined;
  readonly purpose: FetchPurpose;
  /** Further headers, such as a key. They are not sent on to another origin. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

export type WebResponse = {
  /** After redirects, without a fragment. */
  readonly url: string;
  readonly status: number;
  /** The header `Content-Type`, as it is; null where there is none. */
  readonly contentType: string | null;
  /** Decoded (gzip, deflate, br, zstd), not interpreted. */
  readonly bytes: Uint8Array;
  /** Whether no server sent it this time. */
  readonly fromCache: boolean;
  /** When a server sent it, or last confirmed it: ISO 8601. */
  readonly fetchedAt: string;
  /** Of `bytes`, in hexadecimal. */
  readonly sha256: string;
};

export interface WebClient {
  /** @throws NetError of some kind; its `code` says which. A status of 400 or more is no error. */
  get(url: string, request: WebRequest): Promise<WebResponse>;
  /** Sends `body`; like `get` but that it is not repeated where it may have been read. */
  post(url: string, body: string, request: WebRequest): Promise<WebResponse>;
  /** Closes the connections; what is in progress fails. */
  close(): Promise<void>;
}

const TIMEOUTS: WebTimeouts = { totalMs: 60_000, connectMs: 10_000, silenceMs: 20_000 };
const MAX_BYTES = 10 * 1024 * 1024;
const MAX_REDIRECTS = 8;
const ACCEPT =
  "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.9,text/markdown;q=0.9,*/*;q=0.8";
/** Sent anew to every origin; all other headers stay with the first. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "user-agent",
  "accept",
  "accept-encoding",
  "accept-language",
]);

/** @throws HostPatternError for a domain or host of the policy that is none */
export function openWebClient(options: WebClientOptions): WebClient {
  const policy = createWebPolicy(options);
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  let opened: Promise<GuardedClient> | undefined;

  const openClient = async (): Promise<GuardedClient> => {
    // Loaded where it is used: importing the tools loads no package.
    const { openGuardedClient } = await import("../guarded-dispatcher.ts");
    return openGuardedClient({
      resolve: options.resolve,
      allowAddress: policy.allowAddress,
      connectMs: timeouts.connectMs,
      silenceMs: timeouts.silenceMs,
      ca: options.ca,
      http2: true,
    });
  };

  const follow = async (
    first: URL,
    sent: SentRequest,
    request: WebRequest,
    signal: AbortSignal,
  ): Promise<WebResponse> => {
    policy.permit(first);
    opened ??= openClient();
    const client = await opened;
    const maxBytes = request.maxBytes ?? options.maxBytes ?? MAX_BYTES;
    const { response, url } = await followRedirects<Answer>(first, sent, {
      limit: options.maxRedirects ?? MAX_REDIRECTS,
      permit: (to, from) => policy.permit(to, from),
      send: (to, { method, headers, body }) => {
        const isHome = to.origin === first.origin;
        const kept = Object.entries(headers).filter(([name]) => isHome || OWN_HEADERS.has(name));
        const here = { method, headers: Object.fromEntries(kept), body };
        return exchange(client, to, here, { maxBytes, signal });
      },
    });
    return {
      url: withoutFragment(url),
      status: response.status,
      contentType: response.headers.get("content-type"),
      bytes: response.bytes,
      fromCache: false,
      fetchedAt: new Date().toISOString(),
      sha256: createHash("sha256").update(response.bytes).digest("hex"),
    };
  };

  const send = async (
    text: string,
    method: string,
    body: string | undefined,
    request: WebRequest,
  ): Promise<WebResponse> => {
    const totalMs = request.timeouts?.totalMs ?? timeouts.totalMs;
    const late = AbortSignal.timeout(totalMs);
    const signal = AbortSignal.any([late, ...(request.signal ? [request.signal] : [])]);
    const url = URL.parse(text);
    if (url === null) {
      throw new UrlRefusedError(text, "it is no absolute URL; accepted: http:// or https://.");
    }
    try {
      request.signal?.throwIfAborted();
      return await follow(
        url,
        { method, headers: headersOf(options, request), body },
        request,
        signal,
      );
    } catch (error) {
      if (request.signal?.aborted) throw new NetAbortedError(text, { cause: error });
      if (late.aborted) throw new NetTimeoutError(text, totalMs);
      throw asNetError(error, url.host);
    }
  };

  return {
    get: (url, request) => send(url, "GET", undefined, request),
    post: (url, body, request) => send(url, "POST", body, request),
    close: async () => (await opened)?.close(),
  };
}

function headersOf(options: WebClientOptions, request: WebRequest): Record<string, string> {
  const given = Object.entries(request.headers ?? {}).map(([name, value]) => [
    name.toLowerCase(),
    value,
  ]);
  return {
    "user-agent": options.userAgent ?? "chorale",
    accept: request.accept ?? ACCEPT,
    "accept-encoding": ACCEPTED_ENCODINGS,
    ...(options.acceptLanguage !== undefined && { "accept-language": options.acceptLanguage }),
    ...Object.fromEntries(given),
  };
}

function withoutFragment(url: URL): string {
  const plain = new URL(url);
  plain.hash = "";
  return plain.href;
}
