import type { FromWorker, Report } from "./messages.ts";

/**
 * Milliseconds that a token may wait for the next ones. Each message wakes the main thread, which takes
 * a core from the team where there are no more cores than threads.
 */
const HOLD_MS = 8;

/** Reports of the command that runs, on their way to the main thread. */
export class ReportBatcher {
  readonly #post: (message: FromWorker) => void;
  #held: Report[] = [];
  #tokensPosted = Number.NEGATIVE_INFINITY;

  constructor(post: (message: FromWorker) => void) {
    this.#post = post;
  }

  /** @param mayWait whether this token may come together with the next ones */
  add(command: number, report: Report, mayWait = false): void {
    this.#held.push(report);
    if (mayWait && performance.now() - this.#tokensPosted < HOLD_MS) return;
    if (report.type === "token") this.#tokensPosted = performance.now();
    this.flush(command);
  }

  /** Posts what waits; called when a command ends, however it does. */
  flush(command: number): void {
    if (this.#held.length === 0) return;
    const reports = this.#held;
    this.#held = [];
    this.#post({ type: "reports", command, reports });
  }
}
