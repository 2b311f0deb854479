/**
 * Requests to registries, over a client that the caller brings: it says where may be connected to, and this folder
 * what is asked. Redirects are followed here, so that a key for one host never reaches another.
 */
import { setTimeout as wait } from "node:timers/promises";
import { ModelStoreError, type ModelStoreErrorCode } from "../errors.ts";

export type HttpRequest = {
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

export type HttpResponse = {
  readonly status: number;
  header(name: string): string | null;
  /**
   * Gives the body to `sink` as it comes.
   * @param sink returns a promise to be waited for before the next chunk; false: enough
   */
  read(sink: (chunk: Uint8Array) => Promise<boolean> | boolean): Promise<void>;
  /** Gives up on the body. */
  cancel(): void;
};

/** One GET request, without following redirects. Throws any error when there is no answer, or the body breaks off. */
export type HttpGet = (request: HttpRequest) => Promise<HttpResponse>;

/** A key for one origin. */
export type Credentials = {
  /** `https://huggingface.co` */
  readonly origin: string;
  /** Of the Authorization header. */
  readonly authorization: string;
};

export type Registry = {
  readonly get: HttpGet;
  readonly credentials: Credentials | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds before the first repetition; doubled for each further one. Default 500. */
  readonly retryMs?: number | undefined;
  /** Gets a sentence before something is tried again. */
  readonly onNote: (sentence: string) => void;
};

export type Answer = {
  readonly response: HttpResponse;
  /** Where it came from in the end. */
  readonly url: URL;
};

const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** So often in a row something fails before it is given up. */
const MOST_FAILURES = 6;
const RETRY_MS = 500;
const LONGEST_WAIT_MS = 60_000;
const TOO_MANY_REQUESTS = 429;
const REQUEST_TIMEOUT = 408;

/** What may be otherwise in a moment: try again. */
export class PassingError extends Error {
  /** Seconds that the server wants; undefined where it says nothing. */
  readonly retryAfter: number | undefined;
  constructor(message: string, retryAfter?: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfter = retryAfter;
  }
}

/**
 * One request, by way of redirects.
 * @throws PassingError when there is no answer; ModelStoreError for redirects that are not followed
 */
export async function request(
  { get, credentials, signal }: Registry,
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  let at = url;
  for (let redirects = 0; ; redirects++) {
    const isTrusted = credentials !== undefined && at.origin === credentials.origin;
    const sent = {
      "user-agent": "chorale",
      // Sizes, parts and hashes are those of the content itself.
      "accept-encoding": "identity",
      ...headers,
      ...(isTrusted && { authorization: credentials.authorization }),
    };
    const response = await get({ url: at, headers: sent, signal }).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw new PassingError(`${shown(at)}: ${messageOf(cause)}`, undefined, { cause });
    });
    const location = response.header("location");
    if (!REDIRECTS.has(response.status) || location === null) return { response, url: at };
    response.cancel();
    const next = URL.parse(location, at.href);
    const isWeb = next?.protocol === "https:" || next?.protocol === "http:";
    const isDowngrade = at.protocol === "https:" && next?.protocol === "http:";
    if (next === null || !isWeb || isDowngrade || redirects === MOST_REDIRECTS) {
      throw new ModelStoreError(
        "CHORALE_PULL_REGISTRY",
        `${shown(at)} redirects to where no file is fetched from; accepted: at most ${MOST_REDIRECTS} ` +
          "redirects, to https (or from http to http).",
      );
    }
    at = next;
  }
}

/**
 * The whole body of an answer with the status 200, tried again where that may help.
 * @param what for messages: what is asked for
 * @throws ModelStoreError
 */
export async function fetchBytes(
  registry: Registry,
  url: URL,
  headers: Readonly<Record<string, string>>,
  { what, mostBytes }: { readonly what: string; readonly mostBytes: number },
): Promise<{ readonly bytes: Buffer; readonly response: HttpResponse }> {
  const { signal, retryMs, onNote } = registry;
  const failures = new Failures({ what, signal, retryMs, onNote });
  for (;;) {
    try {
      const { response, url: from } = await request(registry, url, headers);
      if (response.status !== 200) {
        response.cancel();
        throw statusError(response, from, what);
      }
      return { bytes: await readBody(response, from, what, mostBytes, signal), response };
    } catch (error) {
      await failures.add(error);
    }
  }
}

/** @throws ModelStoreError, also for what is no JSON */
export async function fetchJson(
  registry: Registry,
  url: URL,
  headers: Readonly<Record<string, string>>,
  limits: { readonly what: string; readonly mostBytes: number },
): Promise<{ readonly json: unknown; readonly bytes: Buffer; readonly response: HttpResponse }> {
  const { bytes, response } = await fetchBytes(registry, url, headers, limits);
  try {
    return { json: JSON.parse(bytes.toString("utf8")), bytes, response };
  } catch (cause) {
    throw registryError(url, `sends no JSON as ${limits.what}`, cause);
  }
}

async function readBody(
  response: HttpResponse,
  url: URL,
  what: string,
  mostBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    await response.read((chunk) => {
      chunks.push(chunk);
      length += chunk.byteLength;
      return length <= mostBytes;
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new PassingError(`${shown(url)}: ${messageOf(cause)}`, undefined, { cause });
  }
  if (length > mostBytes) throw registryError(url, `sends more than ${mostBytes} bytes as ${what}`);
  const stated = response.header("content-length");
  if (stated !== null && /^\d{1,15}$/.test(stated) && Number(stated) !== length) {
    throw new PassingError(`${shown(url)}: the answer was cut off`);
  }
  return Buffer.concat(chunks);
}

/** What a status other than the expected one means. */
export function statusError(response: HttpResponse, url: URL, what: string): Error {
  const { status } = response;
  if (status === REQUEST_TIMEOUT || status === TOO_MANY_REQUESTS || status >= 500) {
    return new PassingError(`${shown(url)} answers ${status}`, retryAfter(response));
  }
  const error = (code: ModelStoreErrorCode, problem: string): ModelStoreError =>
    new ModelStoreError(
      code,
      `Cannot fetch ${what}: ${problem} (${shown(url)} answers ${status}).`,
    );
  if (status === 401 || status === 403) {
    return error(
      "CHORALE_PULL_DENIED",
      "the registry wants a key, or has no such model for this one",
    );
  }
  if (status === 404 || status === 410) {
    return error("CHORALE_PULL_NOT_FOUND", "the registry does not have it");
  }
  return error("CHORALE_PULL_REGISTRY", "the registry answers something else");
}

/** Seconds, or a date; capped, since a server may say anything. */
function retryAfter(response: HttpResponse): number | undefined {
  const text = response.header("retry-after");
  if (text === null) return undefined;
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

export type FailureOptions = {
  readonly what: string;
  readonly signal: AbortSignal;
  readonly retryMs?: number | undefined;
  readonly onNote: (sentence: string) => void;
};

/** Failures in a row: each is waited after, longer and longer, until there are too many. */
export class Failures {
  readonly #options: FailureOptions;
  #count = 0;

  constructor(options: FailureOptions) {
    this.#options = options;
  }

  /** Something was received. */
  progress(): void {
    this.#count = 0;
  }

  /**
   * Waits before the next try.
   * @throws the error, unless it may pass; ModelStoreError after too many; the signal's reason
   */
  async add(error: unknown): Promise<void> {
    const { what, signal, retryMs = RETRY_MS, onNote } = this.#options;
    signal.throwIfAborted();
    if (!(error instanceof PassingError)) throw error;
    this.#count++;
    if (this.#count >= MOST_FAILURES) {
      throw new ModelStoreError(
        "CHORALE_PULL_NETWORK",
        `Cannot fetch ${what}: ${error.message}, after ${this.#count} tries in a row. What was received ` +
          "stays; the same command goes on from there.",
        { cause: error },
      );
    }
    const own = retryMs * 2 ** (this.#count - 1) * (0.75 + Math.random() / 2);
    const asked = (error.retryAfter ?? 0) * 1000;
    const ms = Math.min(LONGEST_WAIT_MS, Math.max(own, asked));
    if (this.#count > 1 || asked > own) {
      onNote(`${error.message}; trying again in ${(ms / 1000).toFixed(1)} s.`);
    }
    await wait(ms, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}

export function registryError(url: URL, problem: string, cause?: unknown): ModelStoreError {
  return new ModelStoreError("CHORALE_PULL_REGISTRY", `${shown(url)} ${problem}.`, { cause });
}

export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.slice(0, 300).replace(/\.$/, "");
}

/** A URL without what may be a key: signed addresses carry theirs in the query. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
