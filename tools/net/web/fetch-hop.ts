/** One URL without its redirects: from the cache, or from its server, in its turn and in several attempts. */
import { OfflineError } from "../errors.ts";
import type { SentRequest } from "../follow-redirects.ts";
import type { GuardedClient } from "../guarded-dispatcher.ts";
import { type Answer, exchange } from "./exchange.ts";
import type { Clock, HostPace } from "./host-pace.ts";
import type { CacheHit, HttpCache } from "./http-cache.ts";
import {
  backoff,
  isTransient,
  isWorthRepeating,
  parseRetryAfter,
  type RetryOptions,
} from "./retry.ts";

/** What all hops of a client share. */
export type HopContext = {
  /** Opens it on first use; nothing is opened for what the cache answers. */
  readonly client: () => Promise<GuardedClient>;
  readonly cache: HttpCache | null;
  readonly isOffline: boolean;
  readonly isPrivateHost: (url: URL) => boolean;
  readonly pace: HostPace;
  readonly clock: Clock;
  readonly retry: RetryOptions;
};

export type Hop = {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** When the caller will have given up, in ms since 1970. */
  readonly deadline: number;
  /** Between this request and the next one to the host, in ms; null for a redirect within the host. */
  readonly intervalMs: number | null;
  /** Whether the cache may answer, and keep the answer. */
  readonly isCacheable: boolean;
};

export type HopAnswer = Answer & {
  readonly fromCache: boolean;
  /** In ms since 1970. */
  readonly fetchedAt: number;
};

const NOT_MODIFIED = 304;

/** @throws NetError */
export async function fetchHop(
  url: URL,
  sent: SentRequest,
  hop: Hop,
  context: HopContext,
): Promise<HopAnswer> {
  const cache = hop.isCacheable ? context.cache : null;
  const hit = usable(cache?.find(url, sent.headers) ?? null, url, hop, context);
  if (hit !== null && (hit.isFresh || context.isOffline)) {
    cache?.used(url);
    return { ...hit.answer, fromCache: true, fetchedAt: hit.fetchedAt };
  }
  if (context.isOffline) throw new OfflineError(url.href);
  if (hit !== null) {
    const answer = await ask(url, { ...sent, headers: hit.validators }, hop, context);
    if (answer.status === NOT_MODIFIED) {
      const confirmed = cache?.confirmed(url, sent.headers, hit, answer.headers) ?? null;
      if (confirmed !== null) {
        return { ...confirmed, fromCache: true, fetchedAt: context.clock.now() };
      }
    } else return kept(url, sent, answer, cache, context);
  }
  return kept(url, sent, await ask(url, sent, hop, context), cache, context);
}

/** What came from the own network is not shown where that network was not allowed. */
function usable(
  hit: CacheHit | null,
  url: URL,
  { maxBytes }: Hop,
  { isPrivateHost }: HopContext,
): CacheHit | null {
  if (hit === null || (hit.isPrivate && !isPrivateHost(url))) return null;
  return hit.answer.bytes.length <= maxBytes ? hit : null;
}

function kept(
  url: URL,
  { headers }: SentRequest,
  answer: Answer,
  cache: HttpCache | null,
  { clock, isPrivateHost }: HopContext,
): HopAnswer {
  cache?.store(url, headers, answer, isPrivateHost(url));
  return { ...answer, fromCache: false, fetchedAt: clock.now() };
}

async function ask(url: URL, sent: SentRequest, hop: Hop, context: HopContext): Promise<Answer> {
  const { clock, pace, retry } = context;
  const { deadline, signal } = hop;
  const isRepeatable = sent.method === "GET";
  const client = await context.client();
  for (let attempt = 1; ; attempt++) {
    if (hop.intervalMs !== null) await pace.turn(url.host, hop.intervalMs, deadline, signal);
    const pause = backoff(attempt, retry.baseMs, Math.random());
    const isLast = attempt >= retry.attempts;
    let answer: Answer;
    try {
      answer = await exchange(client, url, sent, hop);
    } catch (error) {
      const isOver = isLast || clock.now() + pause >= deadline;
      if (isOver || !isRepeatable || signal.aborted || !isTransient(error)) throw error;
      await clock.sleep(pause, signal);
      continue;
    }
    if (!isWorthRepeating(answer.status, sent.method)) return answer;
    const wanted = parseRetryAfter(answer.headers.get("retry-after"), clock.now());
    if (wanted !== null) pace.defer(url.host, wanted);
    const wait = Math.max(wanted ?? 0, pause);
    if (isLast || wait > retry.maxWaitMs || clock.now() + wait >= deadline) return answer;
    await clock.sleep(wait, signal);
  }
}
