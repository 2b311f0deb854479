/** Whether robots.txt of a site lets this program read a URL; each site's is read once in a while. */
import { NetError, RobotsRefusedError } from "../errors.ts";
import type { Clock } from "./host-pace.ts";
import { parseRobots, type RobotsRules } from "./robots.ts";
import { untilAborted } from "./until-aborted.ts";

/** Reads a robots.txt, following redirects. */
type ReadRobots = (
  url: URL,
  signal: AbortSignal,
) => Promise<{ readonly status: number; readonly bytes: Uint8Array }>;

/** What is known of a site, until `expires` (ms since 1970). */
type Known = { readonly rules: RobotsRules | RobotsRefusedError; readonly expires: number };

/** RFC 9309 2.4: not longer than a day. */
const KEPT_MS = 24 * 3_600_000;
/** A site whose rules cannot be read now may answer soon. */
const UNREACHABLE_KEPT_MS = 5 * 60_000;
const MOST_SITES = 1000;
/** Errors that say that robots.txt cannot be read; others would befall the page in the same way. */
const UNREADABLE: ReadonlySet<string> = new Set([
  "CHORALE_NET_UNREACHABLE",
  "CHORALE_NET_INCOMPLETE",
  "CHORALE_NET_ENCODING",
  "CHORALE_NET_TOO_LARGE",
  "CHORALE_NET_REDIRECTS",
]);
const TOO_MANY_REQUESTS = 429;

export class RobotsGuard {
  readonly #read: ReadRobots;
  readonly #product: string;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  /** Questions that are under way. */
  readonly #asking = new Map<string, Promise<Known>>();

  /** @param product  the program's name, as its user agent begins */
  constructor(read: ReadRobots, product: string, clock: Clock) {
    this.#read = read;
    this.#product = product;
    this.#clock = clock;
  }

  /**
   * @returns seconds that the site wants between two requests; null where it names none
   * @throws RobotsRefusedError; NetError where the site cannot be asked at all
   */
  async check(url: URL, signal: AbortSignal): Promise<number | null> {
    const found = this.#known.get(url.origin);
    const isKnown = found !== undefined && found.expires > this.#clock.now();
    const { rules } = isKnown ? found : await this.#askOnce(url, signal);
    if (rules instanceof RobotsRefusedError) throw rules;
    if (!rules.isAllowed(`${url.pathname}${url.search}`)) {
      throw new RobotsRefusedError(url.href, "robots.txt of its site does not allow it");
    }
    return rules.crawlDelay;
  }

  /** Pages of one site that are asked for together wait for one robots.txt. */
  async #askOnce(url: URL, signal: AbortSignal): Promise<Known> {
    const { origin } = url;
    const asked = this.#asking.get(origin);
    if (asked !== undefined) {
      try {
        return await untilAborted(asked, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        // The caller that asked gave up, or had less time.
      }
    }
    const asking = this.#ask(url, signal);
    this.#asking.set(origin, asking);
    try {
      const known = await asking;
      // The oldest goes first.
      if (this.#known.size >= MOST_SITES) this.#known.delete([...this.#known.keys()][0] ?? "");
      this.#known.set(origin, known);
      return known;
    } finally {
      if (this.#asking.get(origin) === asking) this.#asking.delete(origin);
    }
  }

  /** RFC 9309 2.3.1: a file that is not there allows everything, one that cannot be read nothing. */
  async #ask(url: URL, signal: AbortSignal): Promise<Known> {
    const where = new URL("/robots.txt", url.origin);
    const unreadable = (why: string, cause?: unknown): Known => ({
      rules: new RobotsRefusedError(url.href, `robots.txt of its site cannot be read (${why})`, {
        cause,
      }),
      expires: this.#clock.now() + UNREACHABLE_KEPT_MS,
    });
    try {
      const { status, bytes } = await this.#read(where, signal);
      if (status >= 500 || status === TOO_MANY_REQUESTS) return unreadable(`status ${status}`);
      const text = status >= 200 && status < 300 ? new TextDecoder().decode(bytes) : "";
      return { rules: parseRobots(text, this.#product), expires: this.#clock.now() + KEPT_MS };
    } catch (error) {
      // Who asked gave up, which says nothing about the site.
      signal.throwIfAborted();
      if (!(error instanceof NetError) || !UNREADABLE.has(error.code)) throw error;
      return unreadable(error.code, error);
    }
  }
}
