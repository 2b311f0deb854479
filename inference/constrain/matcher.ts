/** How far one text has come in a grammar. */
import type { TokenMatcher } from "../engine.ts";
import { InvalidRequestError } from "../errors.ts";
import { type Automaton, REFUSED } from "./automaton.ts";
import { forcedBytes, forcedTokens } from "./forced-text.ts";
import type { MaskCache } from "./mask-cache.ts";
import { shortestEnding } from "./shortest-ending.ts";
import type { TokenTrie, Vocabulary } from "./token-trie.ts";

export type MatcherOptions = {
  /** Ids that may come where the text may end, such as the model's stop ids. After one nothing may come. */
  readonly stopIds?: Iterable<number> | undefined;
};

/** The states of a grammar and the masks that belong to them. */
export type Machine = {
  readonly automaton: Automaton;
  readonly masks: MaskCache;
  readonly trie: TokenTrie;
};

/** In place of a state: a stop id has come. */
const STOPPED = 0;

/** A text in a grammar: which ids may come, which have come. */
export interface GrammarMatcher extends TokenMatcher {
  /** Ids that it has accepted. */
  readonly length: number;
  /** Whether the text may end here. */
  readonly isAccepting: boolean;
  /** Whether a stop id has come. */
  readonly isStopped: boolean;
  /**
   * @throws InvalidRequestError when the grammar does not allow the id here; the matcher is unchanged
   * @throws GrammarLimitError when too many states would be needed
   */
  accept(id: number): void;
  /** Whether the next id may be this one; what `mask` says of it. */
  allows(id: number): boolean;
  /** @throws InvalidRequestError when fewer ids have been accepted */
  rollback(count: number): void;
  /** The ids that may come; shared, so not to be written to. */
  mask(): Uint32Array;
  /** The bytes that every continuation begins with; none where there is a choice. */
  forcedBytes(): Uint8Array;
  /**
   * The ids that must come next, as the vocabulary's `encode` cuts such text, without the last ones where
   * a longer token could stand as well: which one it is depends on what the model writes behind.
   */
  forcedIds(): readonly number[];
  /** The shortest bytes after which the text may end; null where none were found with bounded effort. */
  shortestEnding(): Uint8Array | null;
}

export class MachineMatcher implements GrammarMatcher {
  readonly #vocabulary: Vocabulary;
  readonly #machine: Machine;
  readonly #stopIds: ReadonlySet<number>;
  #state: number;
  /** The states before each accepted id. */
  readonly #earlier: number[] = [];
  /** The accepted ids. */
  readonly #ids: number[] = [];

  constructor(vocabulary: Vocabulary, machine: Machine, { stopIds }: MatcherOptions) {
    this.#vocabulary = vocabulary;
    this.#machine = machine;
    this.#stopIds = new Set(stopIds);
    this.#state = machine.automaton.initial;
  }

  get length(): number {
    return this.#earlier.length;
  }

  get isAccepting(): boolean {
    return this.#state !== STOPPED && this.#machine.automaton.isAccepting(this.#state);
  }

  get isStopped(): boolean {
    return this.#state === STOPPED;
  }

  accept(id: number): void {
    const next = this.#behind(id);
    if (next === REFUSED) {
      throw new InvalidRequestError(
        `Cannot accept the id ${id} as token ${this.length}: the grammar does not allow it there.`,
      );
    }
    this.#earlier.push(this.#state);
    this.#ids.push(id);
    this.#state = next;
  }

  allows(id: number): boolean {
    return this.#behind(id) !== REFUSED;
  }

  rollback(count: number): void {
    if (!Number.isInteger(count) || count < 0 || count > this.length) {
      throw new InvalidRequestError(
        `Cannot take back ${count} ids: ${this.length} have been accepted.`,
      );
    }
    if (count === 0) return;
    this.#state = this.#earlier[this.length - count]!;
    this.#earlier.length -= count;
    this.#ids.length -= count;
  }

  mask(): Uint32Array {
    if (this.#state === STOPPED) return new Uint32Array(Math.ceil(this.#vocabulary.size / 32));
    const mask = this.#machine.masks.of(this.#state);
    if (!this.isAccepting || this.#stopIds.size === 0) return mask;
    const withStops = mask.slice();
    for (const id of this.#stopIds) withStops[id >>> 5]! |= 1 << (id & 31);
    return withStops;
  }

  forcedBytes(): Uint8Array {
    if (this.#state === STOPPED) return new Uint8Array();
    this.#machine.automaton.work.begin();
    return forcedBytes(this.#machine.automaton, this.#state);
  }

  forcedIds(): readonly number[] {
    if (this.#state === STOPPED) return [];
    const { automaton, trie } = this.#machine;
    automaton.work.begin();
    return forcedTokens(automaton, trie, this.#vocabulary, this.#state, this.#ids.at(-1));
  }

  shortestEnding(): Uint8Array | null {
    if (this.#state === STOPPED) return null;
    return shortestEnding(this.#machine.automaton, this.#state);
  }

  #behind(id: number): number {
    if (this.#state === STOPPED) return REFUSED;
    if (this.#stopIds.has(id)) return this.isAccepting ? STOPPED : REFUSED;
    const { bytes, offsets } = this.#vocabulary;
    const from = offsets[id];
    const to = offsets[id + 1];
    if (from === undefined || to === undefined || from === to) return REFUSED;
    const { automaton } = this.#machine;
    automaton.work.begin();
    let state = this.#state;
    for (let at = from; at < to && state !== REFUSED; at++)
      state = automaton.next(state, bytes[at]!);
    return state;
  }
}
