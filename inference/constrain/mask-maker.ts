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
/** Masks that are kept for states that are like them. */
const MAX_BODIES = 16;
/** Tried one after the other: names that are left out seldom begin with all of them. */
const LETTERS = new TextEncoder().encode("qzxjkvwyQZXJ0_ughbofdlmrpnitsaec");

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

  /** Masks of the states that others are like. */
  readonly #bodies: Map<number, Uint32Array> = new Map();

  constructor(trie: TokenTrie, automaton: Automaton, absorption: Absorption) {
    this.#trie = trie;
    this.#automaton = automaton;
    this.#absorption = absorption;
  }

  /** A mask of all ids, as `TokenMatcher` gives it. */
  make(state: number): Uint32Array {
    const trie = this.#trie;
    this.#automaton.work.begin();
    if (this.#isSliced(state)) {
      const { categories, length, dead } = this.#absorption.of(state);
      const mask = trie.slice(categories, length).slice();
      const rest = trie.rest(categories, dead);
      this.#walk(state, mask, rest, 1, rest.nodeCount);
      return mask;
    }
    const body = this.#bodyBehind(state);
    if (body !== undefined) return this.#makeLike(state, body);
    const mask = new Uint32Array(bitmaskWords(trie.size));
    this.#walk(state, mask, trie, 1, trie.nodeCount);
    return mask;
  }

  #isSliced(state: number): boolean {
    const { categories, length, exact } = this.#absorption.of(state);
    return (exact || length >= this.#trie.longestToken) && this.#trie.weight(categories) >= MANY;
  }

  /** A state with a slice that most letters lead to and keep, as behind the quote of a key with excluded names. */
  #bodyBehind(state: number): number | undefined {
    const automaton = this.#automaton;
    for (const letter of LETTERS) {
      const next = automaton.next(state, letter);
      if (next === REFUSED || automaton.next(next, letter) !== next) continue;
      if (this.#isSliced(next)) return next;
    }
    return undefined;
  }

  /** The mask of another state, changed for the first bytes that lead to something else from this one. */
  #makeLike(state: number, other: number): Uint32Array {
    const { info, end, first, tokens, nodeCount } = this.#trie;
    const automaton = this.#automaton;
    let like = this.#bodies.get(other);
    if (like === undefined) {
      like = this.make(other);
      if (this.#bodies.size === MAX_BODIES) this.#bodies.clear();
      this.#bodies.set(other, like);
    }
    const mask = like.slice();
    for (let node = 1; node < nodeCount; node = end[node]!) {
      const byte = info[node]! & 255;
      if (automaton.next(state, byte) === automaton.next(other, byte)) continue;
      const behind = first[end[node]!]!;
      for (let at = first[node]!; at < behind; at++) {
        const id = tokens[at]!;
        mask[id >>> 5]! &= ~(1 << (id & 31));
      }
      this.#walk(state, mask, this.#trie, node, end[node]!);
    }
    return mask;
  }

  /** Adds the tokens of the branches from node `from` to before `to`, which are children of the root. */
  #walk(state: number, mask: Uint32Array, branches: Branches, from: number, to: number): void {
    const { info, end, first, tokens, within, longest } = branches;
    const automaton = this.#automaton;
    const rows = this.#rows;
    const classStarts = this.#classes;
    const states = this.#states;
    const categories = this.#categories;
    const lengths = this.#lengths;
    this.#enter(0, state, tokens.length);
    let { transitions, classes } = automaton;
    for (let node = from; node < to; ) {
      const above = (info[node]! >>> 8) - 1;
      const last = end[node]!;
      if ((within[node]! & ~categories[above]!) === 0) {
        if (longest[node]! <= lengths[above]!) {
          const behind = first[last]!;
          for (let at = first[node]!; at < behind; at++) {
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
      const own = first[node + 1]!;
      for (let at = first[node]!; at < own; at++) {
        const id = tokens[at]!;
        mask[id >>> 5]! |= 1 << (id & 31);
      }
      if (last > node + 1) {
        this.#enter(above + 1, next, first[last]! - own);
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
