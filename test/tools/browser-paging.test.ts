/**
 * How much of a page one view shows, held against the rule of the reference, written here as it does it: the whole
 * numbered text is encoded, and the view ends with the line in which the token 1,024 begins.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { createPage, type Page } from "../../tools/browser/page.ts";
import { viewPage } from "../../tools/browser/view.ts";

const tokenizer = loadO200kHarmony();
const countTokens = (text: string): number => tokenizer.encode(text).length;
const VIEW_TOKENS = 1024;

/** Lines that the reference shows from `first` on. */
function referenceLines(page: Page, first: number): number {
  const numbered = page.lines.slice(first).map(({ text }, at) => `L${first + at}: ${text}`);
  const text = numbered.join("\n");
  const ids = tokenizer.encode(text);
  if ([...text].length <= VIEW_TOKENS || ids.length <= VIEW_TOKENS) return numbered.length;
  const before = tokenizer.decodeLossy(ids.slice(0, VIEW_TOKENS));
  return before.split("\n").length;
}

const words = fc.constantFrom(
  ...[
    "the ",
    "lamp ",
    "tide-table ",
    "Leuchtturm ",
    "灯台の",
    "1868",
    ", ",
    ".\n",
    "\n\n",
    "    ",
    "→ ",
  ],
);

test.each([1, 100, 1000])("as in the reference, from texts of at least %i pieces", (size) => {
  let cut = 0;
  fc.assert(
    fc.property(
      fc.array(words, { minLength: size, maxLength: size * 2 }),
      fc.integer({ min: 0, max: 30 }),
      (pieces, from) => {
        const page = createPage(
          { url: "u", title: "t", text: pieces.join(""), links: [] },
          "document",
        );
        const firstLine = Math.min(from, page.lines.length - 1);
        const { lastLine } = viewPage(page, {
          cursor: 0,
          firstLine,
          numLines: -1,
          tokenLimit: 100_000,
          countTokens,
        });
        if (lastLine < page.lines.length - 1) cut++;
        expect(lastLine - firstLine + 1).toBe(referenceLines(page, firstLine));
      },
    ),
    { numRuns: 25, endOnFailure: true },
  );
  // The longest are cut, and the shortest are not.
  if (size === 1000) expect(cut).toBeGreaterThan(10);
  if (size === 1) expect(cut).toBe(0);
});
