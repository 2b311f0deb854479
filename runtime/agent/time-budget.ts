/** The seconds of a turn: a signal that comes when they are used up, and a clock that can stand still. */
import type { BudgetName } from "../context.ts";
import { isTimeNear } from "./budgets.ts";

/** Why work was stopped: a budget of the turn is used up. */
export class BudgetStop extends Error {
  readonly budget: BudgetName;
  constructor(budget: BudgetName) {
    super(`The budget of ${budget} is used up.`);
    this.name = "AbortError";
    this.budget = budget;
  }
}

export class TimeBudget {
  /** Aborted when the run is, or with a `BudgetStop` when the time is used up. */
  readonly signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #limitMs: number;
  /** Of the runs before this one, and up to the last pause. */
  #usedMs: number;
  #runsSince: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param limitSeconds null: no limit
   * @param usedMs time that the turn has worked already
   */
  constructor(signal: AbortSignal, limitSeconds: number | null, usedMs: number) {
    this.#limitMs = limitSeconds === null ? Number.POSITIVE_INFINITY : limitSeconds * 1000;
    this.#usedMs = usedMs;
    this.signal = limitSeconds === null ? signal : AbortSignal.any([signal, this.#stop.signal]);
    this.#resume();
  }

  get usedSeconds(): number {
    const running = this.#runsSince === null ? 0 : performance.now() - this.#runsSince;
    return (this.#usedMs + running) / 1000;
  }

  get isNear(): boolean {
    return isTimeNear(this.usedSeconds, this.#limitMs / 1000);
  }

  /** The signal says it as well, and once it has come it stays. */
  get isUsedUp(): boolean {
    return this.#stop.signal.aborted || this.usedSeconds * 1000 >= this.#limitMs;
  }

  /** Runs `work` off the clock: a person decides in their own time. */
  async pausedFor<T>(work: () => Promise<T>): Promise<T> {
    this.#pause();
    try {
      return await work();
    } finally {
      this.#resume();
    }
  }

  close(): void {
    this.#pause();
  }

  #pause(): void {
    clearTimeout(this.#timer);
    this.#usedMs = this.usedSeconds * 1000;
    this.#runsSince = null;
  }

  #resume(): void {
    this.#runsSince = performance.now();
    if (this.#limitMs === Number.POSITIVE_INFINITY) return;
    const left = Math.max(0, this.#limitMs - this.#usedMs);
    this.#timer = setTimeout(() => this.#stop.abort(new BudgetStop("seconds")), left);
  }
}
