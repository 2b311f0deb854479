/**
 * Between two cells nothing has to be computed, but tasks and timers that a cell left behind may compute
 * all the same, on the cores that the model needs. They may use a small share of the time. What uses more
 * is interrupted, and what goes on after that is ended.
 */

export type IdleWatchOptions = {
  /** Milliseconds computed since the process started. */
  computedMs(): number;
  /** Asks the code to stop, in a way that keeps variables. */
  interrupt(): void;
  end(): void;
};

const CHECK_MS = 250;
/** What may be computed after a cell has ended, and again after the interrupt. */
const ALLOWED_MS = 250;
/** Of the time beyond that. */
const ALLOWED_SHARE = 0.05;

export class IdleWatch {
  readonly #options: IdleWatchOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: IdleWatchOptions) {
    this.#options = options;
  }

  /** A cell has ended. */
  start(): void {
    this.stop();
    const { computedMs, interrupt, end } = this.#options;
    const since = performance.now();
    let allowedMs = computedMs() + ALLOWED_MS;
    let wasInterrupted = false;
    this.#timer = setInterval(() => {
      const computed = computedMs();
      if (computed <= allowedMs + (performance.now() - since) * ALLOWED_SHARE) return;
      if (wasInterrupted) {
        this.stop();
        end();
        return;
      }
      wasInterrupted = true;
      allowedMs = computed + ALLOWED_MS;
      interrupt();
    }, CHECK_MS);
  }

  /** A cell begins. */
  stop(): void {
    clearInterval(this.#timer);
  }
}
