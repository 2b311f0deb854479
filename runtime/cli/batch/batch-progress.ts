/** Tells how far a batch has come: in place on a terminal, else a sentence from time to time. */
import type { Output } from "../output.ts";
import { type BatchResult, isFailed } from "./batch-result.ts";

const NOTE_INTERVAL_MS = 10_000;

export class BatchProgress {
  readonly #output: Output;
  readonly #total: number;
  readonly #startedAt = performance.now();
  #saidAt = performance.now();
  #done = 0;
  /** Of them by this process. */
  #computed = 0;
  #failed = 0;

  constructor(output: Output, total: number) {
    this.#output = output;
    this.#total = total;
  }

  /** @param isNew it was computed now, and not found */
  count(result: BatchResult, isNew: boolean): void {
    this.#done++;
    if (isNew) this.#computed++;
    if (isFailed(result)) this.#failed++;
    if (!isNew) return;
    if (this.#output.isLive) this.#output.progress(this.#sentence());
    else if (performance.now() - this.#saidAt > NOTE_INTERVAL_MS) {
      this.#saidAt = performance.now();
      this.#output.note(`${this.#sentence()}.`);
    }
  }

  get failed(): number {
    return this.#failed;
  }

  /** What is said at the end. */
  get summary(): string {
    const found = this.#done - this.#computed;
    const kept = found > 0 ? ` (${found} of them from before)` : "";
    const failures =
      this.#failed === 0 ? "" : `, ${this.#failed} failed; --retry-failed tries those again`;
    return `${this.#done - this.#failed} of ${this.#total} answered${kept}${failures}.`;
  }

  #sentence(): string {
    const ms = performance.now() - this.#startedAt;
    const left = ((this.#total - this.#done) * ms) / Math.max(1, this.#computed);
    const failed = this.#failed === 0 ? "" : `, ${this.#failed} failed`;
    return `${this.#done} of ${this.#total} done${failed}, ${duration(left)} left`;
  }
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
