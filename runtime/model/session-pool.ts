/**
 * The engine's sessions, one per thread as long as there is room: a thread that comes again finds its KV
 * cache and computes only what is new. The pool is bounded; the session that was used longest ago goes
 * to the next thread, whose prompt often begins with the same system message.
 */
import type { Session, TokenEngine } from "../../inference/index.ts";

type Slot = {
  threadId: string;
  readonly session: Session;
  isBusy: boolean;
  /** Grows with each use. */
  lastUse: number;
};

export class SessionPool {
  readonly #engine: TokenEngine;
  readonly #maxSessions: number;
  readonly #slots = new Set<Slot>();
  #uses = 0;
  #opening = 0;
  #isClosed = false;

  /** @param maxSessions sessions that are kept while no step uses them */
  constructor(engine: TokenEngine, maxSessions: number) {
    this.#engine = engine;
    this.#maxSessions = maxSessions;
  }

  /**
   * Runs `work` with the thread's session. Steps of several threads at once each have their own; where
   * all kept sessions are busy, one more is opened, and closed behind the step.
   */
  async use<T>(threadId: string, work: (session: Session) => Promise<T>): Promise<T> {
    const slot = await this.#take(threadId);
    try {
      return await work(slot.session);
    } finally {
      slot.isBusy = false;
      slot.lastUse = ++this.#uses;
      if (this.#isClosed || this.#slots.size > this.#maxSessions) await this.#drop(slot);
    }
  }

  /** Gives the session of one thread to another, unless a step uses it. */
  handOver(from: string, to: string): void {
    for (const slot of this.#slots) {
      if (slot.threadId === from && !slot.isBusy) slot.threadId = to;
    }
  }

  /** Closes the thread's session, unless a step uses it. */
  async release(threadId: string): Promise<void> {
    for (const slot of this.#slots) {
      if (slot.threadId === threadId && !slot.isBusy) await this.#drop(slot);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#slots].filter(({ isBusy }) => !isBusy).map((s) => this.#drop(s)));
  }

  async #take(threadId: string): Promise<Slot> {
    const idle = [...this.#slots].filter(({ isBusy }) => !isBusy);
    let slot = idle.find((candidate) => candidate.threadId === threadId);
    if (slot === undefined && this.#slots.size + this.#opening >= this.#maxSessions) {
      slot = idle.reduce<Slot | undefined>(
        (oldest, candidate) =>
          oldest === undefined || candidate.lastUse < oldest.lastUse ? candidate : oldest,
        undefined,
      );
    }
    if (slot === undefined) {
      this.#opening++;
      try {
        const session = await this.#engine.createSession();
        slot = { threadId, session, isBusy: true, lastUse: 0 };
        this.#slots.add(slot);
      } finally {
        this.#opening--;
      }
    }
    slot.threadId = threadId;
    slot.isBusy = true;
    return slot;
  }

  async #drop(slot: Slot): Promise<void> {
    if (this.#slots.delete(slot)) await slot.session.close();
  }
}
