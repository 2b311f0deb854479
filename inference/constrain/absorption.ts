/**
 * Which characters a state only counts: in the body of a string, a word leads where its length says, not
 * which word it is. Read off the expressions that are left of the terminals, so that no state has to be
 * made for it.
 */
import type { Automaton } from "./automaton.ts";
import { BROKEN, categoryOfAscii, NON_ASCII } from "./categories.ts";
import {
  ALTERNATIVES,
  AND,
  CONCAT,
  EMPTY,
  LITERAL,
  NOTHING,
  REPEAT,
  type RegexPool,
  SET,
  UNBOUNDED,
} from "./regex-pool.ts";
import { utf8Sequences } from "./utf8-ranges.ts";

/** All texts of at most `length` characters of these categories may follow. */
export type Absorbed = {
  readonly categories: number;
  readonly length: number;
  /** Longer texts of these categories may not. */
  readonly exact: boolean;
  /** Behind such a text no character of these categories may follow. */
  readonly dead: number;
};

/** `unique`: those characters lead to nothing besides one less of them. */
type NodeAbsorbed = Absorbed & { readonly unique: boolean };

const NONE: NodeAbsorbed = { categories: 0, length: 0, exact: false, dead: 0, unique: false };

/** No token has more characters. */
const LONGEST = 255;

/** All categories of characters. */
const ALL = 2 ** BROKEN - 1;

const NON_ASCII_SEQUENCES = NON_ASCII.map(({ category, ranges }) => ({
  category,
  sequences: utf8Sequences(ranges),
}));

export class Absorption {
  readonly #automaton: Automaton;
  readonly #pool: RegexPool;
  readonly #ofState: (Absorbed | undefined)[] = [];
  readonly #ofLexerState: (Absorbed | undefined)[] = [];
  readonly #ofNode: Map<number, NodeAbsorbed> = new Map();
  readonly #ofItem: Map<number, number> = new Map();
  readonly #beginnings: Map<number, number> = new Map();
  /** How many tokens have only such characters. */
  readonly #weigh: (categories: number) => number;

  constructor(automaton: Automaton, weigh: (categories: number) => number) {
    this.#automaton = automaton;
    this.#pool = automaton.lexer.pool;
    this.#weigh = weigh;
  }

  of(state: number): Absorbed {
    let found = this.#ofState[state];
    if (found === undefined) {
      const states = this.#automaton.lexerStates(state);
      const own = (one: number) => this.#lexerState(one);
      found = states.length === 1 ? own(states[0]!) : this.#best(states, own);
      this.#ofState[state] = found;
    }
    return found;
  }

  #lexerState(state: number): Absorbed {
    let found = this.#ofLexerState[state];
    if (found === undefined) {
      const rests = this.#automaton.lexer.rests(state);
      found = this.#best(rests, (rest) => this.#node(rest));
      this.#ofLexerState[state] = found;
    }
    return found;
  }

  /** Of several ways to go on: the one that absorbs most. */
  #best(ways: readonly number[], absorbedOf: (way: number) => Absorbed): Absorbed {
    let best: Absorbed = NONE;
    let weight = -1;
    for (const way of ways) {
      const one = absorbedOf(way);
      if (one.categories === 0) continue;
      if (best === NONE) {
        best = one;
        continue;
      }
      if (weight < 0) weight = this.#value(best);
      const own = this.#value(one);
      if (own <= weight) continue;
      best = one;
      weight = own;
    }
    return ways.length > 1 ? withoutEnd(best) : best;
  }

  #value({ categories, length }: Absorbed): number {
    return this.#weigh(categories) * Math.min(length, 8);
  }

  #node(node: number): NodeAbsorbed {
    const kind = this.#pool.kind(node);
    if (kind === SET || kind === LITERAL) return NONE;
    let found = this.#ofNode.get(node);
    if (found === undefined) {
      found = this.#find(node);
      this.#ofNode.set(node, found);
    }
    return found;
  }

  #find(node: number): NodeAbsorbed {
    const pool = this.#pool;
    switch (pool.kind(node)) {
      case REPEAT:
        return this.#repeat(node, EMPTY);
      case CONCAT: {
        const head = pool.left(node);
        return pool.kind(head) === REPEAT ? this.#repeat(head, pool.right(node)) : NONE;
      }
      case ALTERNATIVES:
        return { ...this.#best(pool.list(node), (one) => this.#node(one)), unique: false };
      case AND:
        return this.#and(node);
      default:
        return NONE;
    }
  }

  #repeat(repeat: number, tail: number): NodeAbsorbed {
    const pool = this.#pool;
    const categories = this.#item(pool.left(repeat));
    if (categories === 0) return NONE;
    const most = pool.most(repeat);
    const behind = this.#begins(tail);
    const unique = (behind & categories) === 0;
    const isClosed = !pool.isNullable(tail);
    return {
      categories,
      length: most === UNBOUNDED ? Number.POSITIVE_INFINITY : most,
      exact: unique && isClosed,
      dead: isClosed ? ALL & ~behind & ~this.#begins(pool.left(repeat)) : 0,
      unique,
    };
  }

  /** All parts count in step, as long as something matches all of what is left of them. */
  #and(node: number): NodeAbsorbed {
    const pool = this.#pool;
    const parts = pool.list(node).map((part) => this.#node(part));
    if (!parts.every(({ unique }) => unique)) return NONE;
    const categories = parts.reduce((all, part) => all & part.categories, ~0);
    const length = Math.min(...parts.map((part) => part.length));
    const byte = SAMPLE_BYTES.find((one) => (categoryOfAscii(one) & categories) !== 0);
    if (byte === undefined) return NONE;
    let left = node;
    for (let count = 0; count < Math.min(length, LONGEST); count++) {
      const next = pool.derivative(left, byte);
      if (next === left) break;
      if (pool.isEmpty(next)) return { ...NONE, categories, length: count };
      left = next;
    }
    const exact = parts.some((part) => part.exact);
    const dead = parts.reduce((all, part) => all | part.dead, 0);
    return { categories, length, exact, dead, unique: true };
  }

  /** The categories of which each character alone is the item, and begins nothing else of it. */
  #item(item: number): number {
    let found = this.#ofItem.get(item);
    if (found !== undefined) return found;
    const refused = new Set<number>();
    found = 0;
    for (let byte = 0; byte < 128; byte++) {
      const category = categoryOfAscii(byte);
      found |= category;
      if (this.#pool.derivative(item, byte) !== EMPTY) refused.add(category);
    }
    for (const { category, sequences } of NON_ASCII_SEQUENCES) {
      found |= category;
      if (!sequences.every((sequence) => this.#covers(item, sequence, 0))) refused.add(category);
    }
    for (const category of refused) found &= ~category;
    this.#ofItem.set(item, found);
    return found;
  }

  #covers(node: number, sequence: readonly (readonly [number, number])[], at: number): boolean {
    const range = sequence[at];
    if (range === undefined) return node === EMPTY;
    if (node === NOTHING || node === EMPTY) return false;
    const next = new Set<number>();
    for (let byte = range[0]; byte <= range[1]; byte++) next.add(this.#pool.derivative(node, byte));
    for (const one of next) if (!this.#covers(one, sequence, at + 1)) return false;
    return true;
  }

  /** Categories of the characters with which the node can begin, or more of them. */
  #begins(node: number): number {
    let categories = this.#beginnings.get(node);
    if (categories !== undefined) return categories;
    categories = 0;
    const bytes = this.#pool.firstBytes(node);
    for (let byte = 0; byte < 128; byte++)
      if (bytes[byte] === 1) categories |= categoryOfAscii(byte);
    for (const { category, sequences } of NON_ASCII_SEQUENCES) {
      for (const [[from, to] = [0, -1]] of sequences) {
        for (let byte = from; byte <= to; byte++) if (bytes[byte] === 1) categories |= category;
      }
    }
    this.#beginnings.set(node, categories);
    return categories;
  }
}

/** Of several ways none says where the others end. */
function withoutEnd(absorbed: Absorbed): Absorbed {
  return absorbed.exact || absorbed.dead !== 0 ? { ...absorbed, exact: false, dead: 0 } : absorbed;
}

const SAMPLE_BYTES: readonly number[] = Array.from({ length: 128 }, (_, byte) => byte);
