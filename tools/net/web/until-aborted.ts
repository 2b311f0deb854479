/** Waits for something that does not look at a signal itself, or not soon enough. */

/** @returns what `work` comes to; rejects with the signal's reason where that is first */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, failed) => {
    const stop = (): void => failed(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    work.then(done, failed).finally(() => signal.removeEventListener("abort", stop));
  });
}
