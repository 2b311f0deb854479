/**
 * Speculation by prompt look-up: an agent quotes what it has read and repeats what it has written, so
 * what followed the last few ids where they came before is likely to follow again. A draft is checked
 * by computing its ids in one pass with the last id, which reads the dense weights once for all.
 *
 * Each drafted id costs something: it brings further experts to read, and arithmetic. How long passes
 * take, by how many ids they compute, is measured while decoding, as is how often an id comes true, by how
 * many ids before it agreed. A draft is as long as makes the most of both, and where it promises next to
 * nothing there is none.
 */

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
/** What passes of up to so many ids take, in parts of one without a draft, as far as not measured. */
const TIMES = [
  { ids: 1, time: 1 },
  { ids: 2, time: 1.85 },
  { ids: 4, time: 3.3 },
  { ids: 8, time: 5.6 },
  { ids: MAX_DRAFT + 1, time: 10 },
] as const;
/** Weights of the newest observation. */
const RATE_LEARNING = 0.05;
const TIME_LEARNING = 0.12;
/** Weight of what is expected without a measurement, at every pass: a measurement grows old. */
const TIME_FORGETTING = 0.002;
/** A draft promises at least so many times the ids per second. */
const MIN_GAIN = 1.05;

type Prediction = {
  /** Where the timeline is expected to go on as it did, and how many ids before agree. */
  readonly at: number;
  readonly match: number;
};

/** Drafts for one timeline, and what became of them. */
export class Drafter {
  readonly #rates: number[] = RATES.map(({ rate }) => rate);
  /** By kind of pass: how many times longer it takes than `TIMES` says; undefined: not measured. */
  readonly #factors: (number | undefined)[] = TIMES.map(() => undefined);
  /** Milliseconds of a pass without a draft. */
  #plainMs: number | undefined;
  /** What was predicted for the timeline when it was `length` long, drafted or not. */
  #last: (Prediction & { readonly length: number; readonly drafted: number }) | undefined;

  /**
   * @param timeline ids 0 … length - 1 have been
   * @param limit most ids
   * @param others ids that the pass computes for other timelines
   * @returns ids that may come next; none where nothing is known, or nothing is gained
   */
  draft(
    timeline: Int32Array<ArrayBufferLike>,
    length: number,
    limit: number,
    others = 0,
  ): number[] {
    this.#judge(timeline, length);
    this.#last = undefined;
    const found = findContinuation(timeline, length, MIN_MATCH);
    if (found === undefined) return [];
    const most = Math.min(limit, MAX_DRAFT, length - found.at);
    const drafted = this.#bestLength(found.match, most, others);
    this.#last = { ...found, length, drafted };
    return Array.from(timeline.subarray(found.at, found.at + drafted));
  }

  /** How long a pass took that was this timeline's alone. */
  learn(drafted: number, ms: number): void {
    if (drafted === 0) {
      this.#plainMs = mixed(this.#plainMs ?? ms, ms, TIME_LEARNING);
      for (const [kind, factor] of this.#factors.entries()) {
        if (factor !== undefined) this.#factors[kind] = mixed(factor, 1, TIME_FORGETTING);
      }
    } else if (this.#plainMs !== undefined) {
      const kind = kindOf(drafted + 1);
      const before = this.#factor(kind);
      // A pass that something else has held up says little.
      const now = Math.min(2 * before, ms / this.#plainMs / expectedTime(drafted + 1));
      this.#factors[kind] = mixed(before, now, TIME_LEARNING);
    }
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
    const none = (others + 1) / this.#time(others + 1);
    let [best, bestSpeed] = [0, none * MIN_GAIN];
    let [ids, chance] = [others + 1, 1];
    for (let length = 1; length <= most; length++) {
      chance *= this.#rates[rateKindOf(match + length - 1)]!;
      ids += chance;
      const speed = ids / this.#time(others + 1 + length);
      if (speed > bestSpeed) [best, bestSpeed] = [length, speed];
    }
    return best;
  }

  /** Of a pass, in parts of one without a draft. */
  #time(ids: number): number {
    return ids === 1 ? 1 : Math.max(1, expectedTime(ids) * this.#factor(kindOf(ids)));
  }

  /** Of the nearest kind that was measured. */
  #factor(kind: number): number {
    for (let distance = 0; distance < TIMES.length; distance++) {
      const found = this.#factors[kind - distance] ?? this.#factors[kind + distance];
      if (found !== undefined) return found;
    }
    return 1;
  }
}

function mixed(before: number, now: number, weight: number): number {
  return before + weight * (now - before);
}

function rateKindOf(match: number): number {
  return RATES.findLastIndex(({ from }) => match >= from);
}

/** Index in `TIMES`. */
function kindOf(ids: number): number {
  const found = TIMES.findIndex((kind) => ids <= kind.ids);
  return found === -1 ? TIMES.length - 1 : found;
}

/** Between the values of `TIMES` on a straight line, and beyond them. */
function expectedTime(ids: number): number {
  const kind = Math.max(1, kindOf(ids));
  const [from, to] = [TIMES[kind - 1]!, TIMES[kind]!];
  return from.time + ((to.time - from.time) * (ids - from.ids)) / (to.ids - from.ids);
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
