/** A private HTTP cache (RFC 9111) over a cache file: what may be stored, what is fresh, what a 304 confirms. */
import { CacheFile, type StoredResponse } from "./cache-file.ts";
import { CachePolicy } from "./cache-semantics.ts";
import type { Answer } from "./exchange.ts";

/** A stored response that was found for a request. */
export type CacheHit = {
  /** As its server would give it again. */
  readonly answer: Answer;
  readonly fetchedAt: number;
  /** It may be used without asking its server. */
  readonly isFresh: boolean;
  /** What the request is sent with to have it confirmed; what is given where nothing could confirm it. */
  readonly validators: Readonly<Record<string, string>>;
  readonly isPrivate: boolean;
  readonly policy: CachePolicy;
};

type RequestHeaders = Readonly<Record<string, string>>;

/** The response headers that say whether and how long it may be used; no other is kept. */
const KEPT_HEADERS: readonly string[] = [
  "age",
  "cache-control",
  "date",
  "etag",
  "expires",
  "last-modified",
  "pragma",
  "vary",
];
const FIRST_ERROR = 400;

export class HttpCache {
  readonly #file: CacheFile;

  /** @throws Error where the file cannot be opened */
  constructor(path: string, maxBytes: number) {
    this.#file = new CacheFile(path, maxBytes);
  }

  find(url: URL, headers: RequestHeaders): CacheHit | null {
    const stored = this.#file.get(keyOf(url));
    if (stored === null) return null;
    const policy = readPolicy(stored);
    if (policy === null) return null;
    const request = { url: keyOf(url), method: "GET", headers };
    return {
      answer: answerOf(stored),
      fetchedAt: stored.fetchedAt,
      isFresh: policy.satisfiesWithoutRevalidation(request),
      validators: policy.revalidationHeaders(request) as RequestHeaders,
      isPrivate: stored.isPrivate,
      policy,
    };
  }

  /** Says that what was found is used. */
  used(url: URL): void {
    this.#file.touch(keyOf(url));
  }

  /** Keeps a response where its server allows it; else forgets what was kept for the URL. */
  store(url: URL, headers: RequestHeaders, answer: Answer, isPrivate: boolean): void {
    const request = { url: keyOf(url), method: "GET", headers };
    const received = keptHeaders(answer.headers);
    const policy = new CachePolicy(
      request,
      { status: answer.status, headers: received },
      { shared: false },
    );
    // An error without a time of its own is better asked for again.
    const isKept = policy.storable() && (answer.status < FIRST_ERROR || policy.timeToLive() > 0);
    if (!isKept) {
      this.#file.delete(keyOf(url));
      return;
    }
    this.#file.put(keyOf(url), {
      policy: JSON.stringify(policy.toObject()),
      status: answer.status,
      contentType: answer.headers.get("content-type"),
      location: answer.headers.get("location"),
      body: answer.bytes,
      fetchedAt: Date.now(),
      isPrivate,
    });
  }

  /**
   * What a 304 confirms, kept anew with the time that it gives.
   *
   * @returns null where it is about another response than the stored one
   */
  confirmed(url: URL, headers: RequestHeaders, hit: CacheHit, received: Headers): Answer | null {
    const request = { url: keyOf(url), method: "GET", headers };
    const { policy, modified, matches } = hit.policy.revalidatedPolicy(request, {
      status: 304,
      headers: keptHeaders(received),
    });
    if (modified || !matches) return null;
    this.#file.put(keyOf(url), {
      policy: JSON.stringify(policy.toObject()),
      status: hit.answer.status,
      contentType: hit.answer.headers.get("content-type"),
      location: hit.answer.headers.get("location"),
      body: hit.answer.bytes,
      fetchedAt: Date.now(),
      isPrivate: hit.isPrivate,
    });
    return hit.answer;
  }

  close(): void {
    this.#file.close();
  }
}

function keyOf(url: URL): string {
  const plain = new URL(url);
  plain.hash = "";
  return plain.href;
}

function keptHeaders(received: Headers): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = received.get(name);
    // Directives may be written in any case; the library compares them as they are.
    if (value !== null) kept[name] = name === "cache-control" ? value.toLowerCase() : value;
  }
  return kept;
}

function readPolicy({ policy }: StoredResponse): CachePolicy | null {
  try {
    return CachePolicy.fromObject(JSON.parse(policy));
  } catch {
    return null;
  }
}

function answerOf({ status, contentType, location, body }: StoredResponse): Answer {
  const headers = new Headers();
  if (contentType !== null) headers.set("content-type", contentType);
  if (location !== null) headers.set("location", location);
  return { status, headers, bytes: body, body: null };
}
