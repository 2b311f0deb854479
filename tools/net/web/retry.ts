/** What is worth another try, and when. */
import { NetError } from "../errors.ts";

export type RetryOptions = {
  /** How often a request is sent at most. Default 3. */
  readonly attempts: number;
  /** Before the second attempt; doubled before each further one. Default 500 ms. */
  readonly baseMs: number;
  /** A server that wants a longer pause than this gets no further attempt. Default 20 s. */
  readonly maxWaitMs: number;
};

export const RETRY: RetryOptions = { attempts: 3, baseMs: 500, maxWaitMs: 20_000 };

/** The server did not handle the request, and says that it may be sent again. */
const COME_BACK: ReadonlySet<number> = new Set([429, 503]);
/** Something on the way did not work; the request may have been handled. */
const ON_THE_WAY: ReadonlySet<number> = new Set([502, 504]);
/** A connection that ended, by the codes of Node and undici. */
const TRANSIENT =
  /^(?:ECONNRESET|EPIPE|ETIMEDOUT|EAI_AGAIN|UND_ERR_SOCKET|UND_ERR_CONNECT_TIMEOUT|ERR_HTTP2_(?:STREAM|SESSION)_ERROR|ERR_HTTP2_GOAWAY_SESSION)$/;
/** Beyond this, what a server wants is not remembered. */
const LONGEST_PAUSE_MS = 3_600_000;
const MOST_CAUSES = 8;

export function isWorthRepeating(status: number, method: string): boolean {
  return COME_BACK.has(status) || (ON_THE_WAY.has(status) && method === "GET");
}

/** Whether a GET request that failed in this way may work when it is sent again. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof NetError)) return false;
  if (error.code === "CHORALE_NET_INCOMPLETE") return true;
  if (error.code !== "CHORALE_NET_UNREACHABLE") return false;
  let cause: unknown = error;
  for (let depth = 0; cause instanceof Error && depth < MOST_CAUSES; depth++) {
    if ("code" in cause && TRANSIENT.test(String(cause.code))) return true;
    cause = cause.cause;
  }
  return false;
}

/**
 * @param attempt  that failed, from 1
 * @param random  from 0 to 1, so that several programs do not come back together
 * @returns ms until the next one
 */
export function backoff(attempt: number, baseMs: number, random: number): number {
  return baseMs * 2 ** (attempt - 1) * (0.5 + random / 2);
}

/**
 * Reads the header Retry-After: seconds or a date (RFC 9110 10.2.3).
 *
 * @returns ms from now, at most an hour; null for what is neither
 */
export function parseRetryAfter(header: string | null, now: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_PAUSE_MS);
  // A date has a weekday's name in each of the three forms; Date.parse also reads "-5" and "1.5".
  if (!/^(?:mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return null;
  const at = Date.parse(text);
  if (Number.isNaN(at)) return null;
  return Math.min(Math.max(at - now, 0), LONGEST_PAUSE_MS);
}
