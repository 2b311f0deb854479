import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shortText, visibleText } from "../../runtime/cli/terminal-text.ts";

describe("what a terminal would obey is shown", () => {
  test.each([
    ["an escape sequence", "a\u001b[31mb", "a␛[31mb"],
    ["a carriage return that overwrites", "safe\rrm -rf", "safe␍rm -rf"],
    ["a backspace", "a\bb", "a␈b"],
    ["DEL", "a\u007f", "a␡"],
    ["the one-byte CSI", "a\u009b31m", "a<U+009B>31m"],
    ["a direction override", "abc\u202etxt.exe", "abc<U+202E>txt.exe"],
    ["an isolate", "\u2066x\u2069", "<U+2066>x<U+2069>"],
    ["a zero-width space", "a\u200bb", "a<U+200B>b"],
    ["tag characters", "a\u{e0041}", "a<U+E0041>"],
    ["a lone surrogate", "a\ud800b", "a<U+D800>b"],
  ])("%s", (_what, text, shown) => {
    expect(visibleText(text)).toBe(shown);
  });

  test("ordinary text of any script stays, joined emoji included", () => {
    const text = "Grüße\tعربي 日本語 👩‍🚀\n";
    expect(visibleText(text)).toBe(text);
  });

  test("nothing of it is left in any text, and showing twice changes nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const shown = visibleText(text);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the claim
        expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
        expect(visibleText(shown)).toBe(shown);
      }),
    );
  });
});

test("a long text is shortened by lines and columns, and what is missing is said", () => {
  expect(shortText("a\nb\nc\nd", 2, 10)).toBe("a\nb\n… 2 more lines");
  expect(shortText("abcdef", 2, 3)).toBe("abc…");
  expect(shortText("ab\ncd", 2, 2)).toBe("ab\ncd");
});
