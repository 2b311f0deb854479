import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finalContentOf } from "../../harmony/index.ts";

describe("the answer in text with special tokens as written", () => {
  test.each<[string, string | null]>([
    ["Yes.", null],
    ["", null],
    ["<|channel|>final<|message|>Yes.<|return|>", "Yes."],
    ["\uFEFF<|channel|>final <|constrain|>json<|message|>{}<|return|>", "{}"],
    ["<|start|>assistant<|channel|>final<|message|>Yes.", "Yes."],
    [
      "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
      "Yes.",
    ],
    ["Yes.<|return|>", "Yes."],
    ["<|message|>Yes.<|end|>", "Yes."],
    ["<|channel|>final Yes.<|return|>", "Yes."],
    ["<|channel|>analysis<|message|>Hm.<|end|>Yes.", "Yes."],
    ["final<|message|>Yes.<|end|><|return|>", "Yes."],
    // Special tokens in an answer that is none of Harmony's.
    ['{"end":"<|end|>"}', null],
    ["<|channel|>analysis<|message|>Hm.<|end|>", null],
    ["<|channel|>commentary to=functions.f<|message|>{}<|call|>", null],
    ["<|channel|>final<|message|>A<|end|><|start|>assistant<|channel|>final<|message|>B", null],
  ])("%j: %j", (text, content) => expect(finalContentOf(text)).toBe(content));

  test("is found whatever it says, unless it has such tokens itself", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (content) => {
        const text = `<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>${content}<|return|>`;
        expect(finalContentOf(text)).toBe(content);
      }),
    );
  });

  test("a text as large as an answer may be takes no long time", () => {
    const content = "x<|".repeat(1_000_000);
    expect(finalContentOf(`<|channel|>final<|message|>${content}`)).toBe(content);
  });
});
