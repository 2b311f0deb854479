/**
 * Speculation by prompt look-up: an agent quotes what it has read and repeats what it has written, so
 * what followed the last few ids where they came before is likely to follow again. A draft is checked
 * by computing its ids in one pass with the last id, which reads the dense weights once for all.
 *
 * Each drafted id costs something: it brings further experts to read, and arithmetic. How much, in parts
 * of a pass without a draft, is measured while decoding, as is how often an id comes true by how many ids
 * before it agreed; a draft is as long as makes the most of both.
 */

import { MAX_DRAFT } from "./sequence.ts";

/** Ids that must agree for a draft, and from which it is believed more; where they begin to. */
const MATCHES = [
  { atLeast: 3, rate: 0.6 },
  { atLeast: 6, rate: 0.8 },
  { atLeast: 12, rate: 0.93 },
] as const;
const SHORTEST_MATCH = 3;
const LONGEST_MATCH = 12;
/** Cost of a drafted id before it was measured. */
const FIRST_COST = 0.35;
/** Weight of the newest observation. */
const LEARNING = 0.12;
/** When no draft promises anything, every so often a short one is made, so that this can change. */
const TRIAL_EVERY = 24;
const TRIAL_LENGTH = 2;

/** Drafts for one timeline, and what became of them. */
export class Drafter {
  readonly #rates: number[] = MATCHES.map(({ rate }) => rate);
  #cost = FIRST_COST;
  /** Milliseconds of a pass without a draft. */
  #plainMs: number | undefined;
  /** Which of `MATCHES` the last draft was. */
  #kind = 0;
  #untried = 0;

  /**
   * @param timeline ids 0 … length - 1 have been
   * @param limit most ids
   * @returns ids that may come next; none where nothing is known, or nothing is gained
   */
  draft(timeline: Int32Array<ArrayBufferLike>, length: number, limit: number): number[] {
    const most = Math.min(limit, MAX_DRAFT);
    if (most < 1) return [];
    const found = findContinuation(timeline, length, SHORTEST_MATCH);
    if (found === undefined) return [];
    this.#kind = MATCHES.findLastIndex(({ atLeast }) => found.match >= atLeast);
    let size = this.#bestLength(this.#rates[this.#kind]!, most);
    if (size === 0) {
      if (++this.#untried < TRIAL_EVERY) return [];
      size = Math.min(most, TRIAL_LENGTH);
    }
    this.#untried = 0;
    return Array.from(timeline.subarray(found.at, Math.min(found.at + size, length)));
  }

  /**
   * What came true of the last draft.
   * @param ms time of the pass, where it was this timeline's alone
   */
  learn(drafted: number, accepted: number, ms?: number): void {
    if (drafted === 0) {
      if (ms !== undefined) this.#plainMs = mixed(this.#plainMs ?? ms, ms);
      return;
    }
    let rate = this.#rates[this.#kind]!;
    for (let i = 0; i < accepted; i++) rate = mixed(rate, 1);
    if (accepted < drafted) rate = mixed(rate, 0);
    this.#rates[this.#kind] = rate;
    if (ms === undefined || this.#plainMs === undefined) return;
    const cost = (ms / this.#plainMs - 1) / drafted;
    this.#cost = mixed(this.#cost, Math.min(2, Math.max(0, cost)));
  }

  /** The length of most ids per time: Σ rate^i of them come, at 1 + length · cost. */
  #bestLength(rate: number, most: number): number {
    let [best, bestSpeed] = [0, 1];
    let [ids, chance] = [1, 1];
    for (let length = 1; length <= most; length++) {
      chance *= rate;
      ids += chance;
      const speed = ids / (1 + length * this.#cost);
      if (speed > bestSpeed) [best, bestSpeed] = [length, speed];
    }
    return best;
  }
}

function mixed(before: number, now: number): number {
  return before + LEARNING * (now - before);
}

/**
 * Where to read on: behind the earlier place whose ids before it agree with the end of the timeline
 * the longest, the latest of several, and how many ids agree there (counted up to 12). Undefined when
 * fewer than `atLeast` agree anywhere.
 */
export function findContinuation(
  timeline: Int32Array<ArrayBufferLike>,
  length: number,
  atLeast: number,
): { readonly at: number; readonly match: number } | undefined {
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
  return best === undefined ? undefined : { at: best, match: longest };
}
