/** The rules of a token grammar, written with a notation's own ways for special tokens and free text. */
import type { SpecialToken, TokenGrammar, TokenRule, TokenSymbol } from "../../token-grammar.ts";
import { addTextRules, quoted, type RuleText } from "./text-rules.ts";

export type Notation = {
  readonly token: (token: SpecialToken) => string;
  /** The right side of a rule for free text. */
  readonly free: (rule: Extract<TokenRule, { type: "free" }>) => string;
};

/** The name of a rule by its place in the grammar. */
export function ruleName(rule: number): string {
  return `r${rule}`;
}

/**
 * Adds the rules that these ones lead to.
 * @throws NotCarried
 */
export function addTokenRules(
  { rules }: TokenGrammar,
  roots: readonly number[],
  notation: Notation,
  text: RuleText,
): void {
  const names = new Map<object, string>();
  const symbolOf = (symbol: TokenSymbol): string => {
    if ("token" in symbol) return notation.token(symbol.token);
    if ("literal" in symbol) return quoted(symbol.literal);
    if ("rule" in symbol) return ruleName(symbol.rule);
    const name = names.get(symbol.text) ?? addTextRules(symbol.text, `b${names.size}`, text);
    names.set(symbol.text, name);
    return name;
  };
  const used = new Set(roots);
  for (const at of used) {
    const rule = rules[at];
    if (rule === undefined) continue;
    if (rule.type === "free") {
      for (const { rule: next } of rule.until) used.add(next);
      text.lines.push(`${ruleName(at)} ::= ${notation.free(rule)}`);
      continue;
    }
    for (const symbol of rule.options.flat()) if ("rule" in symbol) used.add(symbol.rule);
    const options = rule.options.map((symbols) =>
      symbols.length === 0 ? '""' : symbols.map(symbolOf).join(" "),
    );
    text.lines.push(`${ruleName(at)} ::= ${options.join(" | ")}`);
  }
}

/** A beginning as the text that it is. */
export function beginText(begin: readonly (SpecialToken | string)[]): string {
  return begin.map((part) => (typeof part === "string" ? part : part.text)).join("");
}
