/**
 * Pages of the web for a person or a model: each URL, each redirect and each address is judged before it is
 * asked, and bodies, time and redirects are bounded. robots.txt is
 * heeded where a program follows links, hosts are asked politely, and what may be kept is kept. No cookies are
 * kept or sent.
 */
import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";

import type { Resolver } from "../address.ts";
import {
  asNetError,
  NetAbortedError,
  NetTimeoutError,
  RecordingError,
  UrlRefusedError,
} from "../errors.ts";
import { followRedirects, type SentRequest } from "../follow-redirects.ts";
import type { GuardedClient } from "../guarded-dispatcher.ts";
import { proxyRules } from "../proxy-rules.ts";
import { ACCEPTED_ENCODINGS } from "./decode-body.ts";
import { fetchHop, type HopAnswer } from "./fetch-hop.ts";
import { type Clock, HostPace } from "./host-pace.ts";
import type { HttpCache } from "./http-cache.ts";
import { createWebPolicy, type WebPolicy, type WebPolicyOptions } from "./policy.ts";
import { RETRY, type RetryOptions } from "./retry.ts";
import { RobotsGuard } from "./robots-guard.ts";

export type WebTimeouts = {
  /** The whole of it: names, connections, waiting, redirects, body. Default 60 s. */
  readonly totalMs: number;
  /** One connection. Default 10 s. */
  readonly connectMs: number;
  /** Longest time without a byte of a response. Default 20 s. */
  readonly silenceMs: number;
};

/** Fetches that are kept with something else than the cache, so that it can be played again without a network. */
export type FetchRecording = {
  /** What was recorded for a key; undefined where nothing was, or where it is to be fetched anew. */
  read(key: string): RecordedFetch | undefined | Promise<RecordedFetch | undefined>;
  write(key: string, fetched: RecordedFetch): void | Promise<void>;
};

/** A response as it is recorded: without where it came from. */
export type RecordedFetch = Omit<WebResponse, "fromCache">;

export type WebClientOptions = WebPolicyOptions & {
  readonly timeouts?: Partial<WebTimeouts> | undefined;
  /** Most bytes of a body, both as it is sent and as it is after decoding. Default 10 MiB. */
  readonly maxBytes?: number | undefined;
  /** Default 8. */
  readonly maxRedirects?: number | undefined;
  /** Languages that are asked for, as `Accept-Language` has them. Default: none is named. */
  readonly acceptLanguage?: string | undefined;
  /** Default `chorale`. What it begins with is the name that robots.txt is searched for. */
  readonly userAgent?: string | undefined;
  /**
   * A file in which responses are kept as their servers allow it (RFC 9111), at most `maxBytes` of them
   * (default 256 MiB). Several clients and processes may use it at once. Default: nothing is kept.
   */
  readonly cache?: { readonly path: string; readonly maxBytes?: number | undefined } | undefined;
  /** Nothing is asked: only the recording and the cache answer, however old. */
  readonly isOffline?: boolean | undefined;
  readonly recording?: FetchRecording | undefined;
  /**
   * Shortest time between two requests to one host. Default: 1 s to crawl, 200 ms for what the user named, none
   * for private hosts.
   */
  readonly intervalMs?: Readonly<Partial<Record<FetchPurpose, number>>> | undefined;
  readonly retry?: Partial<RetryOptions> | undefined;
  /** Told once where the cache cannot be used; pages are then fetched without it. */
  readonly warn?: ((message: string) => void) | undefined;
  /**
   * The environment (default: that of the process) whose proxies are used: `https_proxy`, `http_proxy`,
   * `all_proxy`, `no_proxy`, and in capitals. Names are resolved and checked here all the same, and a proxy is
   * told the address. `resolvesNames`: it is told the name, for a proxy that decides by names or where names
   * cannot be resolved here; what a name then stands for is the proxy's to check. Default: no proxy.
   */
  readonly proxy?:
    | {
        readonly env?: NodeJS.ProcessEnv | undefined;
        readonly resolvesNames?: boolean | undefined;
      }
    | undefined;
  /** Default: the system's. */
  readonly resolve?: Resolver | undefined;
  /** Certificate authorities to trust instead of the usual ones (PEM). */
  readonly ca?: string | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
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
const CACHE_BYTES = 256 * 1024 * 1024;
/** As many as browsers open. */
const CONNECTIONS = 6;
/** Policies and hints of some sites take more than the 16 KiB that Node accepts. */
const HEAD_BYTES = 64 * 1024;
const ROBOTS_BYTES = 2 * 1024 * 1024;
const INTERVALS_MS: Readonly<Record<FetchPurpose, number>> = {
  "named by the user": 200,
  crawl: 1000,
};
const ACCEPT =
  "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.9,text/markdown;q=0.9,*/*;q=0.8";
/** Sent anew to every origin; all other headers stay with the first. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "user-agent",
  "accept",
  "accept-encoding",
  "accept-language",
]);

const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => setTimeout(ms, undefined, { signal }),
};

/** @throws HostPatternError for a domain or host of the policy that is none */
export function createWebClient(options: WebClientOptions): WebClient {
  return new PooledWebClient(options);
}

/** What one `get` or `post` has been asked, for all of its hops. */
type Journey = {
  readonly request: WebRequest;
  readonly signal: AbortSignal;
  readonly deadline: number;
};

class PooledWebClient implements WebClient {
  readonly #options: WebClientOptions;
  readonly #policy: WebPolicy;
  readonly #timeouts: WebTimeouts;
  readonly #clock: Clock;
  readonly #pace: HostPace;
  readonly #robots: RobotsGuard;
  #client: Promise<GuardedClient> | undefined;
  #cache: Promise<HttpCache | null> | undefined;

  constructor(options: WebClientOptions) {
    this.#options = options;
    this.#policy = createWebPolicy(options);
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts };
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#pace = new HostPace(this.#clock);
    this.#robots = new RobotsGuard(
      (url, signal) => this.#readRobots(url, signal),
      this.#userAgent,
      this.#clock,
    );
  }

  get(url: string, request: WebRequest): Promise<WebResponse> {
    return this.#send(url, { method: "GET", headers: this.#headers(request) }, request);
  }

  post(url: string, body: string, request: WebRequest): Promise<WebResponse> {
    return this.#send(url, { method: "POST", headers: this.#headers(request), body }, request);
  }

  async close(): Promise<void> {
    await (await this.#client)?.close();
    (await this.#cache)?.close();
  }

  get #userAgent(): string {
    return this.#options.userAgent ?? "chorale";
  }

  /** Within the time that it may take, with what stops it as the reason where it is stopped. */
  async #send(text: string, sent: SentRequest, request: WebRequest): Promise<WebResponse> {
    const totalMs = request.timeouts?.totalMs ?? this.#timeouts.totalMs;
    const late = AbortSignal.timeout(totalMs);
    const signal = AbortSignal.any([late, ...(request.signal ? [request.signal] : [])]);
    const url = URL.parse(text);
    if (url === null) {
      throw new UrlRefusedError(text, "it is no absolute URL; accepted: http:// or https://.");
    }
    try {
      request.signal?.throwIfAborted();
      this.#policy.permit(url);
      const recorded = await this.#recorded(url, sent);
      if (recorded !== null) return recorded;
      const deadline = this.#clock.now() + totalMs;
      const response = await this.#follow(url, sent, { request, signal, deadline });
      await this.#record(url, sent, response);
      return response;
    } catch (error) {
      if (request.signal?.aborted) throw new NetAbortedError(text, { cause: error });
      if (late.aborted) throw new NetTimeoutError(text, totalMs);
      throw asNetError(error, url.host);
    }
  }

  async #follow(first: URL, sent: SentRequest, journey: Journey): Promise<WebResponse> {
    const { purpose } = journey.request;
    const asked = new Set<string>();
    const { response, url } = await followRedirects<HopAnswer>(first, sent, {
      limit: this.#options.maxRedirects ?? MAX_REDIRECTS,
      permit: (to, from) => this.#policy.permit(to, from),
      send: async (to, { method, headers, body }) => {
        const isCrawl = purpose === "crawl" && !this.#options.isOffline;
        const delay = isCrawl ? await this.#robots.check(to, journey.signal) : null;
        const isHome = to.origin === first.origin;
        const kept = Object.entries(headers).filter(([name]) => isHome || OWN_HEADERS.has(name));
        const here = { method, headers: Object.fromEntries(kept), body };
        // A redirect within a host belongs to the request that led to it.
        const intervalMs = asked.has(to.host) ? null : this.#interval(to, purpose, delay);
        asked.add(to.host);
        return this.#hop(to, here, journey, intervalMs);
      },
    });
    const { status, headers, bytes, fromCache, fetchedAt } = response;
    return {
      url: withoutFragment(url),
      status,
      contentType: headers.get("content-type"),
      bytes,
      fromCache,
      fetchedAt: new Date(fetchedAt).toISOString(),
      sha256: sha256(bytes),
    };
  }

  async #hop(
    url: URL,
    sent: SentRequest,
    { request, signal, deadline }: Journey,
    intervalMs: number | null,
  ): Promise<HopAnswer> {
    const options = this.#options;
    return fetchHop(
      url,
      sent,
      {
        maxBytes: request.maxBytes ?? options.maxBytes ?? MAX_BYTES,
        signal,
        deadline,
        intervalMs,
        // What was asked with a key or a body is for that caller alone.
        isCacheable: sent.method === "GET" && request.headers === undefined,
      },
      {
        client: () => this.#openClient(),
        cache: await this.#openCache(),
        isOffline: options.isOffline ?? false,
        isPrivateHost: this.#policy.isPrivateHost,
        pace: this.#pace,
        clock: this.#clock,
        retry: { ...RETRY, ...options.retry },
      },
    );
  }

  async #readRobots(
    url: URL,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly bytes: Uint8Array }> {
    const request: WebRequest = {
      purpose: "named by the user",
      accept: "text/plain,*/*;q=0.5",
      maxBytes: ROBOTS_BYTES,
    };
    const deadline = this.#clock.now() + this.#timeouts.totalMs;
    const sent = { method: "GET", headers: this.#headers(request) };
    this.#policy.permit(url);
    return this.#follow(url, sent, { request, signal, deadline });
  }

  #interval(url: URL, purpose: FetchPurpose, crawlDelay: number | null): number {
    // The user's own servers need no protection from the user.
    const usual = this.#policy.isPrivateHost(url) ? 0 : INTERVALS_MS[purpose];
    const own = this.#options.intervalMs?.[purpose] ?? usual;
    return Math.max(own, (crawlDelay ?? 0) * 1000);
  }

  async #recorded(url: URL, sent: SentRequest): Promise<WebResponse | null> {
    const found = await this.#options.recording?.read(recordingKey(url, sent));
    if (found === undefined) return null;
    if (sha256(found.bytes) !== found.sha256) throw new RecordingError(url.href);
    return { ...found, fromCache: true };
  }

  async #record(url: URL, sent: SentRequest, response: WebResponse): Promise<void> {
    const { fromCache: _, ...fetched } = response;
    await this.#options.recording?.write(recordingKey(url, sent), fetched);
  }

  #openClient(): Promise<GuardedClient> {
    this.#client ??= (async () => {
      // Loaded where it is used: importing the tools loads no package.
      const { openGuardedClient } = await import("../guarded-dispatcher.ts");
      const { proxy } = this.#options;
      return openGuardedClient({
        proxies: proxy && proxyRules(proxy.env ?? process.env),
        proxiesResolveNames: proxy?.resolvesNames,
        resolve: this.#options.resolve,
        allowAddress: this.#policy.allowAddress,
        connectMs: this.#timeouts.connectMs,
        silenceMs: this.#timeouts.silenceMs,
        ca: this.#options.ca,
        http2: true,
        connections: CONNECTIONS,
        headBytes: HEAD_BYTES,
      });
    })();
    return this.#client;
  }

  #openCache(): Promise<HttpCache | null> {
    const { cache, warn } = this.#options;
    if (cache === undefined) return Promise.resolve(null);
    this.#cache ??= (async () => {
      const { HttpCache } = await import("./http-cache.ts");
      try {
        return new HttpCache(cache.path, cache.maxBytes ?? CACHE_BYTES);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        warn?.(`Pages are not kept: ${cache.path} cannot be opened (${why}).`);
        return null;
      }
    })();
    return this.#cache;
  }

  #headers(request: WebRequest): Record<string, string> {
    const { acceptLanguage } = this.#options;
    const given = Object.entries(request.headers ?? {});
    return {
      "user-agent": this.#userAgent,
      accept: request.accept ?? ACCEPT,
      "accept-encoding": ACCEPTED_ENCODINGS,
      ...(acceptLanguage !== undefined && { "accept-language": acceptLanguage }),
      ...Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])),
    };
  }
}

/** The same for the same question, not for the answer: method, URL, media types, and the hash of a body. */
function recordingKey(url: URL, { method, headers, body }: SentRequest): string {
  const parts = [method, withoutFragment(url), headers["accept"] ?? ""];
  if (body !== undefined) parts.push(sha256(body));
  return parts.join(" ");
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function withoutFragment(url: URL): string {
  const plain = new URL(url);
  plain.hash = "";
  return plain.href;
}
