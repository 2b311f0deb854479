/**
 * Speculation by prompt look-up: an agent quotes what it has read and repeats what it has written, so
 * what followed the last few ids where they came before is likely to follow again. A draft is checked
 * by computing its ids in one pass with the last id, which reads the dense weights once for all.
 *
 * A longer draft costs more: each id brings further experts to read. So drafts start short, grow as
 * long as they come true, and after a miss only a longer match is believed.
 */

import { MAX_DRAFT } from "./sequence.ts";

/** Ids that must match before a draft is made; more after misses. */
const SHORTEST_MATCH = 3;
const LONGEST_MATCH = 12;
const FIRST_LENGTH = 4;

/** Drafts for one timeline, and what became of them. */
export class Drafter {
  #length = FIRST_LENGTH;
  #match = SHORTEST_MATCH;

  /**
   * @param timeline ids 0 … length - 1 have been
   * @param limit most ids
   * @returns ids that may come next; none where nothing is known
   */
  draft(timeline: Int32Array<ArrayBufferLike>, length: number, limit: number): number[] {
    const size = Math.min(this.#length, limit, MAX_DRAFT);
    if (size < 1) return [];
    const found = findContinuation(timeline, length, this.#match);
    if (found === undefined) return [];
    return Array.from(timeline.subarray(found, Math.min(found + size, length)));
  }

  /** What came true of the last draft. */
  learn(drafted: number, accepted: number): void {
    if (drafted === 0) return;
    if (accepted === drafted) {
      this.#length = Math.min(MAX_DRAFT, this.#length * 2);
      this.#match = SHORTEST_MATCH;
    } else if (accepted * 2 < drafted) {
      this.#length = Math.max(2, this.#length >> 1);
      this.#match = Math.min(LONGEST_MATCH, this.#match + 1);
    }
  }
}

/**
 * Where to read on: behind the earlier place whose ids before it agree with the end of the timeline
 * the longest, the latest of several. Undefined when fewer than `atLeast` ids agree anywhere.
 */
export function findContinuation(
  timeline: Int32Array<ArrayBufferLike>,
  length: number,
  atLeast: number,
): number | undefined {
  const last = timeline[length - 1]!;
  let best: number | undefined;
  let longest = atLeast - 1;
  for (let end = length - 2; end >= longest; end--) {
    if (timeline[end] !== last) continue;
    let match = 1;
    while (
      match < LONGEST_MATCH &&
      match <= end &&
      timeline[end - match] === timeline[length - 1 - match]
    ) {
      match++;
    }
    if (match <= longest) continue;
    best = end + 1;
    longest = match;
    if (match === LONGEST_MATCH) break;
  }
  return best;
}
