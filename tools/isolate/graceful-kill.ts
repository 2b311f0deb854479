/**
 * How a call that takes too long is ended: asked to stop at its deadline, told to end one second later,
 * its process killed after another. The first keeps what the process holds, the others do not.
 */

export type GracefulKill = {
  /** Why the call was asked to stop; null while it was not. */
  readonly reason: string | null;
  /** The call is over. */
  settle(): void;
};

export type GracefulKillSteps = {
  /** Asks the code to stop, in a way that it can survive. */
  interrupt(): void;
  /** Has the process report what it has, and end. */
  stop(): void;
  kill(): void;
};

/** Between two of the steps. */
const STEP_MS = 1000;

/**
 * Starts the clock. An abort of `signal` has the effect of the deadline.
 *
 * A process that was held up itself finds its timers due and the outcome of the call unread, both at once. Each
 * step therefore waits until what has arrived is read, and the next one is counted from there.
 */
export function gracefulKill(
  timeoutMs: number,
  signal: AbortSignal,
  steps: GracefulKillSteps,
): GracefulKill {
  let reason: string | null = null;
  let isSettled = false;
  let timer: NodeJS.Timeout | undefined;
  /** Behind the event loop's reading of what has arrived. */
  const whenRead = (step: () => void): void => {
    setImmediate(() => {
      if (!isSettled) step();
    });
  };
  const after = (ms: number, step: () => void): void => {
    timer = setTimeout(() => whenRead(step), ms);
  };
  const begin = (why: string): void => {
    if (reason !== null) return;
    reason = why;
    clearTimeout(timer);
    steps.interrupt();
    after(STEP_MS, () => {
      steps.stop();
      after(STEP_MS, () => steps.kill());
    });
  };
  after(timeoutMs, () => begin(`it ran longer than ${timeoutMs / 1000} s`));
  const onAbort = (): void => begin("the run was cancelled");
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return {
    get reason() {
      return reason;
    },
    settle() {
      isSettled = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}
