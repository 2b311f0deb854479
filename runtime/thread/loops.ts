/**
 * Loops of a model, found in what it did: the same calls with the same results again and again, and a thought
 * that goes round. Pure.
 */
import type { MadeCall } from "./state.ts";

/** So often the same calls have to come before they are a loop. */
const TIMES = 3;
/** The longest cycle of calls that is looked for. */
const MAX_CYCLE = 4;
/** As many calls of a turn are remembered. */
export const REMEMBERED_CALLS: number = TIMES * MAX_CYCLE;

export type CallLoop = {
  /** The calls of one cycle. */
  readonly cycle: readonly MadeCall[];
  readonly times: number;
  /** Messages of the transcript up to the end of the first cycle. */
  readonly keep: number;
};

/**
 * @param calls the latest calls of a turn, oldest first
 * @returns the loop that they end in; null where they do not
 */
export function callLoop(calls: readonly MadeCall[]): CallLoop | null {
  for (let period = 1; period <= MAX_CYCLE; period++) {
    const latest = calls.slice(-TIMES * period);
    if (latest.length < TIMES * period) return null;
    const isCycle = latest.every((call, at) => at < period || isSame(call, latest[at - period]));
    if (!isCycle) continue;
    // Calls of one step are cut back together.
    const firstEnd = latest[period - 1]?.from ?? 0;
    const keep = latest.find((call, at) => at >= period && call.from > firstEnd)?.from;
    if (keep !== undefined) return { cycle: latest.slice(0, period), times: TIMES, keep };
  }
  return null;
}

function isSame(a: MadeCall, b: MadeCall | undefined): boolean {
  return a.recipient === b?.recipient && a.text === b.text && a.result === b.result;
}

/** The longest cycle of a thought in UTF-16 units; the model's detector looks at cycles of 64 tokens at most. */
const MAX_PERIOD = 1024;

/**
 * A thought that ends in a repetition, with one cycle of it.
 * @returns the text itself where it ends in none
 */
export function withoutRepetition(text: string): string {
  for (let period = 1; period <= Math.min(MAX_PERIOD, text.length / TIMES); period++) {
    let repeated = 0;
    for (let at = text.length - 1; at >= period && text[at] === text[at - period]; at--) repeated++;
    // A few equal letters at the end of a sentence are none.
    if (repeated >= (TIMES - 1) * period && repeated >= MIN_REPEATED) {
      return text.slice(0, text.length - repeated);
    }
  }
  return text;
}

const MIN_REPEATED = 64;
