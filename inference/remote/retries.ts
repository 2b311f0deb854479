/** How often a request is tried again, and after how long. */
import { setTimeout as wait } from "node:timers/promises";
import { RemoteEngineError } from "../errors.ts";
import type { PassingFailure } from "./http.ts";

export type RetryOptions = {
  /** Failures in a row after which a request is given up. Default 6. */
  readonly mostInRow?: number | undefined;
  /** Milliseconds before the first repetition; doubled for each further one in a row. Default 250. */
  readonly firstMs?: number | undefined;
};

const MOST_IN_ROW = 6;
/** Of one generation, however much came between them. */
const MOST_FAILURES = 64;
const FIRST_MS = 250;
const LONGEST_MS = 15_000;

export class Retries {
  readonly #options: RetryOptions;
  #inRow = 0;
  #all = 0;

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  /** A token has come. */
  progress(): void {
    this.#inRow = 0;
  }

  /**
   * Waits, unless another server is there to be asked at once.
   * @throws RemoteEngineError after too many failures; the signal's reason
   */
  async failed(failure: PassingFailure, hasOther: boolean, signal: AbortSignal): Promise<void> {
    const { mostInRow = MOST_IN_ROW, firstMs = FIRST_MS } = this.#options;
    this.#inRow++;
    this.#all++;
    if (this.#inRow >= mostInRow || this.#all >= MOST_FAILURES) {
      throw new RemoteEngineError(
        "CHORALE_ENGINE_UNREACHABLE",
        `The engine failed ${this.#inRow} times in a row, at last so: ${failure.message}.`,
        { cause: failure },
      );
    }
    if (hasOther) return;
    const own = firstMs * 2 ** (this.#inRow - 1) * (0.5 + Math.random() / 2);
    const ms = Math.min(LONGEST_MS, Math.max(own, failure.retryAfterMs ?? 0));
    await wait(ms, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}
