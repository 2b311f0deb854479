/**
 * Puts sequences of different sessions that are decoded at the same time into one pass through the
 * model: each weight is then read once for all of them, and reading is what decoding waits for. A
 * caller that generates on several sessions at once gets this without asking.
 */

import { setImmediate } from "node:timers/promises";
import { MAX_DRAFT } from "../decoding/drafter.ts";
import {
  type DecodeCounts,
  type DecodeReport,
  type DecodeSequence,
  NO_COUNTS,
  type Speculation,
} from "../decoding/sequence.ts";
import { SharedDecodeState } from "../decoding/shared-decode-state.ts";
import { BrokenNumbersError } from "../errors.ts";
import type { Threads } from "../workers/threads.ts";

/**
 * Most passes of one command. Between commands other work gets its turn, and a caller that reads ids slowly, or
 * stops reading, holds the workers back by at most this many.
 */
const STEPS_ALONE = 32;
/** Fewer for several sequences, so that one that comes in between soon joins them. */
const STEPS_TOGETHER = 8;
/** And no more than take so many milliseconds: so long do others wait, a prompt that is being read for one. */
const COMMAND_MS = 120;

/** Most ids that one command can add to a sequence, where drafts are computed with the last id or not. */
export function idsPerCommand(speculation: Speculation): number {
  return STEPS_ALONE * (speculation ? MAX_DRAFT + 1 : 1);
}

export type DecodeToken = Extract<DecodeReport, { type: "token" }>;

/** What a sequence is told while it is decoded. */
export type DecodeListener = {
  readonly onToken: (token: DecodeToken) => void;
  /** A draft that waits for its masks, where there is a matcher. */
  readonly onDraft: (ids: readonly number[]) => void;
};

type Entry = {
  readonly sequence: DecodeSequence;
  readonly signal: AbortSignal;
  readonly listener: DecodeListener;
  readonly resolve: (counts: DecodeCounts) => void;
  readonly reject: (error: unknown) => void;
};

export class DecodeScheduler {
  readonly #threads: Threads;
  readonly #maxTogether: number;
  #waiting: Entry[] = [];
  #isPumping = false;
  /** Milliseconds of a pass of the last command. */
  #passMs = 0;

  /** @param maxTogether most sequences of one pass */
  constructor(threads: Threads, maxTogether: number) {
    this.#threads = threads;
    this.#maxTogether = maxTogether;
  }

  /**
   * Decodes some ids of a sequence: until its stop id, its length or the end of a command's passes.
   * @param signal ends it early; what was reported until then has come
   * @throws EngineFailedError, BrokenNumbersError
   */
  run(
    sequence: DecodeSequence,
    signal: AbortSignal,
    listener: DecodeListener,
  ): Promise<DecodeCounts> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sequence, signal, listener, resolve, reject });
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#waiting.length > 0) {
      // Sessions whose last command ended together come back one after the other.
      await setImmediate();
      await this.#runTogether();
    }
    this.#isPumping = false;
  }

  /** One command, made of the sequences that wait when the threads are free. */
  async #runTogether(): Promise<void> {
    let entries: Entry[] = [];
    let shared = SharedDecodeState.create(0);
    let beganAt = 0;
    let passes = 0;
    const stop = new AbortController();
    const leaving = new AbortController();
    const open = new Set<Entry>();
    const end = (entry: Entry, counts: DecodeCounts): void => {
      if (open.delete(entry)) entry.resolve(counts);
    };
    const fail = (entry: Entry, error: unknown): void => {
      if (open.delete(entry)) entry.reject(error);
    };
    const leave = (index: number): void => {
      shared.leave(index);
      if ([...open].every(({ signal }) => signal.aborted)) stop.abort();
    };
    try {
      await this.#threads.run(
        () => {
          entries = this.#take();
          if (entries.length === 0) return null;
          beganAt = performance.now();
          shared = SharedDecodeState.create(entries.length);
          for (const [index, entry] of entries.entries()) {
            open.add(entry);
            const onAbort = (): void => leave(index);
            entry.signal.addEventListener("abort", onAbort, { signal: leaving.signal });
          }
          return {
            type: "decode",
            sequences: entries.map(({ sequence }) => sequence),
            shared: shared.cells,
            steps: this.#steps(entries.length),
          };
        },
        {
          priority: 2,
          signal: stop.signal,
          onReport: (report) => {
            if (!("sequence" in report)) return;
            const entry = entries[report.sequence]!;
            if (report.type === "token") entry.listener.onToken(report);
            else if (report.type === "draft") entry.listener.onDraft(report.ids);
            else if (report.type === "broken") fail(entry, new BrokenNumbersError(report.position));
            else {
              passes = Math.max(passes, report.counts.forwards);
              end(entry, report.counts);
            }
          },
        },
      );
      if (passes > 0) this.#passMs = (performance.now() - beganAt) / passes;
    } catch (error) {
      // An engine that no longer runs has not taken the waiting sequences: all of them are told.
      const failed = entries.length === 0 ? this.#waiting.splice(0) : open;
      for (const entry of failed) entry.reject(error);
      open.clear();
    } finally {
      leaving.abort();
      // Cancelled: no counts were reported.
      for (const entry of open) end(entry, NO_COUNTS);
    }
  }

  #steps(sequences: number): number {
    const most = sequences > 1 ? STEPS_TOGETHER : STEPS_ALONE;
    const inTime = this.#passMs === 0 ? most : Math.floor(COMMAND_MS / this.#passMs);
    return Math.max(1, Math.min(most, inTime));
  }

  /** The next ones in line; those that were aborted meanwhile are resolved. */
  #take(): Entry[] {
    const entries: Entry[] = [];
    while (entries.length < this.#maxTogether) {
      const entry = this.#waiting.shift();
      if (entry === undefined) break;
      if (entry.signal.aborted) entry.resolve(NO_COUNTS);
      else entries.push(entry);
    }
    return entries;
  }
}
