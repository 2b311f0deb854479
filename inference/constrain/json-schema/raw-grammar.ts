/** A grammar under construction: rules that may turn out to derive nothing are taken out at its end. */
import { type Grammar, GrammarBuilder, type GrammarSymbol, type Regex } from "../grammar.ts";
import { isNothing } from "./regex.ts";

export type RawSymbol = { readonly terminal: Regex } | { readonly rule: number };

type RawRule = RawSymbol[][];

export class RawGrammar {
  readonly #rules: RawRule[] = [];
  readonly #maxRules: number;
  readonly #tooMany: () => Error;

  /** @param tooMany  what is thrown when there are more rules than that */
  constructor(maxRules: number, tooMany: () => Error) {
    this.#maxRules = maxRules;
    this.#tooMany = tooMany;
  }

  get size(): number {
    return this.#rules.length;
  }

  declare(): { readonly rule: number } {
    if (this.#rules.length >= this.#maxRules) throw this.#tooMany();
    return { rule: this.#rules.push([]) - 1 };
  }

  add(rule: { readonly rule: number }, ...symbols: readonly RawSymbol[]): void {
    this.#rules[rule.rule]?.push([...symbols]);
  }

  /** The grammar without what derives no text; undefined: the root derives none. */
  build(root: { readonly rule: number }): Grammar | undefined {
    const useful = this.#productive();
    if (!useful[root.rule]) return undefined;
    const isUseful = (symbol: RawSymbol): boolean =>
      "rule" in symbol ? useful[symbol.rule] === true : !isNothing(symbol.terminal);
    const builder = new GrammarBuilder();
    const terminals = new Map<Regex, GrammarSymbol>();
    const names = new Map<number, { readonly rule: number }>();
    const open: number[] = [];
    const nameOf = (rule: number): { readonly rule: number } => {
      const known = names.get(rule) ?? builder.declare();
      if (!names.has(rule)) open.push(rule);
      names.set(rule, known);
      return known;
    };
    const symbolOf = (symbol: RawSymbol): GrammarSymbol => {
      if ("rule" in symbol) return nameOf(symbol.rule);
      const known = terminals.get(symbol.terminal) ?? builder.terminal(symbol.terminal);
      terminals.set(symbol.terminal, known);
      return known;
    };
    const top = nameOf(root.rule);
    for (let rule = open.pop(); rule !== undefined; rule = open.pop()) {
      const alternatives = (this.#rules[rule] ?? []).filter((symbols) => symbols.every(isUseful));
      builder.define(
        nameOf(rule),
        alternatives.map((symbols) => symbols.map(symbolOf)),
      );
    }
    return builder.build(top);
  }

  /** For each rule whether it derives a text, by the least fixed point. */
  #productive(): readonly boolean[] {
    const productive = this.#rules.map(() => false);
    // Rules to look at again when one turns out to be productive.
    const users = this.#rules.map(() => new Set<number>());
    for (const [rule, alternatives] of this.#rules.entries()) {
      for (const symbol of alternatives.flat()) {
        if ("rule" in symbol) users[symbol.rule]?.add(rule);
      }
    }
    const derives = (symbol: RawSymbol): boolean =>
      "rule" in symbol ? productive[symbol.rule] === true : !isNothing(symbol.terminal);
    const open = this.#rules.map((_, rule) => rule).reverse();
    for (let rule = open.pop(); rule !== undefined; rule = open.pop()) {
      if (productive[rule] || !this.#rules[rule]?.some((symbols) => symbols.every(derives))) {
        continue;
      }
      productive[rule] = true;
      for (const user of users[rule] ?? []) open.push(user);
    }
    return productive;
  }
}
