/** The table of message kinds, cell by cell, and what becomes of a step of such messages. */
import { describe, expect, test } from "vitest";
import type { Terminator } from "../../harmony/index.ts";
import { endsStep, MESSAGE_KINDS, messageKind } from "../../runtime/calls/message-kind.ts";
import { itemsOf, scriptedRun } from "./scripted-run.ts";

const CHANNEL = {
  analysis: "analysis",
  commentary: "commentary",
  final: "final",
  other: "reply",
  none: null,
};
const TERMINATOR = { end: "end", return: "return", call: "call", none: null } as const;
const TYPE = { plain: null, typed: "<|constrain|>json" };

type Cell = readonly [
  channel: keyof typeof CHANNEL,
  type: keyof typeof TYPE,
  terminator: keyof typeof TERMINATOR,
  kind: string,
];

const CELLS: readonly Cell[] = [
  ["analysis", "plain", "end", "reasoning"],
  ["analysis", "plain", "return", "reasoning"],
  ["analysis", "plain", "call", "broken_call"],
  ["analysis", "plain", "none", "reasoning"],
  ["analysis", "typed", "end", "reasoning"],
  ["analysis", "typed", "return", "reasoning"],
  ["analysis", "typed", "call", "broken_call"],
  ["analysis", "typed", "none", "reasoning"],
  ["commentary", "plain", "end", "preamble"],
  ["commentary", "plain", "return", "preamble"],
  ["commentary", "plain", "call", "broken_call"],
  ["commentary", "plain", "none", "preamble"],
  ["commentary", "typed", "end", "broken_call"],
  ["commentary", "typed", "return", "broken_call"],
  ["commentary", "typed", "call", "broken_call"],
  ["commentary", "typed", "none", "broken_call"],
  ["final", "plain", "end", "answer"],
  ["final", "plain", "return", "answer"],
  ["final", "plain", "call", "answer"],
  ["final", "plain", "none", "fragment"],
  ["final", "typed", "end", "answer"],
  ["final", "typed", "return", "answer"],
  ["final", "typed", "call", "answer"],
  ["final", "typed", "none", "fragment"],
  ["other", "plain", "end", "reasoning"],
  ["other", "plain", "return", "reasoning"],
  ["other", "plain", "call", "broken_call"],
  ["other", "plain", "none", "reasoning"],
  ["other", "typed", "end", "reasoning"],
  ["other", "typed", "return", "reasoning"],
  ["other", "typed", "call", "broken_call"],
  ["other", "typed", "none", "reasoning"],
  ["none", "plain", "end", "answer"],
  ["none", "plain", "return", "answer"],
  ["none", "plain", "call", "broken_call"],
  ["none", "plain", "none", "answer"],
  ["none", "typed", "end", "answer"],
  ["none", "typed", "return", "answer"],
  ["none", "typed", "call", "broken_call"],
  ["none", "typed", "none", "answer"],
];

describe("a message without a recipient", () => {
  test("every cell of the table is named here", () => {
    const cells = Object.values(MESSAGE_KINDS).flatMap((types) =>
      Object.values(types).flatMap((row) => Object.values(row)),
    );
    expect(cells).toHaveLength(CELLS.length);
  });

  test.each(CELLS)("%s, %s, ended by %s: %s", (channel, type, terminator, kind) => {
    const facts = {
      channel: CHANNEL[channel],
      recipient: null,
      contentType: TYPE[type],
      terminator: TERMINATOR[terminator],
    };
    expect(messageKind(facts)).toBe(kind);
  });
});

test.each(CELLS)("with a recipient it is a call: %s, %s, %s", (channel, type, terminator) => {
  const facts = {
    channel: CHANNEL[channel],
    recipient: "functions.f",
    contentType: TYPE[type],
    terminator: TERMINATOR[terminator],
  };
  expect(messageKind(facts)).toBe("call");
});

test.each<[string | null, Terminator, boolean]>([
  [null, "end", false],
  [null, null, false],
  [null, "return", true],
  [null, "call", true],
  ["functions.f", "end", true],
  ["functions.f", null, true],
])("recipient %s, ended by %s: the step ends: %s", (recipient, terminator, ends) => {
  expect(endsStep({ recipient, terminator })).toBe(ends);
});

describe("a step of several messages", () => {
  const final = (text: string, end = "<|end|>"): string =>
    `<|channel|>final<|message|>${text}${end}`;
  const next = "<|start|>assistant";

  test.each([
    ["the last answer counts", `${final("One.")}${next}${final("Two.", "<|return|>")}`, "Two."],
    ["an empty answer is none", `${final("")}${next}${final("Two.", "<|return|>")}`, "Two."],
    [
      "nor is one that was broken off",
      `${final("On", "")}${next}${final("Two.", "<|return|>")}`,
      "Two.",
    ],
    [
      "thoughts behind it do not undo it",
      `${final("One.")}${next}<|channel|>analysis<|message|>Good.<|return|>`,
      "One.",
    ],
    [
      "a final message counts before one without a channel",
      `${final("One.")}${next}<|message|>Two.<|return|>`,
      "One.",
    ],
  ])("%s", async (_what, said, output) => {
    const { result, events } = await scriptedRun([said]);
    expect(result.output).toBe(output);
    const empty = itemsOf(events).filter((item) => "text" in item && item.text === "");
    expect(empty).toEqual([]);
  });
});
