/**
 * Which tokens may follow a state of a grammar: a walk through the trie of all tokens along the automaton.
 * Branches that a state allows as a whole, such as words in the body of a string, are filled in from the
 * categories of their characters (`absorption.ts`) instead of being walked.
 */
import { bitmaskWords } from "../sampling/token-bitmask.ts";
import type { Absorption } from "./absorption.ts";
import { type Automaton, REFUSED, UNKNOWN } from "./automaton.ts";
import type { Branches, TokenTrie } from "./token-trie.ts";

/** A branch with fewer tokens is walked without asking whether all of it is allowed. */
const FEW = 16;
/** A slice is worth its copy where it saves a walk of about this many tokens. */
const MANY = 1000;

export class MaskMaker {
  readonly #trie: TokenTrie;
  readonly #automaton: Automaton;
  readonly #absorption: Absorption;
  /** Row and class offset of the state at each depth. */
  readonly #rows: Int32Array = new Int32Array(258);
  readonly #classes: Int32Array = new Int32Array(258);
  readonly #states: Int32Array = new Int32Array(258);
  /** What the state at each depth absorbs. */
  readonly #categories: Int32Array = new Int32Array(258);
  readonly #lengths: Int32Array = new Int32Array(258);

  constructor(trie: TokenTrie, automaton: Automaton, absorption: Absorption) {
    this.#trie = trie;
    this.#automaton = automaton;
    this.#absorption = absorption;
  }

  /** A mask of all ids, as `TokenMatcher` gives it. */
  make(state: number): Uint32Array {
    const trie = this.#trie;
    const { categories, length, exact, dead } = this.#absorption.of(state);
    const isSliced = (exact || length >= trie.longestToken) && trie.weight(categories) >= MANY;
    if (isSliced) {
      const mask = trie.slice(categories, length).slice();
      this.#walk(state, mask, trie.rest(categories, dead));
      return mask;
    }
    const mask = new Uint32Array(bitmaskWords(trie.size));
    this.#walk(state, mask, trie);
    return mask;
  }

  #walk(state: number, mask: Uint32Array, branches: Branches): void {
    const { info, end, first, tokens, within, longest, nodeCount } = branches;
    const automaton = this.#automaton;
    const rows = this.#rows;
    const classStarts = this.#classes;
    const states = this.#states;
    const categories = this.#categories;
    const lengths = this.#lengths;
    this.#enter(0, state, tokens.length);
    let { transitions, classes } = automaton;
    for (let node = 1; node < nodeCount; ) {
      const above = (info[node]! >>> 8) - 1;
      const last = end[node]!;
      if ((within[node]! & ~categories[above]!) === 0) {
        if (longest[node]! <= lengths[above]!) {
          const to = first[last]!;
          for (let at = first[node]!; at < to; at++) {
            const id = tokens[at]!;
            mask[id >>> 5]! |= 1 << (id & 31);
          }
          node = last;
          continue;
        }
      }
      const place = rows[above]! + classes[classStarts[above]! + (info[node]! & 255)]!;
      let next = transitions[place]!;
      if (next === UNKNOWN) {
        next = automaton.fill(place, states[above]!);
        transitions = automaton.transitions;
      }
      if (next === REFUSED) {
        node = last;
        continue;
      }
      const to = first[node + 1]!;
      for (let at = first[node]!; at < to; at++) {
        const id = tokens[at]!;
        mask[id >>> 5]! |= 1 << (id & 31);
      }
      if (last > node + 1) {
        this.#enter(above + 1, next, first[last]! - to);
        ({ transitions, classes } = automaton);
      }
      node++;
    }
  }

  /** @param tokens below the node that is entered */
  #enter(depth: number, state: number, tokens: number): void {
    const automaton = this.#automaton;
    if (automaton.rows[state]! < 0) automaton.open(state);
    this.#rows[depth] = automaton.rows[state]!;
    this.#classes[depth] = automaton.classStarts[state]!;
    this.#states[depth] = state;
    if (tokens < FEW) this.#categories[depth] = 0;
    else {
      const { categories, length } = this.#absorption.of(state);
      this.#categories[depth] = categories;
      this.#lengths[depth] = Math.min(length, 255);
    }
  }
}
