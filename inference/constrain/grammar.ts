/**
 * The one form that every front end (JSON Schema, XSD, regular expressions, EBNF, Lark) is compiled to: a
 * context-free grammar whose terminals are regular expressions over bytes. It knows no messages and no
 * tokens, only texts.
 *
 * The language of a grammar is exact: a text belongs to it if it can be cut in any way into terminals that
 * the rules derive. A terminal need not be the longest possible one.
 */
import { GrammarError } from "../errors.ts";
import type { Grammar, GrammarSymbol, Regex } from "../token-grammar.ts";

export type { Grammar, GrammarSymbol, Regex } from "../token-grammar.ts";

/** Up to here a bounded repetition is a chain of rules, one per item; above it rules share halves. */
const LONGEST_CHAIN = 16;

/** Collects terminals and rules; equal terminals become one. */
export class GrammarBuilder {
  readonly #terminals: Regex[] = [];
  readonly #terminalOfKey: Map<string, number> = new Map();
  readonly #rules: (readonly (readonly GrammarSymbol[])[] | null)[] = [];

  /** A terminal; the same one for an equal expression. */
  terminal(regex: Regex): GrammarSymbol {
    const key = regexKey(regex);
    let terminal = this.#terminalOfKey.get(key);
    if (terminal === undefined) {
      terminal = this.#terminals.push(regex) - 1;
      this.#terminalOfKey.set(key, terminal);
    }
    return { terminal };
  }

  /** A terminal that is exactly this text. */
  text(text: string): GrammarSymbol {
    return this.terminal({ type: "bytes", bytes: new TextEncoder().encode(text) });
  }

  /** A rule to be defined later, so that rules can refer to each other. */
  declare(): { readonly rule: number } {
    return { rule: this.#rules.push(null) - 1 };
  }

  /** @throws GrammarError when the rule is not declared, or has been defined before */
  define(
    symbol: { readonly rule: number },
    alternatives: readonly (readonly GrammarSymbol[])[],
  ): void {
    const found = this.#rules[symbol.rule];
    if (found !== null) {
      throw new GrammarError(
        `Cannot define rule ${symbol.rule}: it ${found === undefined ? "is not declared" : "has a definition"}. ` +
          "Accepted: a rule that declare() gave, defined once.",
      );
    }
    this.#rules[symbol.rule] = alternatives.map((symbols) => [...symbols]);
  }

  /** A new rule with these alternatives. */
  rule(alternatives: readonly (readonly GrammarSymbol[])[]): { readonly rule: number } {
    const symbol = this.declare();
    this.define(symbol, alternatives);
    return symbol;
  }

  /**
   * A rule for the symbols `min` to `max` times (null: without end) one after another. Takes about
   * log2(max) rules for large bounds.
   * @throws GrammarError when the bounds are no whole numbers, or max is below min
   */
  repeat(
    item: readonly GrammarSymbol[],
    min: number,
    max: number | null,
  ): { readonly rule: number } {
    if (!isCount(min) || (max !== null && (!isCount(max) || max < min))) {
      throw new GrammarError(
        `Cannot repeat ${min} to ${max ?? "any number of"} times. Accepted: whole numbers, 0 ≤ min ≤ max.`,
      );
    }
    const exactly = this.#exactly(item, min);
    if (max === null) {
      const more = this.declare();
      this.define(more, [[], [...item, more]]);
      return this.rule([[...exactly, more]]);
    }
    return this.rule([[...exactly, ...this.#atMost(item, max - min)]]);
  }

  /** @throws GrammarError when a rule is declared but not defined, or names what is not there */
  build(root: { readonly rule: number }): Grammar {
    const rules = this.#rules.map((alternatives, rule) => {
      if (alternatives !== null) return alternatives;
      throw new GrammarError(
        `Cannot build the grammar: rule ${rule} is declared, but not defined.`,
      );
    });
    const grammar = { terminals: [...this.#terminals], rules, root: root.rule };
    checkGrammar(grammar);
    return grammar;
  }

  #exactly(item: readonly GrammarSymbol[], count: number): readonly GrammarSymbol[] {
    if (count <= LONGEST_CHAIN) return Array.from({ length: count }, () => item).flat();
    const half = this.rule([this.#exactly(item, Math.floor(count / 2))]);
    return count % 2 === 0 ? [half, half] : [half, half, ...item];
  }

  #atMost(item: readonly GrammarSymbol[], count: number): readonly GrammarSymbol[] {
    if (count === 0) return [];
    if (count <= LONGEST_CHAIN) {
      let rest: GrammarSymbol[] = [];
      for (let left = count; left > 0; left--) rest = [this.rule([[], [...item, ...rest]])];
      return rest;
    }
    // At most 2k + 1 items: at most k, or k + 1 and then at most k.
    const half = Math.floor((count - 1) / 2);
    const few = this.#atMost(item, half);
    const rest = this.rule([few, [...this.#exactly(item, half + 1), ...few]]);
    return count === 2 * half + 1 ? [rest] : [rest, this.rule([[], item])];
  }
}

/** @throws GrammarError when a symbol names a terminal or a rule that is not there */
function checkGrammar({ terminals, rules, root }: Grammar): void {
  if (rules[root] === undefined) {
    throw new GrammarError(
      `Cannot use the grammar: its root is rule ${root}, but it has ${rules.length} rules.`,
    );
  }
  for (const [rule, alternatives] of rules.entries()) {
    for (const symbol of alternatives.flat()) {
      const isThere =
        "rule" in symbol
          ? rules[symbol.rule] !== undefined
          : terminals[symbol.terminal] !== undefined;
      if (isThere) continue;
      throw new GrammarError(
        `Cannot use the grammar: rule ${rule} names ${JSON.stringify(symbol)}, but there are ` +
          `${rules.length} rules and ${terminals.length} terminals.`,
      );
    }
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Equal for equal expressions only. */
function regexKey(regex: Regex): string {
  switch (regex.type) {
    case "bytes":
      return `"${regex.bytes.join(",")}"`;
    case "set":
      return `[${regex.ranges.join(";")}]`;
    case "concat":
      return `(${regex.parts.map(regexKey).join(" ")})`;
    case "alternatives":
      return `(${regex.options.map(regexKey).join("|")}|)`;
    case "repeat":
      return `${regexKey(regex.item)}{${regex.min},${regex.max}}`;
    case "and":
      return `(${regex.parts.map(regexKey).join("&")}&)`;
    case "not":
      return `!(${regexKey(regex.item)})`;
  }
}
