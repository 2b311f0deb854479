/** From a grammar to masks over a vocabulary. */
import { Absorption } from "./absorption.ts";
import { Automaton, type GrammarLimits } from "./automaton.ts";
import { DistinctKeyMatcher } from "./distinct-keys.ts";
import type { Grammar } from "./grammar.ts";
import { MaskCache } from "./mask-cache.ts";
import { MaskMaker } from "./mask-maker.ts";
import {
  type GrammarMatcher,
  type Machine,
  MachineMatcher,
  type MatcherOptions,
} from "./matcher.ts";
import { TokenTrie, type Vocabulary } from "./token-trie.ts";

export type { GrammarLimits } from "./automaton.ts";

export type CompileOptions = {
  /** What a grammar may need; more ends with a `GrammarLimitError`. */
  readonly limits?: Partial<GrammarLimits> | undefined;
};

/** Enough for schemas of thousands of properties, and less than 200 MB. */
const DEFAULT_LIMITS: GrammarLimits = {
  regexNodes: 1_000_000,
  lexerStates: 300_000,
  parserItems: 5_000_000,
  states: 500_000,
  work: 50_000_000,
};

/** From so many states on a new matcher begins with an automaton of its own. */
const MANY_STATES = 60_000;

/** Compiles grammars for one vocabulary; what depends on the vocabulary alone is made once. */
export class GrammarCompiler {
  readonly vocabulary: Vocabulary;
  readonly #trie: TokenTrie;

  /** @throws GrammarError when the vocabulary is inconsistent */
  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary;
    this.#trie = new TokenTrie(vocabulary);
  }

  /** Bytes of memory for what depends on the vocabulary alone, besides the vocabulary itself. */
  get byteLength(): number {
    return this.#trie.byteLength;
  }

  /**
   * @throws GrammarError when no text belongs to the grammar
   * @throws GrammarLimitError when it is too large
   */
  compile(grammar: Grammar, options: CompileOptions = {}): CompiledGrammar {
    return new MachineGrammar(grammar, this.vocabulary, this.#trie, {
      ...DEFAULT_LIMITS,
      ...options.limits,
    });
  }
}

/** A grammar with the states and masks that texts have needed so far. For any number of matchers. */
export type CompiledGrammar = {
  readonly grammar: Grammar;
  readonly vocabulary: Vocabulary;
  /** A matcher that stands before the first byte. */
  matcher(options?: MatcherOptions): GrammarMatcher;
};

class MachineGrammar implements CompiledGrammar {
  readonly grammar: Grammar;
  readonly vocabulary: Vocabulary;
  readonly #trie: TokenTrie;
  readonly #limits: GrammarLimits;
  #machine: Machine;

  constructor(grammar: Grammar, vocabulary: Vocabulary, trie: TokenTrie, limits: GrammarLimits) {
    this.grammar = grammar;
    this.vocabulary = vocabulary;
    this.#trie = trie;
    this.#limits = limits;
    this.#machine = this.#makeMachine();
  }

  matcher(options: MatcherOptions = {}): GrammarMatcher {
    if (this.#machine.automaton.size > MANY_STATES) this.#machine = this.#makeMachine();
    const matcher = new MachineMatcher(this.vocabulary, this.#machine, options);
    const { distinctKeys } = this.grammar;
    return distinctKeys === undefined
      ? matcher
      : new DistinctKeyMatcher(matcher, this.vocabulary, distinctKeys);
  }

  #makeMachine(): Machine {
    const automaton = new Automaton(this.grammar, this.#limits);
    const trie = this.#trie;
    const absorption = new Absorption(automaton, (categories) => trie.weight(categories));
    const maker = new MaskMaker(trie, automaton, absorption);
    return { automaton, trie, masks: new MaskCache(maker, trie.size) };
  }
}
