import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HarmonyParser, HeaderWatch } from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";

const tokenizer = loadO200kHarmony();
const knownTools = ["functions.f", "functions.assistant_notes", "python"];

/** The first id that is not accepted, as text; null when all are. */
function firstWrong(text: string): string | null {
  const watch = new HeaderWatch(tokenizer, knownTools);
  for (const id of tokenizer.encodeWithSpecials(text)) {
    if (!watch.accepts(id)) return tokenizer.decodeLossy([id]);
    watch.take(id);
  }
  return null;
}

describe("what the format has is accepted", () => {
  test.each([
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
    "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>",
    "<|channel|>commentary to=functions.f<|constrain|>json<|message|>{}<|call|>",
    " to=functions.f<|channel|>commentary <|constrain|> json<|message|>{}<|call|>",
    "<|channel|>commentary to=functions.assistant_notes json<|message|>{}<|call|>",
    "<|channel|>analysis to=python code<|message|>1+1<|call|>",
    "<|channel|>commentary to=browser.search code<|message|>{}<|call|>",
    "<|channel|>final <|constrain|>ReplyAction<|message|>{}<|return|>",
    "<|channel|>commentary<|message|>I will look <|constrain|> ü <|message|>.<|end|><|start|>assistant",
    "<|channel|>analysis<|message|>cut",
  ])("%s", (text) => expect(firstWrong(text)).toBeNull());

  test("in pieces of any size: one id per character", () => {
    const watch = new HeaderWatch(tokenizer, knownTools);
    const { channel, message } = tokenizer.special;
    const letters = [..."commentary to=functions.f json"].flatMap((c) => tokenizer.encode(c));
    for (const id of [channel, ...letters, message]) {
      expect(watch.accepts(id), watch.describe(id)).toBe(true);
      watch.take(id);
    }
    expect(watch.isOutside).toBe(true);
  });
});

describe("the first wrong id is found", () => {
  test.each([
    ["<|channel|>??<|end|>", "??"],
    ["<|channel|>comment<|message|>", "<|message|>"],
    ["<|channel|>final__HANDOFF__<|return|>", "__"],
    ["<|channel|>final Yes<|return|>", " Yes"],
    ["<|channel|>analysis<|channel|>analysis<|message|>", "<|channel|>"],
    ["<|channel|><|message|>", "<|message|>"],
    ["<|start|>assistant", "<|start|>"],
    ["I must refuse<|end|>", "I"],
    ["<|message|>Yes", "<|message|>"],
    ["<|channel|>commentary to=user<|channel|>analysis<|message|>", "=user"],
    ["<|channel|>commentary to=functions.f json json<|message|>", " json"],
    ["<|channel|>final json<|message|>", " json"],
    ["<|channel|>commentary to=f to=f<|message|>", " to"],
    ["<|channel|>commentary to=<|message|>", "<|message|>"],
    ["<|channel|>commentary to=f <|constrain|><|message|>", "<|message|>"],
    ["<|channel|>commentary to=f<|call|>", "<|call|>"],
    ["<|channel|>final<|message|>Yes.<|end|><|return|>", "<|return|>"],
    ["<|channel|>analysis<|message|>Hm.<|end|>commentary<|channel|>", "comment"],
    ["<|channel|>analysis<|message|>Hm.<|end|><|channel|>final", "<|channel|>"],
    ["<|channel|>analysis<|message|>Hm.<|end|><|start|>user<|message|>", "user"],
    ["<|channel|>analysis<|message|>Hm.<|start|>assistantassistant<|channel|>", "assistant"],
  ])("%s: %j", (text, wrong) => expect(firstWrong(text)).toBe(wrong));

  test("and said", () => {
    const watch = new HeaderWatch(tokenizer);
    watch.take(tokenizer.special.channel);
    const [id = 0] = tokenizer.encode("??");
    expect(watch.describe(id)).toBe('"??" after "<|start|>assistant<|channel|>"');
  });
});

test("behind a header that went wrong the next one is watched again", () => {
  const watch = new HeaderWatch(tokenizer);
  const text = "<|channel|>??<|message|>x<|end|><|start|>assistant<|channel|>";
  for (const id of tokenizer.encodeWithSpecials(text)) watch.take(id);
  const [wrong = 0] = tokenizer.encode("??");
  const [right = 0] = tokenizer.encode("final");
  expect([watch.accepts(wrong), watch.accepts(right)]).toEqual([false, true]);
});

test("headers that are accepted to their end give the parser nothing to recover", () => {
  const pieces = [
    "<|channel|>",
    "<|constrain|>",
    "<|message|>",
    "analysis",
    "final",
    "commentary",
    " to=functions.f",
    " to=",
    "f",
    " json",
    "json",
    " ",
    " code",
    "assistant",
    "x",
    "?",
  ];
  let complete = 0;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (header) => {
      const text = `<|channel|>${header.join("")}<|message|>{}<|end|>`;
      if (firstWrong(text) !== null) return;
      complete++;
      const [message, ...others] = HarmonyParser.parse(tokenizer.encodeWithSpecials(text), {
        tokenizer,
        role: "assistant",
        knownTools,
      });
      // The type of an answer is said to be none of a call's recipient: that is how answers are written.
      // What stands in content, a second `<|message|>` too, is none of the header.
      const issues = message?.issues.filter(
        ({ code }) => code !== "constrain_as_recipient" && code !== "special_in_content",
      );
      expect({ text, issues, others }).toEqual({ text, issues: [], others: [] });
    }),
    { numRuns: 3000, seed: 7 },
  );
  expect(complete).toBeGreaterThan(50);
});
