/** How soon a host may be asked again: politely spaced, and never before it said to come back. */
import { RateLimitedError } from "../errors.ts";

/** Time as the client sees it; a test gives its own. */
export type Clock = {
  /** Milliseconds since 1970. */
  now(): number;
  /** Rejects with the signal's reason. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
};

/** Beyond as many, hosts that may be asked at once are forgotten. */
const MOST_HOSTS = 1000;

export class HostPace {
  readonly #clock: Clock;
  /** When each host may be asked next. */
  readonly #next = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits until the host may be asked, and takes that turn.
   *
   * @param intervalMs  between this request and the next one
   * @param deadline  when the caller will have given up, in ms since 1970
   * @throws RateLimitedError at once where the turn comes after the deadline
   */
  async turn(
    host: string,
    intervalMs: number,
    deadline: number,
    signal: AbortSignal,
  ): Promise<void> {
    const now = this.#clock.now();
    const at = Math.max(now, this.#next.get(host) ?? 0);
    if (at > now && at >= deadline) throw new RateLimitedError(host, (at - now) / 1000);
    this.#set(host, at + intervalMs, now);
    if (at > now) await this.#clock.sleep(at - now, signal);
  }

  /** The host is not to be asked for this long. */
  defer(host: string, ms: number): void {
    const now = this.#clock.now();
    this.#set(host, Math.max(now + ms, this.#next.get(host) ?? 0), now);
  }

  #set(host: string, next: number, now: number): void {
    this.#next.set(host, next);
    if (this.#next.size <= MOST_HOSTS) return;
    for (const [name, at] of this.#next) if (at <= now) this.#next.delete(name);
  }
}
