/**
 * Speculation by prompt look-up: an agent quotes what it has read and repeats what it has written, so
 * what followed the last few ids where they came before is likely to follow again. A draft is checked
 * by computing its ids in one pass with the last id, which reads the dense weights once for all.
 *
 * Each drafted id costs something: it brings further experts to read, and arithmetic. How long passes
 * take is measured while decoding (`PassTimes`), as is how often an id comes true, by how many ids before it
 * agreed. A draft is as long as makes the most of both, and where it promises next to nothing there is none.
 * What drafts have gained and cost is counted as well: where they cost more, there are none for a while.
 */

import { mixed, PassTimes } from "./pass-times.ts";

/** Most tokens that a draft proposes; with the id before them, as many as have room for logits. */
export const MAX_DRAFT = 15;

/** Ids that must agree for a draft, and up to which they are counted. */
const MIN_MATCH = 3;
const MAX_MATCH = 32;
/** How often the next id comes true behind so many ids that agree; where the estimates begin. */
const RATES = [
  { from: MIN_MATCH, rate: 0.7 },
  { from: 5, rate: 0.8 },
  { from: 8, rate: 0.88 },
  { from: 12, rate: 0.93 },
  { from: 20, rate: 0.96 },
  { from: MAX_MATCH, rate: 0.98 },
] as const;
/** Weight of the newest observation. */
const RATE_LEARNING = 0.05;
/** A draft promises at least so many times the ids per second. */
const MIN_GAIN = 1.05;
/** Passes without a draft that drafts may lose before they pause, at first and at most. */
const CREDIT = 2;
const MAX_CREDIT = 8;
/** Passes of a pause: twice as many each time, until drafts have paid. */
const PAUSE = 32;
const MAX_PAUSE = 1024;

export type DraftOptions = {
  /** Ids that the pass computes for other timelines. Default: 0. */
  readonly others?: number;
  /** Whether the draft is as long as it can be, its cost aside. Default: no. */
  readonly isAlways?: boolean;
};

type Prediction = {
  /** Where the timeline is expected to go on as it did, and how many ids before agree. */
  readonly at: number;
  readonly match: number;
};

/** Drafts for one timeline, and what became of them. */
export class Drafter {
  readonly #rates: number[] = RATES.map(({ rate }) => rate);
  readonly #times: PassTimes;
  /** What drafts have gained and not lost again, in passes without one. */
  #credit = CREDIT;
  #pause = PAUSE;
  /** Passes for which there are no drafts. */
  #paused = 0;
  /** What was predicted for the timeline when it was `length` long, drafted or not. */
  #last: (Prediction & { readonly length: number; readonly drafted: number }) | undefined;

  constructor(times: PassTimes = new PassTimes()) {
    this.#times = times;
  }

  /**
   * @param timeline ids 0 … length - 1 have been
   * @param limit most ids
   * @returns ids that may come next; none where nothing is known, or nothing is gained
   */
  draft(
    timeline: Int32Array<ArrayBufferLike>,
    length: number,
    limit: number,
    { others = 0, isAlways = false }: DraftOptions = {},
  ): number[] {
    this.#judge(timeline, length);
    this.#last = undefined;
    const found = findContinuation(timeline, length, MIN_MATCH);
    if (found === undefined) return [];
    const most = Math.min(limit, MAX_DRAFT, length - found.at);
    const isPaused = this.#paused > 0;
    if (isPaused) this.#paused--;
    const mayDraft = !isPaused && this.#times.plainMs !== undefined;
    const best = mayDraft ? this.#bestLength(found.match, most, others) : 0;
    const drafted = isAlways ? most : best;
    this.#last = { ...found, length, drafted };
    return Array.from(timeline.subarray(found.at, found.at + drafted));
  }

  /**
   * What became of a draft.
   * @param gained ids of it that came
   * @param lost how much longer the pass took for it, in passes without a draft
   */
  settle(gained: number, lost: number): void {
    this.#credit = Math.min(MAX_CREDIT, this.#credit + gained - lost);
    if (this.#credit === MAX_CREDIT) this.#pause = PAUSE;
    if (this.#credit > 0) return;
    this.#credit = CREDIT;
    this.#paused = this.#pause;
    this.#pause = Math.min(MAX_PAUSE, 2 * this.#pause);
  }

  /** Compares the last prediction with what has come since, if that was one pass. */
  #judge(timeline: Int32Array<ArrayBufferLike>, length: number): void {
    const last = this.#last;
    if (last === undefined || length > last.length + last.drafted + 1) return;
    for (let i = 0; last.length + i < length && last.at + i < last.length; i++) {
      const kind = rateKindOf(last.match + i);
      const isTrue = timeline[last.at + i] === timeline[last.length + i];
      this.#rates[kind] = mixed(this.#rates[kind]!, isTrue ? 1 : 0, RATE_LEARNING);
      if (!isTrue) return;
    }
  }

  /** The length of most ids per time, those of the others included. */
  #bestLength(match: number, most: number, others: number): number {
    const none = (others + 1) / this.#times.time(others + 1);
    let [best, bestSpeed] = [0, none * MIN_GAIN];
    let [ids, chance] = [others + 1, 1];
    for (let length = 1; length <= most; length++) {
      chance *= this.#rates[rateKindOf(match + length - 1)]!;
      ids += chance;
      const speed = ids / this.#times.time(others + 1 + length);
      if (speed > bestSpeed) [best, bestSpeed] = [length, speed];
    }
    return best;
  }
}

function rateKindOf(match: number): number {
  return RATES.findLastIndex(({ from }) => match >= from);
}

/**
 * Where to read on: behind the earlier place whose ids before it agree with the end of the timeline
 * the longest, the latest of several, and how many ids agree there (counted up to 32). Undefined when
 * fewer than `atLeast` agree anywhere.
 */
export function findContinuation(
  timeline: Int32Array<ArrayBufferLike>,
  length: number,
  atLeast: number,
): Prediction | undefined {
  const last = timeline[length - 1]!;
  let best: number | undefined;
  let longest = atLeast - 1;
  for (let end = length - 2; end >= longest; end--) {
    if (timeline[end] !== last) continue;
    let match = 1;
    while (
      match < MAX_MATCH &&
      match <= end &&
      timeline[end - match] === timeline[length - 1 - match]
    ) {
      match++;
    }
    if (match <= longest) continue;
    best = end + 1;
    longest = match;
    if (match === MAX_MATCH) break;
  }
  return best === undefined ? undefined : { at: best, match: longest };
}
