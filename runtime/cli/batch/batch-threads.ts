/**
 * The conversations of a batch while it is at work, in a file beside its output. A batch that was killed finds them
 * there: what had ended is not asked again, and what was at work goes on at the exact step.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { RunError } from "../../errors.ts";
import {
  type LogEntry,
  MemoryThreadStore,
  SqliteThreadStore,
  Thread,
  type ThreadStore,
  ThreadStoreError,
} from "../../index.ts";
import type { BatchItem } from "./batch-input.ts";

/** How long another batch may need to end. */
const BUSY_TIMEOUT_MS = 500;
const MAX_ATTEMPTS = 3;

export type BatchThread = {
  /** Counted from 1. */
  readonly attempt: number;
  readonly thread: Thread;
  /** What an earlier process logged; empty for a new one. */
  readonly entries: readonly LogEntry[];
};

export class BatchThreads implements AsyncDisposable {
  readonly #store: ThreadStore;

  private constructor(store: ThreadStore) {
    this.#store = store;
  }

  /**
   * @param output null: results are not kept, and neither are conversations
   * @throws RunError where another batch is at work with this output; ThreadStoreError
   */
  static async open(output: string | null): Promise<BatchThreads> {
    if (output === null) return new BatchThreads(new MemoryThreadStore());
    const options = { busyTimeoutMs: BUSY_TIMEOUT_MS, isExclusive: true };
    for (let attempt = 1; ; attempt++) {
      try {
        return new BatchThreads(new SqliteThreadStore(`${output}.progress`, options));
      } catch (error) {
        if (!(error instanceof ThreadStoreError)) throw error;
        if (error.message.includes("locked")) throw atWork(output, error);
        // A batch that has ended just now has removed the file between two looks at it.
        if (attempt === MAX_ATTEMPTS) throw error;
        await delay(BUSY_TIMEOUT_MS);
      }
    }
  }

  /** The last attempt at a line, or its first one. */
  async of(item: BatchItem): Promise<BatchThread> {
    const prefix = prefixOf(item);
    const known = await this.#store.list({ prefix });
    const attempts = known
      // Killed behind its first entry, a thread has no turn yet, and is begun anew.
      .filter(({ turns }) => turns > 0)
      .map(({ threadId }) => ({
        threadId,
        attempt: Number.parseInt(threadId.slice(prefix.length), 10),
      }));
    const last = attempts.toSorted((a, b) => a.attempt - b.attempt).at(-1);
    if (last === undefined) return this.attempt(item, 1);
    const entries = await this.#store.read(last.threadId);
    const thread = await Thread.open(this.#store, last.threadId);
    return { attempt: last.attempt, thread, entries };
  }

  /** A new attempt at a line. */
  attempt(item: BatchItem, attempt: number): BatchThread {
    // Another batch over the same line is another conversation: idempotency keys are made of its id.
    const threadId = `${prefixOf(item)}${attempt}_${randomUUID().slice(0, 8)}`;
    return { attempt, thread: Thread.create({ store: this.#store, threadId }), entries: [] };
  }

  /** What belongs to a line that has its result in the output is no longer needed, where nothing is kept. */
  async forget({ thread }: BatchThread): Promise<void> {
    if (this.#store instanceof MemoryThreadStore) await this.#store.remove(thread.id);
  }

  /** From now on nothing is logged any more: what is at work stays open, as if the process had been killed. */
  async freeze(): Promise<void> {
    await this.#store.close();
  }

  /** Every line has its result. */
  async remove(): Promise<void> {
    if (this.#store instanceof SqliteThreadStore) await this.#store.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close();
  }
}

function atWork(output: string, cause: unknown): RunError {
  return new RunError(
    "CHORALE_THREAD_BUSY",
    `Another batch is at work with --output ${output}; wait for its end, or name another file.`,
    { cause },
  );
}

function prefixOf({ line, sha256 }: BatchItem): string {
  return `line_${line}_${sha256}_`;
}
