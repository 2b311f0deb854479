import { describe, expect, test } from "vitest";
import {
  choiceGrammar,
  ebnfGrammar,
  type Grammar,
  GrammarCompiler,
  GrammarError,
  larkGrammar,
  regexGrammar,
} from "../../../inference/index.ts";
import { acceptsText } from "./accepting.ts";
import { letterVocabulary } from "./arbitraries.ts";

const compiler = new GrammarCompiler(letterVocabulary);

/** What of the texts the grammar accepts. */
function accepted(grammar: Grammar, texts: readonly string[]): string[] {
  const compiled = compiler.compile(grammar);
  return texts.filter((text) => acceptsText(compiled, text));
}

function problemOf(make: () => Grammar): string {
  try {
    compiler.compile(make());
  } catch (error) {
    if (GrammarError.isInstance(error)) return error.message;
    throw error;
  }
  return "none";
}

/** The JSON grammar that llama.cpp ships, shortened. */
const GBNF_JSON = String.raw`
# values
root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::=
  "{" ws (
            string ":" ws value
    ("," ws string ":" ws value)*
  )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::=
  "\"" (
    [^"\\\x7F\x00-\x1F] |
    "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) # escapes
  )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9]{1,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
`;

describe("EBNF", () => {
  test("in GBNF as llama.cpp writes it", () => {
    const good = ['{"a": [1, 2.5e3, {"b": null}],"c":"x\\n\\u00e9 日"}', "{}", '{"":-0}'];
    const bad = ['{"a": 01}', '{"a" 1}', "[1]", '{"a":"\n"}', '{"a":1', '{"a":1}  '];
    expect(accepted(ebnfGrammar(GBNF_JSON), [...good, ...bad])).toEqual(good);
  });

  test("as the W3C writes it: characters by number, differences, comments, single quotes", () => {
    const grammar = ebnfGrammar(
      `element ::= '<' Name '>' Text? '</' Name '>' /* names may
          differ */
       Name ::= (Letter | '_') (Letter | [0-9] | '.')*
       Letter ::= [#x41-#x5A] | [a-z]
       Text ::= [^<&]+ - ([^<&]* ']]>' [^<&]*) | #x26 'amp;'`,
      { root: "element" },
    );
    const good = ["<a>b ü</a>", "<_x1></y>", "<a>&amp;</a>", "<a>]]</a>"];
    expect(accepted(grammar, [...good, "<a>]]></a>", "<1></a>", "<a>&</a>"])).toEqual(good);
  });

  test("a rule that calls itself at its end, or at its beginning, is a repetition and one terminal", () => {
    const right = ebnfGrammar(
      'root ::= "<" text ">"\ntext ::= "" | [^<>&] text | "&" "lt" ";" text',
    );
    const left = ebnfGrammar('root ::= "<" text ">"\ntext ::= text [^<>&] | text "&lt;" | ""');
    for (const grammar of [right, left]) {
      expect(grammar.terminals).toHaveLength(1);
      const good = ["<>", "<a日&lt;&lt;b>"];
      expect(accepted(grammar, [...good, "<&>", "<a&lt>", "<<>"])).toEqual(good);
    }
    // Here it is called in the middle as well.
    const nested = ebnfGrammar('root ::= "" | "(" root ")" root');
    expect(accepted(nested, ["", "(())()", "(()", "())"])).toEqual(["", "(())()"]);
  });

  test("with bounds, a dot, left recursion, and rules that call each other", () => {
    expect(accepted(ebnfGrammar("root ::= .{2,3}"), ["a", "aé", "日本語", "abcd"])).toEqual([
      "aé",
      "日本語",
    ]);
    const sums = ebnfGrammar(
      'root ::= root "+" term | term\nterm ::= "(" root ")" | [0-9]{1,}{,2}',
    );
    const good = ["1+22+(3+4)+((5))", ""];
    expect(accepted(sums, [...good, "1+(2", "1-2", "1+(2)3"])).toEqual(good);
  });

  test.each([
    ["", 'Cannot use the grammar: it has no rule "root" to begin with. Its rules: none.'],
    ["a ::= 'x'", 'Cannot use the grammar: it has no rule "root" to begin with. Its rules: a.'],
    ["root ::= 'x'\n  other", "Line 2, column 3: There is no rule other."],
    ["root ::= 'x'\nroot ::= 'y'", "Line 2, column 1: The rule root is defined twice."],
    ["root ::= [a-", "Line 1, column 10: The [ is not closed."],
    ["root ::= [z-a]", "Line 1, column 12: The range goes backwards."],
    ['root ::= "a', "Line 1, column 10: The string is not closed."],
    ['root ::= ("a"', "Line 1, column 10: The ( is not closed."],
    ['root ::= "a" )', 'Line 1, column 14: Expected the name of a rule, found ")".'],
    ['root ::= "\\q"', "Line 1, column 11: \\q is no escape."],
    ["root ::= 'a'{3,2}", "Line 1, column 13: Accepted are bounds"],
    ["root ::= 'a'{x}", "Line 1, column 13: Expected {count}"],
    ["root = 'a'", 'Line 1, column 6: Expected ::= behind the name root, found "=".'],
    ["root ::= 'a' /* b", "Line 1, column 14: The comment is not closed."],
    ["root ::= <[13]>", "Line 1, column 10: Tokens as terminals"],
    ["root ::= (= 'a')", "Line 1, column 10: A look-ahead"],
    ["root ::= (root 'a') - 'b'", "Line 1, column 21: Here only what is regular can stand"],
    ["root ::= root 'a'", "Cannot use the grammar: no text belongs to it."],
  ])("%j is refused with what is wrong, and where", (text, problem) => {
    expect(problemOf(() => ebnfGrammar(text))).toContain(problem);
  });
});

const CALCULATOR = `
  // from the documentation of Lark
  ?start: sum
        | NAME "=" sum    -> assign_var
  ?sum: product
      | sum "+" product   -> add
      | sum "-" product   -> sub
  ?product: atom
      | product "*" atom  -> mul
  ?atom: NUMBER           -> number
       | "-" atom         -> neg
       | NAME             -> var
       | "(" sum ")"
  %import common.CNAME -> NAME
  %import common.NUMBER
  %import common.WS_INLINE
  %ignore WS_INLINE
`;

test("a grammar that is nested too deep is refused", () => {
  const brackets = "(".repeat(500);
  expect(problemOf(() => ebnfGrammar(`root ::= ${brackets}`))).toContain("nested too deep");
  expect(problemOf(() => larkGrammar(`start: ${brackets}`))).toContain("nested too deep");
});

describe("Lark", () => {
  test("with left recursion, aliases, imports and what is ignored", () => {
    const good = ["1+2*(x - 3.5) * -y", " a = 1 ", "1e5", "\t7"];
    const bad = ["1 + * 2", "(1", "a = b = c", "1\n+2", ""];
    expect(accepted(larkGrammar(CALCULATOR), [...good, ...bad])).toEqual(good);
  });

  test("with terminals, ranges, counts, options, flags and continued lines", () => {
    const grammar = larkGrammar(
      `
      start: item~2..3 ["x"] # comment
           | (
               "["
               list
               "]"
             )
      !list.2: | item ("," item)*
      item: WORD | /b.c/s | "ß"
      WORD.3: "h"i "a".."c" DIGIT?
      %import common (DIGIT, INT)`,
    );
    const good = ["haHb1", "hahahax", "[]", "[b\nc,ß,Hc9]"];
    expect(accepted(grammar, [...good, "ha", "hahahaha", "[ha,]", "hd1"])).toEqual(good);
  });

  test("terminals are cut in every way, not by the longest match", () => {
    const grammar = larkGrammar('start: WORD "b"\nWORD: /[ab]+/');
    expect(accepted(grammar, ["ab", "abb", "bb", "b", "ba"])).toEqual(["ab", "abb", "bb"]);
  });

  test("escaped strings and comments of the library", () => {
    const grammar = larkGrammar(
      "start: ESCAPED_STRING C_COMMENT\n%import common (ESCAPED_STRING, C_COMMENT)",
    );
    const good = ['"a\\"b"/* c * / **/', '""/**/'];
    expect(accepted(grammar, [...good, '"a"b"/**/', '"a"/* */ */'])).toEqual(good);
  });

  test.each([
    ['start "a"', "Line 1, column 7: Expected : behind the name start"],
    ['start: "a"\nstart: "b"', "Line 2, column 1: start is defined twice."],
    ["start: rule{a}", "Line 1, column 8: Templates of rules cannot be carried."],
    ["start: b", "Line 1, column 8: There is no rule b."],
    ["start: A\nA: A | /x/", "Line 2, column 1: The terminal A is not regular, or too large."],
    ["start: /a(?<=b)/", "Line 1, column 8: The regular expression cannot be carried: it looks"],
    ["start: /a/m", "Line 1, column 8: Of the flags m of a regular expression i, s and u"],
    ["start: /a", "Line 1, column 8: The regular expression is not closed."],
    ['start: "b".."a"', "Line 1, column 8: A range goes from one character to a later one."],
    ['start: "a"~3..2', "Line 1, column 11: Expected ~count"],
    ['start: "a"\n%import python.X', "Line 2, column 1: Accepted: %import common.NAME"],
    ['start: "a"\n%import common.XY', 'Line 2, column 1: common has no terminal "XY".'],
    ['start: "a"\n%declare X', "Line 2, column 1: %declare cannot be carried."],
    ["start: <|end|>", "Line 1, column 8: Special tokens as terminals cannot be carried."],
    ['start: ("a"\n', "Line 1, column 8: The ( is not closed."],
    ['begin: "a"', 'it has no rule "start" to begin with. Its rules: begin.'],
  ])("%j is refused with what is wrong, and where", (text, problem) => {
    expect(problemOf(() => larkGrammar(text))).toContain(problem);
  });
});

describe("regular expressions and choices", () => {
  test("match the whole text", () => {
    const regex = regexGrammar("\\d{3}-[a-zé]+(?:\\.x)?");
    expect(accepted(regex, ["123-abé", "123-a.x", "123-", "x123-a", "12-a"])).toEqual([
      "123-abé",
      "123-a.x",
    ]);
    expect(accepted(regexGrammar("ab|c", { ignoreCase: true }), ["aB", "C", "abc"])).toEqual([
      "aB",
      "C",
    ]);
    expect(accepted(choiceGrammar(["yes", "no", "yesterday"]), ["yes", "yest", "no"])).toEqual([
      "yes",
      "no",
    ]);
  });

  test.each([
    ["(a)\\1", "refers back"],
    ["(?<=a)b", "looks behind"],
    ["(", "a ( is not closed"],
  ])("%s is refused", (pattern, problem) => {
    expect(problemOf(() => regexGrammar(pattern))).toContain(problem);
  });

  test("a choice needs texts", () => {
    expect(problemOf(() => choiceGrammar([]))).toMatch(/at least one/);
  });
});
