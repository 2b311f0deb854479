/**
 * XGrammar's notations, which vLLM and SGLang take. Special tokens stand in both as their text: terminals by id came
 * later than the versions that most servers have. Free text is a tag dispatch, which alone among their forms may end
 * anywhere; up to beginnings of several tokens it is a structural tag with triggers. Stop tokens may be left out at the
 * end: a server that counts them among those that end an answer never takes them as text.
 * Source: docs/defining_structures/ebnf_grammar.md and docs/structural_tag/structural_tag.md of XGrammar.
 */
import type { TokenGrammar, TokenRule } from "../../token-grammar.ts";
import type { ServerGrammar } from "./notation.ts";
import { quoted, type RuleText } from "./text-rules.ts";
import { addTokenRules, beginText, type Notation, ruleName } from "./token-rules.ts";

/** Each tag has its own copy of what it holds: many of them are shorter as rules. */
const LONGEST_TAG = 64 << 10;

/**
 * @param leftOut  gets what the grammar does not say
 * @throws NotCarried
 */
export function xgrammar(grammar: TokenGrammar, leftOut: Set<string>): ServerGrammar {
  const root = grammar.rules[grammar.root];
  const tag = root?.type === "free" && root.loops ? structuralTag(grammar, root, leftOut) : null;
  if (tag !== null && tag.text.length <= LONGEST_TAG) return tag;
  return { type: "ebnf", text: ebnf(grammar, grammar.root, leftOut) };
}

function ebnf(grammar: TokenGrammar, root: number, leftOut: Set<string>): string {
  const text: RuleText = { lines: [], leftOut };
  addTokenRules(grammar, [root], NOTATION, text);
  return `${[`root ::= ${ruleName(root)}`, ...text.lines].join("\n")}\n`;
}

function structuralTag(
  grammar: TokenGrammar,
  { until }: Extract<TokenRule, { type: "free" }>,
  leftOut: Set<string>,
): ServerGrammar {
  const tags = until.map(({ begin, rule }) => ({
    type: "tag",
    begin: beginText(begin),
    content: { type: "grammar", grammar: ebnf(grammar, rule, leftOut) },
    end: "",
  }));
  const triggers = tags.map(({ begin }) => begin);
  const format = { type: "triggered_tags", triggers, tags };
  return { type: "structural_tag", text: JSON.stringify({ type: "structural_tag", format }) };
}

const NOTATION: Notation = {
  token: ({ text }) => quoted(text),
  free: ({ until, loops }) => {
    const tags = until.map(({ begin, rule }) => `(${quoted(beginText(begin))}, ${ruleName(rule)})`);
    return `TagDispatch(${[...tags, `loop_after_dispatch=${loops}`].join(", ")})`;
  },
};
