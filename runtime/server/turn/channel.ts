/** A queue between a producer that waits and a consumer: memory is bounded, whichever of the two is slower. */

/** What waits for the consumer before the producer waits as well. */
const CAPACITY = 32;

export class Channel<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  #isOver = false;
  #isClosed = false;
  #filled = Promise.withResolvers<void>();
  #emptied = Promise.withResolvers<void>();

  /** Resolves when there is room for more. A closed channel takes everything and keeps nothing. */
  async push(item: T): Promise<void> {
    if (this.#isClosed) return;
    this.#items.push(item);
    this.#filled.resolve();
    while (this.#items.length >= CAPACITY && !this.#isClosed) {
      this.#emptied = Promise.withResolvers();
      await this.#emptied.promise;
    }
  }

  /** Nothing more comes. */
  end(): void {
    this.#isOver = true;
    this.#filled.resolve();
  }

  /** The consumer is gone: a producer that waits goes on. */
  close(): void {
    this.#isClosed = true;
    this.#items.length = 0;
    this.#emptied.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      while (this.#items.length > 0) {
        const item = this.#items.shift() as T;
        if (this.#items.length < CAPACITY) this.#emptied.resolve();
        yield item;
      }
      if (this.#isOver) return;
      this.#filled = Promise.withResolvers();
      await this.#filled.promise;
    }
  }
}
