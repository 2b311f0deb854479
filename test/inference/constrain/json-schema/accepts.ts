/** Whether whole texts belong to a grammar, byte by byte. */
import { Automaton, REFUSED } from "../../../../inference/constrain/automaton.ts";
import type { Grammar } from "../../../../inference/index.ts";

const LIMITS = {
  regexNodes: 1_000_000,
  lexerStates: 300_000,
  parserItems: 5_000_000,
  states: 500_000,
  work: Number.POSITIVE_INFINITY,
};

export function accepts(grammar: Grammar): (text: string) => boolean {
  const automaton = new Automaton(grammar, LIMITS);
  return (text) => {
    let state = automaton.initial;
    for (const byte of Buffer.from(text)) {
      state = automaton.next(state, byte);
      if (state === REFUSED) return false;
    }
    return automaton.isAccepting(state);
  };
}
