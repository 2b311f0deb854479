/** Markdown that comes in pieces, cut into parts that do not change any more. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AnswerPart, AnswerParts } from "../../../runtime/cli/chat/answer-parts.ts";

/** Parts one per line; lines of code apart, since how many come at once depends on the pieces. */
function partsOf(pieces: readonly string[]): string[] {
  const parts = new AnswerParts();
  const all: AnswerPart[] = pieces.flatMap((piece) => [...parts.push(piece)]);
  all.push(...parts.end());
  return all.flatMap((part) => {
    if (part.type === "gap") return ["gap"];
    if (part.type === "markdown") return [`text ${JSON.stringify(part.text)}`];
    return part.lines.map((line) => `code ${part.language} ${JSON.stringify(line)}`);
  });
}

describe("parts", () => {
  test.each([
    ["paragraphs", "One\ntwo.\n\nThree.", ['text "One\\ntwo."', "gap", 'text "Three."']],
    ["items of a list", "- a\n- b\n  more\n", ['text "- a"', 'text "- b\\n  more"']],
    ["an item with a gap inside", "1. a\n\n   b\n2. c", ['text "1. a\\n\\n   b"', 'text "2. c"']],
    ["a heading", "# A\nb", ['text "# A"', 'text "b"']],
    [
      "code with what looks like Markdown",
      "So:\n```py\n# a\n\n- b\n```\nEnd",
      ['text "So:"', "gap", 'code py "# a"', 'code py ""', 'code py "- b"', "gap", 'text "End"'],
    ],
    ["a fence that is never closed", "```\nx\ny", ['code  "x"', 'code  "y"']],
    ["a longer fence around a shorter one", "````\n```\n````", ['code  "```"']],
    ["Windows line ends", "a\r\n\r\nb\r\n", ['text "a"', "gap", 'text "b"']],
    ["gaps at both ends", "\n\na\n\n\n\nb\n\n\n", ['text "a"', "gap", 'text "b"']],
  ])("%s", (_name, text, expected) => {
    expect(partsOf([text])).toEqual(expected);
  });

  test("of a long table keep its header", () => {
    const rows = Array.from({ length: 100 }, (_, row) => `| ${row} | x |`);
    const parts = partsOf([["| n | v |", "|---|---|", ...rows].join("\n")]);
    expect(parts).toHaveLength(2);
    expect(parts[1]).toMatch(/^text "\| n \| v \|\\n\|---\|---\|\\n\| 58 \| x \|/);
  });
});

test("do not depend on where the pieces are cut", () => {
  const line = fc.constantFrom(
    ...["", " ", "text", "- item", "  more", "    code", "```js", "```", "~~~", "# head", "> q"],
    ...["1. one", "| a | b |", "|---|---|", "***", "text\r", "$$"],
  );
  const text = fc.array(line, { maxLength: 30 }).map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(text, fc.array(fc.nat(200), { maxLength: 20 }), (whole, cuts) => {
      const at = [...cuts.filter((cut) => cut < whole.length), whole.length].sort((a, b) => a - b);
      const pieces = at.map((end, index) => whole.slice(at[index - 1] ?? 0, end));
      expect(partsOf(pieces)).toEqual(partsOf([whole]));
    }),
    { numRuns: 500 },
  );
});
