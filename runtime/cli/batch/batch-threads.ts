/**
 * The conversations of a batch while it is at work, in a file beside its output. A batch that was killed finds them
 * there: what had ended is not asked again, and what was at work goes on at the exact step.
 */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
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
const BUSY_TIMEOUT_MS = 1_000;

export type BatchThread = {
  /** Counted from 1. */
  readonly attempt: number;
  readonly thread: Thread;
  /** What an earlier process logged; empty for a new one. */
  readonly entries: readonly LogEntry[];
};

export class BatchThreads implements AsyncDisposable {
  readonly #path: string | null;
  readonly #store: ThreadStore;

  private constructor(path: string | null, store: ThreadStore) {
    this.#path = path;
    this.#store = store;
  }

  /**
   * @param output null: results are not kept, and neither are conversations
   * @throws RunError where another batch is at work with this output; ThreadStoreError
   */
  static open(output: string | null): BatchThreads {
    if (output === null) return new BatchThreads(null, new MemoryThreadStore());
    const path = `${output}.progress`;
    try {
      const options = { busyTimeoutMs: BUSY_TIMEOUT_MS, isExclusive: true };
      return new BatchThreads(path, new SqliteThreadStore(path, options));
    } catch (error) {
      if (!(error instanceof ThreadStoreError) || !error.message.includes("locked")) throw error;
      throw new RunError(
        "CHORALE_THREAD_BUSY",
        `Another batch is at work with --output ${output}; wait for its end, or name another file.`,
        { cause: error },
      );
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
    if (this.#path === null) await this.#store.remove(thread.id);
  }

  /** From now on nothing is logged any more: what is at work stays open, as if the process had been killed. */
  async freeze(): Promise<void> {
    await this.#store.close();
  }

  /** Every line has its result. */
  async remove(): Promise<void> {
    await this.#store.close();
    if (this.#path === null) return;
    for (const ending of ["", "-wal", "-shm"]) rmSync(this.#path + ending, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close();
  }
}

function prefixOf({ line, sha256 }: BatchItem): string {
  return `line_${line}_${sha256}_`;
}
