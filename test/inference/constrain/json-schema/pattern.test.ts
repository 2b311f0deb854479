import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isEmptyLanguage,
  matches,
  textsOf,
} from "../../../../inference/constrain/json-schema/language.ts";
import { patternLanguage } from "../../../../inference/constrain/json-schema/pattern.ts";
import { PatternError } from "../../../../inference/constrain/json-schema/pattern-syntax.ts";

/** Patterns over a, b, a blank and a word's boundary, with assertions where they are allowed. */
const pattern = fc.letrec<{ part: string; atom: string; look: string }>((tie) => ({
  atom: fc.oneof(
    fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\w", "\\s", "[a-c ]"),
    tie("part").map((part) => `(?:${part})`),
  ),
  look: fc.oneof(
    fc.constantFrom("^", "$"),
    tie("part").map((part) => `(?=${part})`),
    tie("part").map((part) => `(?!${part})`),
  ),
  part: fc.oneof(
    { depthSize: "small" },
    tie("atom"),
    fc.tuple(tie("atom"), fc.constantFrom("?", "{0,2}", "{2}")).map(([atom, mark]) => {
      return /[\^$]|\(\?[=!]/.test(atom) ? atom : `${atom}${mark}`;
    }),
    fc.tuple(tie("part"), tie("part")).map(([a, b]) => a + b),
    fc.tuple(tie("part"), tie("part")).map(([a, b]) => `(${a}|${b})`),
    fc.tuple(tie("look"), tie("part")).map(([a, b]) => a + b),
  ),
})).part;

const text = fc.string({
  unit: fc.constantFrom("a", "b", "c", " ", "\n", "é", "😀"),
  maxLength: 6,
});

/** Undefined: the pattern has no language here. */
function languageOf(source: string): ReturnType<typeof patternLanguage> | undefined {
  try {
    return patternLanguage(source);
  } catch (error) {
    if (error instanceof PatternError) return undefined;
    throw error;
  }
}

describe("the language of a pattern", () => {
  test("has the texts in which the regular expression finds something", () => {
    let compiled = 0;
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 5, maxLength: 5 }), (source, texts) => {
        const language = languageOf(source);
        if (language === undefined) return;
        compiled++;
        const regExp = new RegExp(source, "u");
        for (const one of texts) {
          expect({ source, one, found: matches(language, one) }).toEqual({
            source,
            one,
            found: regExp.test(one),
          });
        }
      }),
      { numRuns: 400 },
    );
    expect(compiled).toBeGreaterThan(200);
  });

  test.each([
    ["\\bfoo\\b", "a foo", "afoo"],
    ["^(?=.*[A-Z])(?!.*x).{2,5}$", "aB", "ax"],
    ["^\\p{L}+$", "Äß", "Ä1"],
    ["x\\B", "xy", "x y"],
    ["^\\u{1F600}$", "😀", "😁"],
    ["^\\ud83d\\ude00$", "😀", "\u{10FFFF}"],
    ["^[\\-_]$", "-", "x"],
    ["(?<![\\s\\S])a", "ab", "ba"],
    ["^(?<year>\\d{4})-\\d{2}$", "2026-11", "26-11"],
    ["^a+?$", "aa", ""],
    ["\\.json$", "x.json", "xjson"],
    ["^\\cA\\x41\\0$", "\x01A\0", "AA0"],
  ])("%s finds something in %j and nothing in %j", (source, yes, no) => {
    expect(matches(patternLanguage(source), yes)).toBe(true);
    expect(matches(patternLanguage(source), no)).toBe(false);
  });

  test.each([
    ["(a)\\1", "refers back"],
    ["(?<=a)b", "looks behind"],
    ["(a", "not closed"],
    ["a)", "no ( before it"],
    ["[b-a]", "backwards"],
    ["*a", "nothing before *"],
    ["a{2,1}", "wrong way"],
    ["a{1000000}", "repeats more than"],
    ["\\p{Nothing}", "no Unicode property"],
    ["(?i:a)", "not supported"],
    ["a".repeat(20_001), "longer than"],
    ["(".repeat(300), "nested too deep"],
  ])("%s has none: %s", (source, reason) => {
    expect(() => patternLanguage(source)).toThrow(PatternError);
    expect(() => patternLanguage(source)).toThrow(reason);
  });
});

describe("questions about languages", () => {
  test("a contradiction is empty", () => {
    expect(isEmptyLanguage(patternLanguage("^a$b"))).toBe(true);
    expect(isEmptyLanguage(patternLanguage("^(?=b)a"))).toBe(true);
    expect(isEmptyLanguage(patternLanguage("^(?!a)[ab]$"))).toBe(false);
  });

  test("the texts of a small one can be listed", () => {
    expect(textsOf(patternLanguage("^(a|b)c?$"), 10)).toEqual(["a", "b", "ac", "bc"]);
    expect(textsOf(patternLanguage("^[a-z]{2}$"), 10)).toBeUndefined();
    expect(textsOf(patternLanguage("a"), 10)).toBeUndefined();
  });
});
