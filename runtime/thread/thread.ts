/** A conversation: its state, and the log behind it. */
import { randomUUID } from "node:crypto";
import type { Message } from "../../harmony/index.ts";
import { RunError, UsageError } from "../errors.ts";
import { type CallResult, type LogEntry, type LogRecord, THREAD_LOG_VERSION } from "./entry.ts";
import { ThreadNotFoundError } from "./errors.ts";
import { THREAD_PREFIX } from "./find.ts";
import { apply, emptyState, fold } from "./fold.ts";
import { messagesOf, type ThreadState } from "./state.ts";
import { MemoryThreadStore, type ThreadStore } from "./store.ts";

export type ThreadOptions = {
  /** Default: memory, as long as the process lives. */
  readonly store?: ThreadStore | undefined;
  /** Default: a random one. */
  readonly threadId?: string | undefined;
  /** Where the program was started; a listing can name the threads of a folder. Default: it is not kept. */
  readonly folder?: string | undefined;
};

export type ForkOptions = {
  /** Where the copy is kept. Default: where the thread is. */
  readonly store?: ThreadStore | undefined;
  /** Default: that of the thread. */
  readonly folder?: string | undefined;
};

/** What a caller says about a call that it carried out itself. */
export type ClientResult = {
  /** What the model reads. */
  readonly text: string;
  readonly isError?: boolean;
  /** The same for programs. JSON. */
  readonly data?: unknown;
};

/** Characters of a title. */
const LONGEST_NAME = 200;

export class Thread {
  readonly id: string;
  readonly store: ThreadStore;
  readonly #folder: string | undefined;
  #state: ThreadState;
  #isRunning = false;

  private constructor(id: string, store: ThreadStore, state: ThreadState, folder?: string) {
    this.id = id;
    this.store = store;
    this.#state = state;
    this.#folder = folder;
  }

  /** A new conversation. Its log begins with its first turn. */
  static create({ store, threadId, folder }: ThreadOptions = {}): Thread {
    const id = threadId ?? newThreadId();
    return new Thread(id, store ?? new MemoryThreadStore(), emptyState(), folder);
  }

  /**
   * A conversation of the store.
   * @throws ThreadNotFoundError, ThreadLogError, ThreadStoreError
   */
  static async open(store: ThreadStore, threadId: string): Promise<Thread> {
    const entries = await store.read(threadId);
    if (entries.length === 0) throw new ThreadNotFoundError(threadId);
    return new Thread(threadId, store, fold(entries));
  }

  get state(): ThreadState {
    return this.#state;
  }

  /** What was said, without system and developer message. */
  get messages(): readonly Message[] {
    return messagesOf(this.#state);
  }

  /** The whole log. @throws ThreadStoreError */
  entries(): Promise<readonly LogEntry[]> {
    return this.store.read(this.id);
  }

  /**
   * Appends a record; it is durable when this resolves.
   * @throws ThreadLogError when it cannot follow what the log holds; ThreadConflictError when another
   *   process writes to this thread; ThreadStoreError
   */
  async append(record: LogRecord): Promise<LogEntry> {
    if (this.#state.length === 0 && record.type !== "thread") {
      await this.append({
        type: "thread",
        version: THREAD_LOG_VERSION,
        threadId: this.id,
        ...(this.#folder !== undefined && { folder: this.#folder }),
      });
    }
    const state = apply(this.#state, record);
    const entry = { ...record, seq: this.#state.length, at: new Date().toISOString() };
    await this.store.append(this.id, entry);
    this.#state = state;
    return entry;
  }

  /**
   * Appends the result of a call that the caller carried out itself, after a run that ended as `pending`.
   * The next run goes on with it.
   * @throws UsageError when no such call waits for a result
   */
  async appendResult(callId: string, result: ClientResult): Promise<void> {
    const call = this.#state.turn?.calls.find((open) => open.callId === callId);
    if (call === undefined) {
      const waiting = this.#state.turn?.calls.map((open) => open.callId).join(", ");
      throw new UsageError(
        `The call ${callId} waits for no result; waiting: ${waiting || "none"}.`,
      );
    }
    const record: CallResult = {
      type: "result",
      callId,
      status: result.isError ? "failed" : "completed",
      text: result.text,
      ...(result.data !== undefined && { data: result.data }),
      issues: [],
      durationMs: 0,
    };
    await this.append(record);
  }

  /**
   * Records a decision about a call that waits for an approval.
   * @throws UsageError when no such call waits for one
   */
  async decide(callId: string, decision: "allowed" | "denied", by = "caller"): Promise<void> {
    const call = this.#state.turn?.calls.find((open) => open.callId === callId);
    if (call?.progress !== "asked") {
      throw new UsageError(`The call ${callId} does not wait for an approval.`);
    }
    await this.append({ type: "approval", callId, decision, by });
  }

  /**
   * Names the thread, in the place of the title that is made from its first question.
   * @param title one line; white space around and inside of it is made single spaces
   * @throws UsageError for a title without a character, or one that is too long
   */
  async rename(title: string): Promise<void> {
    const line = title.replace(/\s+/g, " ").trim();
    if (line === "" || line.length > LONGEST_NAME) {
      throw new UsageError(
        `The title has ${line.length} characters; accepted: 1 to ${LONGEST_NAME}.`,
        { option: "title" },
      );
    }
    await this.append({ type: "titled", title: line });
  }

  /**
   * A new thread that begins with a copy of this log. It is in its store whole, or not at all.
   * @param length entries to copy; must end between two turns. Default: all
   * @throws UsageError when a turn is open there
   */
  async fork(
    length: number = this.#state.length,
    { store = this.store, folder = this.#state.folder ?? undefined }: ForkOptions = {},
  ): Promise<Thread> {
    const entries = (await this.entries()).slice(0, length);
    if (fold(entries).turn !== null) {
      throw new UsageError(`A thread cannot be forked at entry ${length}: a turn is open there.`);
    }
    const id = newThreadId();
    const first: LogEntry = {
      type: "thread",
      version: THREAD_LOG_VERSION,
      threadId: id,
      parent: { threadId: this.id, seq: length - 1 },
      ...(folder !== undefined && { folder }),
      seq: 0,
      at: new Date().toISOString(),
    };
    await store.append(id, first, ...entries.slice(1));
    return Thread.open(store, id);
  }

  /**
   * Runs `work` as the only run of this thread in this process.
   * @throws RunError with the code CHORALE_THREAD_BUSY while another run is at work
   */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isRunning) {
      throw new RunError(
        "CHORALE_THREAD_BUSY",
        `A run of thread ${this.id} is at work already; wait for its result, or use another thread.`,
      );
    }
    this.#isRunning = true;
    try {
      return await work();
    } finally {
      this.#isRunning = false;
    }
  }
}

/** An id that no other thread has. */
export function newThreadId(): string {
  return THREAD_PREFIX + randomUUID();
}
