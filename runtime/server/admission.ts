/**
 * Which requests compute now. A step of a model takes a slot; the others wait in the order in which they came,
 * and where too many wait already, the next one is refused at once.
 */
import { ServerBusyError } from "./errors.ts";

export type AdmissionOptions = {
  /** Steps at the same time. */
  readonly slots: number;
  /** Requests that wait at most. */
  readonly maxQueue: number;
};

type Waiting = { readonly start: () => void };

export class Admission {
  readonly slots: number;
  readonly maxQueue: number;
  readonly #queue = new Set<Waiting>();
  #running = 0;

  constructor({ slots, maxQueue }: AdmissionOptions) {
    this.slots = slots;
    this.maxQueue = maxQueue;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Takes a place in the queue at once.
   * @returns waits for the slot, and gives what frees it; it may be called more than once. It rejects with the
   *   signal's reason, and the place is free then
   * @throws ServerBusyError where the queue is full; the signal's reason
   */
  enter(signal: AbortSignal): () => Promise<() => void> {
    signal.throwIfAborted();
    if (this.#running < this.slots && this.#queue.size === 0) {
      this.#running++;
      const leave = this.#leave();
      return async () => leave;
    }
    if (this.#queue.size >= this.maxQueue) throw new ServerBusyError(this.#queue.size);
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const waiting: Waiting = {
      start: () => {
        signal.removeEventListener("abort", onAbort);
        this.#running++;
        resolve(this.#leave());
      },
    };
    const onAbort = (): void => {
      if (this.#queue.delete(waiting)) reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#queue.add(waiting);
    promise.catch(() => {});
    return () => promise;
  }

  #leave(): () => void {
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#running--;
      const [next] = this.#queue;
      if (next === undefined || this.#running >= this.slots) return;
      this.#queue.delete(next);
      next.start();
    };
  }
}
