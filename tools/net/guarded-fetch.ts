/**
 * HTTP for code and models that are not trusted, safe against server-side request forgery (SSRF): only
 * granted hosts, only addresses of the public internet, each redirect judged like the first request, and
 * bounds on bytes, time and redirects. Proxies of the environment are not used: they would connect where
 * this cannot look.
 */

import type { Resolver } from "./address.ts";
import {
  asNetError,
  BodyTooLargeError,
  HostNotGrantedError,
  NetAbortedError,
  NetTimeoutError,
  RequestRefusedError,
  UrlRefusedError,
} from "./errors.ts";
import { followRedirects, type SentRequest } from "./follow-redirects.ts";
import type { FetchResponse, GuardedClient } from "./guarded-dispatcher.ts";
import { isHostGranted, parseHostPattern } from "./hosts.ts";

export type NetLimits = {
  /** Of a body as it is after decompression. */
  readonly responseBytes: number;
  readonly requestBytes: number;
  /** The whole of it: names, connections, redirects, body. */
  readonly timeMs: number;
  readonly redirects: number;
};

export type GuardedFetchOptions = {
  /** Patterns: `api.example.com`, `*.example.com`, `example.com:8443`, `*`. */
  readonly hosts: readonly string[];
  /** Default: 5 MiB of response, 1 MiB of request, 20 s, 5 redirects. */
  readonly limits?: Partial<NetLimits>;
  /** Default: the system's. */
  readonly resolve?: Resolver;
  /**
   * Addresses that are not public and may be connected to all the same: a mirror in the own network, a
   * test's loopback server. Given by the program only, never by a manifest. Default: none.
   */
  readonly allowAddress?: (address: string) => boolean;
  /** Certificate authorities to trust instead of the usual ones (PEM). */
  readonly ca?: string;
  /** Default `chorale`. */
  readonly userAgent?: string;
};

export type GuardedRequest = {
  /** GET, HEAD, POST, PUT, PATCH or DELETE; default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
};

export type GuardedResponse = {
  /** After redirects. */
  readonly url: string;
  readonly status: number;
  /** Names in lower case; values of headers that came several times are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Each `Set-Cookie` by itself: their values can hold commas. */
  readonly setCookies: readonly string[];
  readonly body: Uint8Array;
  /** How many redirects were followed. */
  readonly redirects: number;
};

export interface GuardedFetch {
  /** @throws NetError of some kind; its `code` says which, and nothing else is thrown */
  fetch(url: string, request?: GuardedRequest): Promise<GuardedResponse>;
  /** Closes the connections; what is in progress fails. */
  close(): Promise<void>;
}

const NET_LIMITS: NetLimits = {
  responseBytes: 5 * 1024 * 1024,
  requestBytes: 1024 * 1024,
  timeMs: 20_000,
  redirects: 5,
};

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
const LONGEST_URL = 8192;
/** Headers that say where a request goes, how it is framed, or whom a proxy should believe. */
const FRAMING =
  /^(host|connection|content-length|transfer-encoding|upgrade|te|trailer|keep-alive|expect|via|forwarded|proxy-.*|x-forwarded-.*|x-real-ip)$/i;
const MOST_HEADERS = 64;
const LONGEST_HEADER = 8192;

/** @throws HostPatternError for a pattern that is none */
export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const patterns = options.hosts.map(parseHostPattern);
  const granted = patterns.map(({ text }) => text);
  const limits: NetLimits = { ...NET_LIMITS, ...options.limits };
  let opened: Promise<GuardedClient> | undefined;

  const permit = (url: URL, from?: URL): void => {
    checkUrl(url, from);
    if (!isHostGranted(url, patterns)) throw new HostNotGrantedError(url.host, granted, from?.href);
  };

  const request = async (
    text: string,
    { method = "GET", headers = {}, body }: GuardedRequest,
    signal: AbortSignal,
  ): Promise<GuardedResponse> => {
    const first = parsedUrl(text);
    permit(first);
    const sent = checkedRequest(first, method, headers, body, limits.requestBytes);
    opened ??= openClient(options, limits);
    const client = await opened;
    const { response, url, redirects } = await followRedirects(first, sent, {
      limit: limits.redirects,
      permit,
      send: (to, { method, headers, body }) =>
        client.fetch(to, {
          method,
          headers: { "user-agent": options.userAgent ?? "chorale", ...headers },
          body: body ?? null,
          signal,
        }),
    });
    return {
      url: withoutHash(url),
      status: response.status,
      headers: Object.fromEntries(
        [...response.headers.keys()].map((name) => [name, response.headers.get(name) ?? ""]),
      ),
      setCookies: response.headers.getSetCookie(),
      body: await bodyOf(response, url, limits.responseBytes),
      redirects,
    };
  };

  return {
    async fetch(url, options = {}) {
      const late = AbortSignal.timeout(limits.timeMs);
      const signal = AbortSignal.any([late, ...(options.signal ? [options.signal] : [])]);
      try {
        return await request(url, options, signal);
      } catch (error) {
        if (late.aborted) throw new NetTimeoutError(url, limits.timeMs);
        if (options.signal?.aborted) throw new NetAbortedError(url, { cause: error });
        throw asNetError(error, hostOf(url));
      }
    },
    close: async () => (await opened)?.close(),
  };
}

/** Loaded when something is fetched; most programs never do. */
async function openClient(options: GuardedFetchOptions, limits: NetLimits): Promise<GuardedClient> {
  const { openGuardedClient } = await import("./guarded-dispatcher.ts");
  return openGuardedClient({
    resolve: options.resolve,
    allowAddress: options.allowAddress ?? (() => false),
    connectMs: limits.timeMs,
    silenceMs: limits.timeMs,
    ca: options.ca,
  });
}

function parsedUrl(text: string): URL {
  if (text.length > LONGEST_URL) {
    throw new UrlRefusedError(text, `a URL has at most ${LONGEST_URL} characters.`);
  }
  const url = URL.parse(text);
  if (url === null) {
    throw new UrlRefusedError(text, "it is no absolute URL; accepted: http:// or https://.");
  }
  return url;
}

/** @param from  the URL that redirects there */
function checkUrl(url: URL, from?: URL): void {
  if (url.href.length > LONGEST_URL) {
    throw new UrlRefusedError(url.href, `a URL has at most ${LONGEST_URL} characters.`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    const where = from === undefined ? "" : ", to which it redirects";
    throw new UrlRefusedError(
      from?.href ?? url.href,
      `${url.protocol}//${where} is not supported; accepted: http:// or https://.`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new UrlRefusedError(
      `${url.protocol}//…@${url.host}`,
      "it holds a user name or password; send an Authorization header.",
    );
  }
}

function withoutHash(url: URL): string {
  const plain = new URL(url);
  plain.hash = "";
  return plain.href;
}

function checkedRequest(
  url: URL,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array | undefined,
  limitBytes: number,
): SentRequest {
  const verb = method.toUpperCase();
  if (!METHODS.has(verb)) {
    const accepted = [...METHODS].join(", ");
    throw new RequestRefusedError(url.href, `the method is none of ${accepted}.`);
  }
  if (body !== undefined) {
    if (verb === "GET" || verb === "HEAD") {
      throw new RequestRefusedError(url.href, `a ${verb} request has no body.`);
    }
    if (Buffer.byteLength(body) > limitBytes) {
      throw new BodyTooLargeError(url.href, "request", limitBytes);
    }
  }
  const entries = Object.entries(headers);
  if (entries.length > MOST_HEADERS) {
    throw new RequestRefusedError(url.href, `it has more than ${MOST_HEADERS} headers.`);
  }
  for (const [name, value] of entries) {
    if (FRAMING.test(name)) {
      throw new RequestRefusedError(url.href, `the header ${name} cannot be set.`);
    }
    const isText = typeof value === "string" && value.length <= LONGEST_HEADER;
    // Line ends would begin another header, or another request.
    if (
      !/^[\w!#$%&'*+.^`|~-]{1,200}$/.test(name) ||
      !isText ||
      /[^\t\x20-\x7e\x80-\xff]/.test(value)
    ) {
      throw new RequestRefusedError(url.href, `one of its headers is none.`);
    }
  }
  const lower = entries.map(([name, value]) => [name.toLowerCase(), value] as const);
  return { method: verb, headers: Object.fromEntries(lower), body };
}

async function bodyOf(response: FetchResponse, url: URL, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of response.body ?? []) {
    held += chunk.length;
    // Leaving the loop cancels the body.
    if (held > limitBytes) throw new BodyTooLargeError(url.href, "response", limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, held);
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url;
}
