/** Colours of code: a line is painted by what the lines before it said. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { highlighter } from "../../../runtime/cli/chat/highlight.ts";
import { makeTheme, type Theme } from "../../../runtime/cli/chat/theme.ts";

/** Marks instead of colours. */
const marked: Theme = {
  ...makeTheme(true),
  code: (text) => text,
  keyword: (text) => `‹k ${text}›`,
  string: (text) => `‹s ${text}›`,
  number: (text) => `‹n ${text}›`,
  comment: (text) => `‹c ${text}›`,
  type: (text) => `‹t ${text}›`,
  problem: (text) => `‹! ${text}›`,
};
const plain = (text: string): string => text.replace(/‹[ksnct!] ([^›]*)›/g, "$1");

describe("code", () => {
  test("over lines", () => {
    const code = highlighter("py", marked);
    expect(code.paint(['x = """one'])).toEqual(['x = ‹s """one›']);
    // What is being written changes nothing for what comes.
    expect(code.peek(['two"""'])).toEqual(['‹s two"""›']);
    expect(code.paint(["two", '"""  # end'])).toEqual(["‹s two›", '‹s """›  ‹c # end›']);
  });

  test.each([
    ["ts", "const a = 1;", "‹k const› ‹t a› = ‹n 1›;"],
    ["sh", 'echo "x" # y', '‹s "x"›'],
    ["sql", "SELECT 1", "‹k SELECT› ‹n 1›"],
    ["json", '{"a": true}', "‹n true›"],
    ["diff", "+new", "‹s +new›"],
    ["c++", "// x", "‹c // x›"],
  ])("of %s", (language, line, expected) => {
    expect(highlighter(language, marked).paint([line])[0]).toContain(expected);
  });

  test("of an unknown language, and without colours, stays as it is", () => {
    expect(highlighter("nothing", marked).paint(["let x"])).toEqual(["let x"]);
    expect(highlighter("constructor", marked).paint(["let x"])).toEqual(["let x"]);
    expect(highlighter("js", makeTheme(false)).paint(["let x"])).toEqual(["let x"]);
  });
});

test("no text is lost, in any language", () => {
  const languages =
    "bash,c,css,diff,dockerfile,go,hs,html,java,js,json,lua,pl,ps1,py,r,rb,rs,sql,swift,toml,ts,xml,yml";
  const line = fc.string({
    unit: fc.constantFrom(..."ab1 \t\"'`#/*-+{}()<>=:;$\\@!|&%".split("")),
    maxLength: 30,
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...languages.split(",")),
      fc.array(line, { maxLength: 6 }),
      (language, lines) => {
        expect(highlighter(language, marked).paint(lines).map(plain)).toEqual(lines);
      },
    ),
    { numRuns: 1_000 },
  );
});
