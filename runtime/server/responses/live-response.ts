/** A response while it is made: its events from the first on, for every reader, and the way to stop it. */
import type { ResponseEvent, ResponseObject } from "./wire.ts";

export class LiveResponse {
  readonly id: string;
  readonly #current: () => ResponseObject;
  readonly #events: ResponseEvent[] = [];
  readonly #stop = new AbortController();
  #changed = Promise.withResolvers<void>();
  #isOver = false;

  /** @param current the response as it stands */
  constructor(id: string, current: () => ResponseObject) {
    this.id = id;
    this.#current = current;
  }

  get response(): ResponseObject {
    return this.#current();
  }

  get events(): readonly ResponseEvent[] {
    return this.#events;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  cancel(): void {
    this.#stop.abort();
  }

  push(events: readonly ResponseEvent[]): readonly ResponseEvent[] {
    this.#events.push(...events);
    this.#wake();
    return events;
  }

  /** Nothing follows. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** Resolves when nothing follows. */
  async ended(): Promise<void> {
    while (!this.#isOver) await this.#changed.promise;
  }

  /** The events from a number on, and those that follow. */
  async *read(from: number): AsyncGenerator<ResponseEvent, void, void> {
    for (let next = from; ; ) {
      const changed = this.#changed.promise;
      while (next < this.#events.length) yield this.#events[next++] as ResponseEvent;
      if (this.#isOver) return;
      await changed;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
