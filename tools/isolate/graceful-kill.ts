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

const STOP_AFTER_MS = 1000;
const KILL_AFTER_MS = 2000;

/** Starts the clock. An abort of `signal` has the effect of the deadline. */
export function gracefulKill(
  timeoutMs: number,
  signal: AbortSignal,
  steps: GracefulKillSteps,
): GracefulKill {
  let reason: string | null = null;
  const timers: NodeJS.Timeout[] = [];
  const begin = (why: string): void => {
    if (reason !== null) return;
    reason = why;
    steps.interrupt();
    timers.push(setTimeout(() => steps.stop(), STOP_AFTER_MS));
    timers.push(setTimeout(() => steps.kill(), KILL_AFTER_MS));
  };
  timers.push(setTimeout(() => begin(`it ran longer than ${timeoutMs / 1000} s`), timeoutMs));
  const onAbort = (): void => begin("the run was cancelled");
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return {
    get reason() {
      return reason;
    },
    settle() {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}
