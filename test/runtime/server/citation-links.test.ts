/** Citations of an answer as links, however the answer is cut into pieces. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CitedPage, CitedSources } from "../../../runtime/index.ts";
import { CitationLinks } from "../../../runtime/server/turn/citation-links.ts";

const page = (url: string): CitedPage => ({
  url,
  title: "A page",
  kind: "document",
  lastLine: 9,
  sha256: "0".repeat(64),
});
const PAGES = [
  page("https://example.org/a"),
  page("notes/oslo.md"),
  page('https://example.org/b)<i>"(c)?q=[x]'),
];
const sources: CitedSources = {
  cursors: [0, 1, 2],
  page: (cursor) => PAGES[cursor],
  line: () => "A line.",
  shownLines: () => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
};

function written(...pieces: readonly string[]): CitationLinks & { readonly text: string } {
  const links = new CitationLinks(() => sources);
  const text = pieces.map((piece) => links.push(piece)).join("") + links.end();
  return Object.assign(links, { text });
}

test.each([
  ["It is 7 °C【0†L1-L2】.", "It is 7 °C ([example.org](https://example.org/a))."],
  ["See 【1†L0】", "See (notes/oslo.md)"],
  ["None 【7†L0】, and `【0†L0】` is code.", "None 【7†L0】, and `【0†L0】` is code."],
  ["Begun 【0†L", "Begun 【0†L"],
  [
    "A page that would end the link【2†L0】",
    "A page that would end the link ([example.org](https://example.org/b%29%3Ci%3E%22%28c%29?q=[x]))",
  ],
])("%s", (text, wanted) => {
  expect(written(text).text).toBe(wanted);
});

test("what is told does not depend on where it is cut, and citations stand where they say", () => {
  const text = "One【0†L1】 two 【1†L2-L3】【0†L4】. Three [4] 【9†L1】 `【0†L1】` four【0†L";
  const whole = written(text);
  expect(whole.citations).toHaveLength(3);
  for (const { url, startIndex, endIndex } of whole.citations) {
    expect(whole.text.slice(startIndex, endIndex)).toContain(url);
  }
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (places) => {
      const cuts = [0, ...places.toSorted((a, b) => a - b), text.length];
      const pieces = cuts.slice(1).map((end, at) => text.slice(cuts[at], end));
      const cut = written(...pieces);
      expect(cut.text).toBe(whole.text);
      expect(cut.citations).toEqual(whole.citations);
    }),
  );
});
