/** A run that is at work: its events while they happen, the text of its answer, and its result. */
import type { RunEvent } from "../events.ts";
import type { Thread } from "../thread/thread.ts";
import type { RunResult } from "./run-result.ts";

/**
 * Can be read by several readers, at any time: every reader gets all events from the first on. The run
 * does not wait for readers (`onEvent` is for those that it has to wait for).
 */
export class AgentRun<Value = unknown> implements AsyncIterable<RunEvent> {
  readonly thread: Thread;
  /** Rejects only for a bug, or where a listener failed; everything else is in the result. */
  readonly result: Promise<RunResult<Value>>;
  readonly #events: RunEvent[] = [];
  #changed = Promise.withResolvers<void>();
  #isOver = false;

  /** @param start runs the turn; begins at once */
  constructor(
    thread: Thread,
    start: (emit: (event: RunEvent) => Promise<void>) => Promise<RunResult<Value>>,
  ) {
    this.thread = thread;
    this.result = start(async (event) => {
      this.#events.push(event);
      this.#wake();
    }).finally(() => {
      this.#isOver = true;
      this.#wake();
    });
    // A caller that only reads events sees the failure there.
    this.result.catch(() => {});
  }

  /** Every event, as it happens. Throws what `result` rejects with. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, void> {
    for (let next = 0; ; ) {
      const changed = this.#changed.promise;
      while (next < this.#events.length) yield this.#events[next++] as RunEvent;
      if (this.#isOver && next === this.#events.length) break;
      await changed;
    }
    await this.result;
  }

  /** The text of the answer, piece by piece, while it is written. */
  get text(): AsyncGenerator<string, void, void> {
    return this.#answerText();
  }

  async *#answerText(): AsyncGenerator<string, void, void> {
    for await (const event of this) {
      if (event.type === "item.delta" && event.channel === "final") yield event.text;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
