/**
 * How long passes take, by how many ids they compute, as measured while decoding: what a draft costs. One for all
 * sessions of an engine.
 */

/** What passes of up to so many ids take, in parts of one with one id, as far as not measured. */
const TIMES = [
  { ids: 1, time: 1 },
  { ids: 2, time: 1.85 },
  { ids: 4, time: 3.3 },
  { ids: 8, time: 5.6 },
  { ids: 16, time: 10 },
] as const;
/** Weight of the newest observation, once there are as many as make it their mean. */
const LEARNING = 0.12;
/** Weight of what is expected without a measurement, at every pass: a measurement grows old. */
const FORGETTING = 0.002;

export class PassTimes {
  /** By kind of pass: how many times longer it takes than `TIMES` says, and how often that was measured. */
  readonly #factors: ({ value: number; count: number } | undefined)[] = TIMES.map(() => undefined);
  /** Milliseconds of a pass with one id. */
  #plainMs: number | undefined;
  #plainCount = 0;

  /** Milliseconds of a pass with one id; undefined: not measured yet. */
  get plainMs(): number | undefined {
    return this.#plainMs;
  }

  /** How long a pass took. */
  learn(ids: number, ms: number): void {
    if (ids === 1) {
      const weight = Math.max(LEARNING, 1 / ++this.#plainCount);
      this.#plainMs = mixed(this.#plainMs ?? ms, ms, weight);
      for (const factor of this.#factors) {
        if (factor !== undefined) factor.value = mixed(factor.value, 1, FORGETTING);
      }
    } else if (this.#plainMs !== undefined) {
      const kind = kindOf(ids);
      const before = this.#factor(kind);
      // A pass that something else has held up says little.
      const now = Math.min(2 * before, ms / this.#plainMs / expectedTime(ids));
      const count = (this.#factors[kind]?.count ?? 0) + 1;
      const weight = Math.max(LEARNING, 1 / (count + 1));
      this.#factors[kind] = { value: mixed(before, now, weight), count };
    }
  }

  /** Of a pass, in parts of one with one id. */
  time(ids: number): number {
    return ids === 1 ? 1 : Math.max(1, expectedTime(ids) * this.#factor(kindOf(ids)));
  }

  /** Of the nearest kind that was measured. */
  #factor(kind: number): number {
    for (let distance = 0; distance < TIMES.length; distance++) {
      const found = this.#factors[kind - distance] ?? this.#factors[kind + distance];
      if (found !== undefined) return found.value;
    }
    return 1;
  }
}

/** A running mean. @param weight of the newest observation */
export function mixed(before: number, now: number, weight: number): number {
  return before + weight * (now - before);
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
