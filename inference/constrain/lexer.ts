/**
 * Which terminals a run of bytes can still become, and which it is: the product of the terminals'
 * derivatives as an automaton whose states are made when they are reached.
 */
import { GrammarLimitError } from "../errors.ts";
import type { ByteClasses } from "./byte-classes.ts";
import { EMPTY, NOTHING, type RegexPool } from "./regex-pool.ts";

/** The state in which no terminal can come to be. */
export const DEAD = 0;

const UNKNOWN = -1;

/** What a byte leads to from a state: one target per class of bytes, found out when it is asked for. */
type Row = { readonly classes: ByteClasses; readonly targets: Int32Array };

export class Lexer {
  readonly pool: RegexPool;
  readonly #maxStates: number;
  /** Terminals of a state, and beside each what is left of it. */
  readonly #terminals: (readonly number[])[] = [[]];
  readonly #rests: (readonly number[])[] = [[]];
  /** Set of the terminals that are complete here; 0 for none. */
  readonly #complete: number[] = [0];
  /** The state without what is complete and cannot go on. */
  readonly #onward: number[] = [DEAD];
  readonly #rows: (Row | undefined)[] = [undefined];
  readonly #stateOfKey: Map<string, number> = new Map([["", DEAD]]);
  readonly #starts: Map<string, number> = new Map();
  readonly #sets: (readonly number[])[] = [[]];
  readonly #setOfKey: Map<string, number> = new Map([["", 0]]);

  /** @param maxStates more are refused with a `GrammarLimitError` */
  constructor(pool: RegexPool, maxStates: number) {
    this.pool = pool;
    this.#maxStates = maxStates;
  }

  /** The state before the first byte. @param terminals sorted, with the node of each */
  start(terminals: readonly number[], nodes: readonly number[]): number {
    const key = terminals.join();
    let state = this.#starts.get(key);
    if (state === undefined) {
      state = this.#state(terminals, nodes);
      this.#starts.set(key, state);
    }
    return state;
  }

  terminals(state: number): readonly number[] {
    return this.#terminals[state]!;
  }

  /** What is left of each of `terminals`. */
  rests(state: number): readonly number[] {
    return this.#rests[state]!;
  }

  /** The set of terminals that end with the byte that led here; 0 for none. */
  complete(state: number): number {
    return this.#complete[state]!;
  }

  /** The terminals of such a set, sorted. */
  completed(set: number): readonly number[] {
    return this.#sets[set]!;
  }

  /** Where a state goes on: the same one, or without terminals that can only end here. */
  onward(state: number): number {
    return this.#onward[state]!;
  }

  /** Bytes of one class lead from a state to the same one. */
  classes(state: number): ByteClasses {
    return this.#row(state).classes;
  }

  next(state: number, byte: number): number {
    const { classes, targets } = this.#row(state);
    const place = classes.classOf[byte]!;
    const known = targets[place]!;
    if (known !== UNKNOWN) return known;
    const target = this.#step(state, byte);
    targets[place] = target;
    return target;
  }

  #row(state: number): Row {
    const known = this.#rows[state];
    if (known !== undefined) return known;
    const classes = this.pool.byteClasses(this.#rests[state]!);
    const row = { classes, targets: new Int32Array(classes.samples.length).fill(UNKNOWN) };
    this.#rows[state] = row;
    return row;
  }

  #step(state: number, byte: number): number {
    const terminals = this.#terminals[state]!;
    const rests = this.#rests[state]!;
    const alive: number[] = [];
    const left: number[] = [];
    for (let at = 0; at < rests.length; at++) {
      const rest = this.pool.derivative(rests[at]!, byte);
      if (rest === NOTHING || this.pool.isEmpty(rest)) continue;
      alive.push(terminals[at]!);
      left.push(rest);
    }
    return this.#state(alive, left);
  }

  #state(terminals: readonly number[], rests: readonly number[]): number {
    let key = "";
    for (let at = 0; at < terminals.length; at++) key += `${terminals[at]}:${rests[at]},`;
    const known = this.#stateOfKey.get(key);
    if (known !== undefined) return known;
    if (this.#terminals.length >= this.#maxStates) {
      throw new GrammarLimitError("states of the lexer", this.#maxStates);
    }
    const state = this.#terminals.push(terminals) - 1;
    this.#stateOfKey.set(key, state);
    this.#rests.push(rests);
    this.#rows.push(undefined);
    this.#complete.push(this.#set(terminals.filter((_, at) => this.pool.isNullable(rests[at]!))));
    this.#onward.push(state);
    if (rests.includes(EMPTY)) {
      const goesOn = (_: number, at: number) => rests[at] !== EMPTY;
      this.#onward[state] = this.#state(terminals.filter(goesOn), rests.filter(goesOn));
    }
    return state;
  }

  #set(terminals: readonly number[]): number {
    const key = terminals.join();
    let set = this.#setOfKey.get(key);
    if (set === undefined) {
      set = this.#sets.push(terminals) - 1;
      this.#setOfKey.set(key, set);
    }
    return set;
  }
}
