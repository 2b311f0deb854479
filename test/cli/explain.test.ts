import fc from "fast-check";
import { expect, test } from "vitest";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { explainTranscript } from "../../runtime/cli/explain.ts";

const tokenizer = loadO200kHarmony();
const explain = (text: string, role: "assistant" | null = "assistant") =>
  explainTranscript(tokenizer.encodeWithSpecials(text), { tokenizer, role, knownTools: [] });

const PIECES = [
  ..."<|start|> <|channel|> <|message|> <|end|> <|call|> <|return|> <|constrain|>".split(" "),
  ..."assistant user analysis final commentary to=f json { } ?? hello".split(" "),
  ...[" ", "\n", " to=functions.f", " json", "ü", "𝄞"],
];

test("all parts joined are the transcript, whatever it is", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 24 }), (pieces) => {
      const text = pieces.join("");
      for (const role of ["assistant", null] as const) {
        expect(
          explain(text, role)
            .map((part) => part.text)
            .join(""),
        ).toBe(text);
      }
    }),
    { numRuns: 300 },
  );
});

test.each([
  [
    "<|channel|>final <|constrain|>json<|message|>{}<|return|>",
    ["channel", "content type", "message", "content", "end"],
  ],
  [
    " to=f<|channel|>commentary json<|message|>{}",
    ["recipient", "channel", "content type", "message", "content"],
  ],
  ["<|channel|>final {}<|return|>", ["channel", "content", "end"]],
  ["<|channel|>commentary –x to=f<|message|>", ["channel", "other", "recipient", "message"]],
])("%s", (text, parts) => {
  expect(explain(text).map(({ part }) => part)).toEqual(parts);
});

test("messages are counted, also those that nothing opened", () => {
  const parts = explain(
    "<|start|>user<|message|>a<|end|> 12 <|start|>assistant<|channel|>final<|message|>b<|channel|>final<|message|>c",
    null,
  );
  expect(parts.filter(({ part }) => part === "content").map(({ message }) => message)).toEqual([
    1, 2, 3,
  ]);
  expect(parts.find(({ part }) => part === "other")).toMatchObject({ text: " 12 ", message: 1 });
  expect(explain("<|channel|>final<|message|>b<|end|><|return|>").at(-1)?.message).toBe(1);
  expect(parts.flatMap(({ issues }) => issues.map(({ code }) => code))).toEqual([
    "text_between_messages",
    "missing_end",
    "missing_start",
  ]);
});
