/**
 * The engine's sessions, one per thread as long as there is room: a thread that comes again finds its KV
 * cache and computes only what is new. The pool is bounded; the session that was used longest ago goes
 * to the next thread, whose prompt often begins with the same system message.
 *
 * A session whose thread has left is for the thread that begins as it did: a client of a server sends the whole
 * conversation each time, and only its tokens say which conversation goes on.
 */
import type { Session, TokenEngine } from "../../inference/index.ts";

/** Who wants a session. */
export type SessionUser = {
  readonly threadId: string;
  /** Threads with the same text are likely to begin alike; null: nothing is known. */
  readonly affinity: string | null;
  readonly prompt: readonly number[];
  /** Leading tokens of the prompt that other conversations begin with as well. */
  readonly openingTokens: number;
  /** Tokens up to the end of what the user said last. */
  readonly turnTokens: number;
};

type Slot = {
  /** null: it has left. */
  threadId: string | null;
  affinity: string | null;
  /** `turnTokens` of the prompt that it was used for last. */
  turnTokens: number;
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
  async use<T>(user: SessionUser, work: (session: Session) => Promise<T>): Promise<T> {
    const slot = await this.#take(user);
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

  /** The thread does not come again; its session stays for one that begins as it did. */
  leave(threadId: string, affinity: string | null): void {
    for (const slot of this.#slots) {
      if (slot.threadId !== threadId) continue;
      slot.threadId = null;
      slot.affinity = affinity;
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

  async #take(user: SessionUser): Promise<Slot> {
    const { threadId, affinity, turnTokens } = user;
    const idle = [...this.#slots].filter(({ isBusy }) => !isBusy);
    const isFull = this.#slots.size + this.#opening >= this.#maxSessions;
    let slot =
      idle.find((candidate) => candidate.threadId === threadId) ??
      alike(
        idle.filter((candidate) => candidate.threadId === null),
        user,
        isFull,
      ) ??
      (isFull ? usedLongestAgo(idle) : undefined);
    if (slot === undefined) {
      this.#opening++;
      try {
        const session = await this.#engine.createSession();
        slot = { threadId, affinity, turnTokens, session, isBusy: true, lastUse: 0 };
        this.#slots.add(slot);
      } finally {
        this.#opening--;
      }
    }
    slot.threadId = threadId;
    slot.turnTokens = turnTokens;
    slot.isBusy = true;
    return slot;
  }

  async #drop(slot: Slot): Promise<void> {
    if (this.#slots.delete(slot)) await slot.session.close();
  }
}

/** More tokens than these in common are worth a session that another conversation might want. */
const MANY_TOKENS = 256;

/**
 * The session of a conversation that goes on with the prompt; else one that has most of it, where it would cost
 * little else or there is no other. undefined: none has more than what all conversations begin with.
 */
function alike(
  slots: readonly Slot[],
  { prompt, openingTokens, affinity }: SessionUser,
  isFull: boolean,
): Slot | undefined {
  const found = slots
    .map((slot) => ({ slot, common: commonPrefix(slot.session.tokens, prompt) }))
    .filter(({ common }) => common > openingTokens)
    .sort((a, b) => b.common - a.common || b.slot.lastUse - a.slot.lastUse);
  const goesOn = found.find(({ slot, common }) => common >= slot.turnTokens);
  if (goesOn !== undefined) return goesOn.slot;
  if (isFull) return found[0]?.slot;
  return found.find(({ slot, common }) => {
    const isAkin = affinity !== null && slot.affinity === affinity;
    const saved = common - openingTokens;
    return isAkin || (saved >= MANY_TOKENS && saved >= slot.session.tokens.length - common);
  })?.slot;
}

function usedLongestAgo(slots: readonly Slot[]): Slot | undefined {
  return slots.reduce<Slot | undefined>(
    (oldest, slot) => (oldest === undefined || slot.lastUse < oldest.lastUse ? slot : oldest),
    undefined,
  );
}

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}
