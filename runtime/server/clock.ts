/** The time, as far as the server waits for it: tests have a clock of their own. */

export type Clock = {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** @returns forgets it */
  readonly after: (ms: number, run: () => void) => () => void;
};

/** The longest delay that a timer can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(ms, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
