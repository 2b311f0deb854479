import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CitationScanner, findCitations } from "../../../runtime/citations/scan.ts";

/** `3:5-9,12` for each page that a citation names; `?` where it does not say which. */
function cited(text: string): readonly string[] {
  return findCitations(text).map(({ places }) =>
    places === null
      ? "?"
      : places
          .map(({ cursor, ranges }) => {
            const lines = ranges.map(({ first, last }) => `${first}-${last}`).join(",");
            return `${cursor}:${lines}`;
          })
          .join(" "),
  );
}

describe("forms of a citation", () => {
  test.each([
    ["【3†L5-L9】", "3:5-9"],
    ["【3†L5】", "3:5-5"],
    ["【3†L5-9】", "3:5-9"],
    ["【3†5-9】", "3:5-9"],
    ["【 3 † L5 – L9 】", "3:5-9"],
    ["【3†L5—L9】", "3:5-9"],
    ["【3†L5−L9】", "3:5-9"],
    ["【3†L9-L5】", "3:5-9"],
    ["【3‡L5】", "3:5-5"],
    ["【3†l5-l9】", "3:5-9"],
    ["【3†lines 5-9】", "3:5-9"],
    ["【3†line 5】", "3:5-5"],
    ["【3†Lines 5 to 9】", "3:5-9"],
    ["【3†Zeilen 5 bis 9】", "3:5-9"],
    ["【3†L5-L9,L12】", "3:5-9,12-12"],
    ["【3†L5, L7 and L9-L10】", "3:5-5,7-7,9-10"],
    ["【3†L5; 4†L1-L2】", "3:5-5 4:1-2"],
    ["【3†L5, 4†L1】", "3:5-5 4:1-1"],
    ["【3†L5, 4 L1】", "3:5-5 4:1-1"],
    ["【３†Ｌ５－Ｌ９】", "3:5-9"],
    ["【٣†L٥】", "3:5-5"],
    ["【3 L5-L9】", "3:5-9"],
    ["【3L5】", "3:5-5"],
    ["【3:L5】", "3:5-5"],
    ["【3, lines 5-9】", "3:5-9"],
    ["【cursor 3†L5】", "3:5-5"],
    ["【3†L5†example.com】", "3:5-5"],
    ["【3:0†source】", "3:"],
    ["【3†source】", "3:"],
    ["【3†Pump manual†example.com】", "3:"],
    ["[3†L5-L9]", "3:5-9"],
    ["[3 L5]", "3:5-5"],
    ["［3†L5］", "3:5-5"],
    ["【3†L5]", "3:5-5"],
  ])("%s", (text, expected) => {
    expect(cited(`So it is${text}.`)).toEqual([expected]);
  });

  test("what a page wrote, and the model repeats, is none", () => {
    expect(cited("The page says 〖3†L5〗 and 〖3†L5-L9】.")).toEqual([]);
  });

  test("what names no lines of a page is found, and said to be malformed", () => {
    for (const text of [
      "【†L3】",
      "【L3-L5】",
      "【3†L】",
      "【3†L5-】",
      "【3†L5-Lx】",
      "【3†-5】",
    ]) {
      expect([text, cited(text)]).toEqual([text, ["?"]]);
    }
  });

  test("what only looks like one is text", () => {
    for (const text of [
      "a[1], a[12], [1](https://example.com), - [ ] open, [x] done, [3]",
      "【注意】 and 【3】 and 【】 and 【第3章】",
      "[3: see L. Smith], [1 L], [2024-05-03]",
      "`【3†L5】` and ``a ` 【3†L5】``",
      "```\n【3†L5】\n```",
      "~~~text\n【3†L5】\n```\n【3†L6】\n~~~\n",
      "【3†L5\n】",
    ]) {
      expect([text, cited(text)]).toEqual([text, []]);
    }
  });

  test("citations behind each other, behind code, and in an open bracket", () => {
    expect(cited("A【1†L1】【2†L2】.\n```\nx\n```\nB【3†L3】 【not 【4†L4】")).toEqual([
      "1:1-1",
      "2:2-2",
      "3:3-3",
      "4:4-4",
    ]);
  });
});

const part = fc.oneof(
  fc.constantFrom("【", "】", "[", "]", "†", "1", "12", "†L3", "-L9", ", ", "L", "`", "```", "~~~"),
  fc.constantFrom(
    "【1†L3-L4】",
    "[2†L1]",
    "【9】",
    " ",
    "\n",
    "   ",
    "text",
    "ab`c",
    "\n```js\n",
    "\r\n",
  ),
  fc.string({ maxLength: 12 }),
);

test("what is found does not depend on where the text is cut, and nothing is lost", () => {
  const texts = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(texts, fc.array(fc.nat(), { maxLength: 20 }), (text, places) => {
      const cuts = places.map((place) => place % (text.length + 1)).toSorted((a, b) => a - b);
      const scanner = new CitationScanner();
      const pieces = [0, ...cuts].flatMap((cut, at) => scanner.push(text.slice(cut, cuts[at])));
      pieces.push(...scanner.end());
      expect(pieces.map((piece) => piece.text).join("")).toBe(text);
      const found = pieces.flatMap((piece) => (piece.type === "citation" ? [piece.citation] : []));
      expect(found).toEqual(findCitations(text));
      for (const piece of pieces) {
        if (piece.type !== "citation") continue;
        const { start, end } = piece.citation;
        expect(text.slice(start, end)).toBe(piece.text);
      }
    }),
    { numRuns: 2000 },
  );
});

test("little is held back, whatever comes", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 200 }), (parts) => {
      const scanner = new CitationScanner();
      let [given, shown] = [0, 0];
      for (const text of parts) {
        given += text.length;
        for (const piece of scanner.push(text)) shown += piece.text.length;
        expect(given - shown).toBeLessThanOrEqual(CitationScanner.longestHeld);
      }
    }),
  );
});

test("a long answer without line breaks takes time in proportion to its length", () => {
  const text = "[1 `【3 † x".repeat(20_000);
  const scanner = new CitationScanner();
  let shown = 0;
  for (let at = 0; at < text.length; at += 7) {
    for (const piece of scanner.push(text.slice(at, at + 7))) shown += piece.text.length;
  }
  for (const piece of scanner.end()) shown += piece.text.length;
  expect(shown).toBe(text.length);
});
