/**
 * A grammar as one deterministic automaton over bytes, whose states are made when they are reached. A state
 * is a set of threads, each a state of the parser with the state of the lexer in the terminal that is being
 * read: more than one where a text can be cut into terminals in several ways. Every state but `REFUSED` has
 * a continuation that the grammar accepts.
 */
import { GrammarError, GrammarLimitError } from "../errors.ts";
import type { ByteClasses } from "./byte-classes.ts";
import type { Grammar } from "./grammar.ts";
import { DEAD, Lexer } from "./lexer.ts";
import { Parser } from "./parser.ts";
import { RegexPool } from "./regex-pool.ts";
import { Work } from "./work.ts";

export type GrammarLimits = {
  /** Distinct parts of regular expressions, derivatives included. */
  readonly regexNodes: number;
  readonly lexerStates: number;
  /** Items of all states of the parser. */
  readonly parserItems: number;
  /** States of the whole. */
  readonly states: number;
  /** Steps for one mask or token, each about a tenth of a microsecond. */
  readonly work: number;
};

/** The state from which no text is accepted. */
export const REFUSED = -1;
/** In `transitions`: not known yet. */
export const UNKNOWN = 0;

export class Automaton {
  /** Begun anew for each mask and token. */
  readonly work: Work;
  readonly lexer: Lexer;
  /** The state before the first byte. */
  readonly initial: number;
  readonly #parser: Parser;
  readonly #maxStates: number;
  /** Parser state and lexer state of each thread, flat. */
  readonly #threads: (readonly number[])[] = [[]];
  readonly #accepting: boolean[] = [false];
  readonly #stateOfKey: Map<string, number> = new Map();
  /** Where a state's row begins in `transitions`; -1 until it is opened. */
  rows: Int32Array = new Int32Array(256).fill(-1);
  /** Where a state's classes of bytes begin in `classes`. */
  classStarts: Int32Array = new Int32Array(256);
  /** State by class of byte; `UNKNOWN` or `REFUSED`. */
  transitions: Int32Array = new Int32Array(4096);
  /** One byte of each class, at the places of `transitions`. */
  #samples: Uint8Array = new Uint8Array(4096);
  #rowEnd = 0;
  /** The class of each of the 256 bytes. */
  classes: Uint8Array = new Uint8Array(256 * 64);
  #classEnd = 0;
  readonly #startOfClasses: Map<Uint8Array, number> = new Map();

  /**
   * @throws GrammarError when no text belongs to the grammar
   * @throws GrammarLimitError when it is too large
   */
  constructor(grammar: Grammar, limits: GrammarLimits) {
    this.work = new Work(limits.work);
    const pool = new RegexPool(limits.regexNodes, this.work);
    const nodes = grammar.terminals.map((regex) => pool.lower(regex));
    this.lexer = new Lexer(pool, limits.lexerStates);
    this.#parser = new Parser(grammar, this.lexer, nodes, limits.parserItems, this.work);
    this.#maxStates = limits.states;
    const first = this.#parser.initial;
    const threads = this.#parser.start(first) === DEAD ? [] : [first, this.#parser.start(first)];
    this.initial = this.#state(threads, this.#parser.isAccepting(first));
    if (this.initial === REFUSED) {
      throw new GrammarError("Cannot use the grammar: no text belongs to it.");
    }
  }

  /** States made so far. */
  get size(): number {
    return this.#threads.length - 1;
  }

  /** Whether the text may end here. */
  isAccepting(state: number): boolean {
    return this.#accepting[state]!;
  }

  /** Lexer states of the threads. */
  lexerStates(state: number): readonly number[] {
    const threads = this.#threads[state]!;
    return threads.length === 2 ? [threads[1]!] : threads.filter((_, at) => at % 2 === 1);
  }

  /** The state behind a byte, or `REFUSED`. */
  next(state: number, byte: number): number {
    if (this.rows[state]! < 0) this.open(state);
    const place = this.rows[state]! + this.classes[this.classStarts[state]! + byte]!;
    const known = this.transitions[place]!;
    return known === UNKNOWN ? this.fill(place, state) : known;
  }

  /** Gives a state its row of `transitions`. */
  open(state: number): void {
    const threads = this.#threads[state]!;
    const { classOf, samples } =
      threads.length === 2 ? this.lexer.classes(threads[1]!) : this.#joinClasses(threads);
    const row = this.#rowEnd;
    this.#rowEnd += samples.length;
    if (this.#rowEnd > this.transitions.length) {
      this.transitions = grown(this.transitions, this.#rowEnd);
      this.#samples = grown(this.#samples, this.#rowEnd);
    }
    this.#samples.set(samples, row);
    this.classStarts[state] = this.#startOf(classOf);
    this.rows[state] = row;
  }

  /** Computes the transition at a place of an open row. */
  fill(place: number, state: number): number {
    const next = this.#step(state, this.#samples[place]!);
    this.transitions[place] = next;
    return next;
  }

  /** The only byte that may come, or -1: the text may end, or more than one may come. */
  onlyByte(state: number): number {
    if (this.#accepting[state]!) return -1;
    if (this.rows[state]! < 0) this.open(state);
    const row = this.rows[state]!;
    const start = this.classStarts[state]!;
    let only = -1;
    for (let byte = 0; byte < 256; byte++) {
      const place = row + this.classes[start + byte]!;
      const known = this.transitions[place]!;
      if ((known === UNKNOWN ? this.fill(place, state) : known) === REFUSED) continue;
      if (only >= 0) return -1;
      only = byte;
    }
    return only;
  }

  #step(state: number, byte: number): number {
    const { lexer } = this;
    const parser = this.#parser;
    const threads = this.#threads[state]!;
    const next: number[] = [];
    const ended: number[] = [];
    const sets: number[] = [];
    for (let at = 0; at < threads.length; at += 2) {
      this.work.spend(10 + lexer.rests(threads[at + 1]!).length);
      const target = lexer.next(threads[at + 1]!, byte);
      if (target === DEAD) continue;
      const set = lexer.complete(target);
      if (set !== 0) {
        ended.push(threads[at]!);
        sets.push(set);
      }
      const onward = lexer.onward(target);
      if (onward !== DEAD) next.push(threads[at]!, onward);
    }
    if (ended.length === 0) return this.#state(next, false);
    const behind =
      ended.length === 1 ? parser.shift(ended[0]!, sets[0]!) : parser.shiftAll(ended, sets);
    if (parser.start(behind) !== DEAD) next.push(behind, parser.start(behind));
    return this.#state(next, parser.isAccepting(behind));
  }

  #state(threads: number[], accepting: boolean): number {
    if (threads.length === 0 && !accepting) return REFUSED;
    const list = threads.length > 2 ? sortedThreads(threads) : threads;
    const key = `${accepting ? "." : ""}${list.join()}`;
    const known = this.#stateOfKey.get(key);
    if (known !== undefined) return known;
    const state = this.#threads.push(list) - 1;
    if (state > this.#maxStates) throw new GrammarLimitError("states", this.#maxStates);
    this.#stateOfKey.set(key, state);
    this.#accepting.push(accepting);
    if (state >= this.rows.length) {
      const { length } = this.rows;
      this.rows = grown(this.rows, state + 1);
      this.rows.fill(-1, length);
      this.classStarts = grown(this.classStarts, state + 1);
    }
    return state;
  }

  /** Bytes of one class are of one class for every thread. */
  #joinClasses(threads: readonly number[]): ByteClasses {
    const nodes: number[] = [];
    for (let at = 1; at < threads.length; at += 2) nodes.push(...this.lexer.rests(threads[at]!));
    return this.lexer.pool.byteClasses(nodes);
  }

  /** Where these classes are in `classes`; equal ones are one array. */
  #startOf(classOf: Uint8Array): number {
    const known = this.#startOfClasses.get(classOf);
    if (known !== undefined) return known;
    const start = this.#classEnd;
    this.#classEnd += 256;
    if (this.#classEnd > this.classes.length) this.classes = grown(this.classes, this.#classEnd);
    this.classes.set(classOf, start);
    this.#startOfClasses.set(classOf, start);
    return start;
  }
}

function grown<T extends Int32Array | Uint8Array>(array: T, least: number): T {
  const Kind = array.constructor as new (length: number) => T;
  const larger = new Kind(Math.max(least, array.length * 2));
  larger.set(array);
  return larger;
}

/** Threads in an order of their own, each once. */
function sortedThreads(threads: readonly number[]): number[] {
  const keys: number[] = [];
  for (let at = 0; at < threads.length; at += 2)
    keys.push(threads[at]! * 2 ** 26 + threads[at + 1]!);
  keys.sort((a, b) => a - b);
  return keys.flatMap((key, at) =>
    key === keys[at - 1] ? [] : [Math.floor(key / 2 ** 26), key % 2 ** 26],
  );
}
