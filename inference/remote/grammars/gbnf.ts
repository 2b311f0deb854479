/**
 * llama.cpp's grammars. A special token is a terminal by its id (`<[200007]>`), since its text could be ordinary text
 * as well; `!<[200007]>` is any other token. Tokens that end a generation at the server come where the grammar may be
 * over. Free text up to beginnings of several tokens is a lazy grammar: it begins where one of them has been written.
 * Source: grammars/README.md and src/llama-grammar.cpp of llama.cpp.
 */
import type { SpecialToken, TokenGrammar, TokenRule } from "../../token-grammar.ts";
import type { ServerGrammar } from "./notation.ts";
import { quoted, type RuleText } from "./text-rules.ts";
import { addTokenRules, beginText, type Notation, ruleName } from "./token-rules.ts";

type Free = Extract<TokenRule, { type: "free" }>;

/**
 * @param leftOut  gets what the grammar does not say
 * @throws NotCarried
 */
export function gbnf(grammar: TokenGrammar, leftOut: Set<string>): ServerGrammar {
  const text: RuleText = { lines: [], leftOut };
  const root = grammar.rules[grammar.root];
  if (root?.type === "free" && onlyToken(root) === null) {
    const options = root.until.map(({ begin, rule }) => {
      const symbols = begin.map((part) => (typeof part === "string" ? quoted(part) : token(part)));
      return [...symbols, ruleName(rule), ...(root.loops ? ["any"] : [])].join(" ");
    });
    const rules = root.until.map(({ rule }) => rule);
    addTokenRules(grammar, rules, NOTATION, text);
    const lines = [`root ::= ${options.join(" | ")}`, ...text.lines];
    if (root.loops) lines.push(`any ::= ${anyTokens(root)}`);
    const triggers = root.until.map(({ begin }) => pattern(beginText(begin)));
    return { type: "gbnf", text: `${lines.join("\n")}\n`, triggers };
  }
  addTokenRules(grammar, [grammar.root], NOTATION, text);
  const lines = [`root ::= ${ruleName(grammar.root)}`, ...text.lines];
  return { type: "gbnf", text: `${lines.join("\n")}\n`, triggers: null };
}

const NOTATION: Notation = {
  token,
  free: (rule) => {
    const only = onlyToken(rule);
    if (only === null) return anyTokens(rule);
    const then = `(${token(only.token)} ${ruleName(only.rule)})`;
    return rule.loops ? `(!${token(only.token)} | ${then})*` : `(!${token(only.token)})* ${then}?`;
  },
};

function token({ id }: SpecialToken): string {
  return `<[${id}]>`;
}

/** The one token that ends the free text. */
function onlyToken({
  until,
}: Free): { readonly token: SpecialToken; readonly rule: number } | null {
  const [first, ...others] = until;
  const [only, ...further] = first?.begin ?? [];
  if (first === undefined || only === undefined || typeof only === "string") return null;
  return others.length + further.length > 0 ? null : { token: only, rule: first.rule };
}

/** All tokens: any is this one, or is not. */
function anyTokens({ until }: Free): string {
  const one = until.flatMap(({ begin }) => begin).find((part) => typeof part !== "string");
  return one === undefined ? '""' : `(${token(one)} | !${token(one)})*`;
}

function pattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
