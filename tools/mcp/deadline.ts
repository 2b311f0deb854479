/**
 * How long a call may take: until it has been silent for too long, not counting the time in which the server
 * waits for its user.
 */

/** Reports of progress keep a call going for at most this many times its limit. */
const MOST_EXTENSIONS = 10;

export class Deadline implements Disposable {
  readonly #limitMs: number;
  readonly #controller = new AbortController();
  readonly #startedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #pausedAt: number | null = null;
  #pausedMs = 0;

  /** @param limitMs  longest silence */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#start();
  }

  /** Aborted at the deadline. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something was heard of the call. */
  extend(): void {
    const ranMs = performance.now() - this.#startedAt - this.#pausedMs;
    if (this.#pausedAt === null && ranMs < this.#limitMs * MOST_EXTENSIONS) this.#start();
  }

  pause(): void {
    if (this.#pausedAt !== null) return;
    this.#pausedAt = performance.now();
    clearTimeout(this.#timer);
  }

  resume(): void {
    if (this.#pausedAt === null) return;
    this.#pausedMs += performance.now() - this.#pausedAt;
    this.#pausedAt = null;
    this.#start();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#controller.abort(new Error(`it was silent for ${this.#limitMs / 1000} s`));
    }, this.#limitMs);
  }
}
