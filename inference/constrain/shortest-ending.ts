/** The shortest bytes that lead from a state of a grammar to where its text may end. */
import { type Automaton, REFUSED } from "./automaton.ts";

/** States that are looked at before the search is given up. */
const MAX_STATES = 20_000;

/**
 * Breadth first: every byte costs the same.
 * @returns null where no ending was found among so many states
 */
export function shortestEnding(automaton: Automaton, state: number): Uint8Array | null {
  const from = new Map<number, { readonly before: number; readonly byte: number } | null>();
  from.set(state, null);
  const waiting = [state];
  for (let at = 0; at < waiting.length && from.size <= MAX_STATES; at++) {
    const current = waiting[at] as number;
    if (automaton.isAccepting(current)) return pathTo(current, from);
    for (const byte of BYTES_IN_ORDER) {
      const next = automaton.next(current, byte);
      if (next === REFUSED || from.has(next)) continue;
      from.set(next, { before: current, byte });
      waiting.push(next);
    }
  }
  return null;
}

/** Of endings of one length the one with printable characters is wanted: digits and letters first. */
const BYTES_IN_ORDER: readonly number[] = [
  ...range(0x20, 0x7e),
  ...range(0x00, 0x1f),
  ...range(0x7f, 0xff),
];

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

function pathTo(
  end: number,
  from: ReadonlyMap<number, { readonly before: number; readonly byte: number } | null>,
): Uint8Array {
  const bytes: number[] = [];
  for (let step = from.get(end) ?? null; step !== null; step = from.get(step.before) ?? null) {
    bytes.push(step.byte);
  }
  return Uint8Array.from(bytes.reverse());
}
