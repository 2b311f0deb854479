import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FootnoteWriter, withFootnotes } from "../../../runtime/citations/footnotes.ts";
import { resolveCitations } from "../../../runtime/citations/resolve.ts";
import { madeSources } from "./sources.ts";

const sources = madeSources([
  { url: "", title: "pumps", kind: "search", lines: ["a", "b"] },
  {
    url: "pump.md",
    title: "The pump",
    lines: ["The pump", "runs at 12 bar,", "see 【0†the table†example.com】", "unseen", "last"],
    shown: [0, 1, 2, 4],
  },
  {
    url: "pump.md/find?pattern=bar",
    title: "Find results for text: `bar` in `The pump`",
    kind: "find",
    lines: ["# 【0†match at L1】", "runs at 12 bar,"],
  },
]);

/** Of each annotation what matters, with the text that it stands for. */
function resolved(text: string): readonly unknown[] {
  return resolveCitations(text, sources).map((annotation) => {
    const written = text.slice(annotation.start_index, annotation.end_index);
    return annotation.type === "broken_citation"
      ? [written, annotation.reason, annotation.message]
      : [written, annotation.url, annotation.lines, annotation.quote];
  });
}

describe("a citation", () => {
  test("is resolved to the page and the lines as they were shown", () => {
    expect(
      resolved("At 12 bar【1†L0-L1】, here【1†L1,L4】 and there【2†L1】; all of it【1†source】."),
    ).toEqual([
      ["【1†L0-L1】", "pump.md", [{ first: 0, last: 1 }], "The pump\nruns at 12 bar,"],
      [
        "【1†L1,L4】",
        "pump.md",
        [
          { first: 1, last: 1 },
          { first: 4, last: 4 },
        ],
        "runs at 12 bar,\nlast",
      ],
      ["【2†L1】", "pump.md", [{ first: 1, last: 1 }], "runs at 12 bar,"],
      ["【1†source】", "pump.md", [], ""],
    ]);
  });

  test("that does not hold has the reason", () => {
    expect(
      resolved("A【7†L1】 B【1†L3】 C【1†L2-L9】 D【0†L1】 E【1†L2-x】 F【1†L1; 8†L1】"),
    ).toEqual([
      ["【7†L1】", "unknown_cursor", "page 7 was never shown (those from 0 to 2 were)"],
      ["【1†L3】", "not_shown", "line 3 of page 1 was never shown"],
      ["【1†L2-L9】", "no_such_line", "lines 2–9 of page 1: its last line is 4"],
      ["【0†L1】", "no_document", "page 0 is a list of search results, which says nothing itself"],
      ["【1†L2-x】", "malformed", "it does not say which lines of which page it cites"],
      ["【1†L1; 8†L1】", "pump.md", [{ first: 1, last: 1 }], "runs at 12 bar,"],
      ["【1†L1; 8†L1】", "unknown_cursor", "page 8 was never shown (those from 0 to 2 were)"],
    ]);
    expect(resolveCitations("A【1†L1】", madeSources([]))).toMatchObject([
      { message: "page 1 was never shown, and no other page was" },
    ]);
  });

  test("of a thousand million lines takes no time and no memory", () => {
    const [annotation] = resolveCitations("【0†L0-L999999999】", {
      ...sources,
      page: () => ({ url: "a", title: "a", kind: "document", lastLine: 1e9, sha256: "" }),
      line: () => "x",
    });
    expect(annotation).toMatchObject({ type: "broken_citation", reason: "not_shown" });
  });
});

describe("footnotes", () => {
  test("are numbered by what is cited, and say where it is", () => {
    const text =
      "At 12 bar【1†L1】【1†L2】. Again: 【1†L1】, (【1†source】) and 【7†L1】.\n\n- code `【1†L1】`";
    expect(withFootnotes(text, sources)).toBe(
      [
        "At 12 bar [1][2]. Again: [1], ([3]) and [4?].",
        "",
        "- code `【1†L1】`",
        "",
        "[1] The pump, pump.md, line 1: “runs at 12 bar,”",
        "[2] The pump, pump.md, line 2: “see the table”",
        "[3] The pump, pump.md.",
        "[4?] Does not hold: page 7 was never shown (those from 0 to 2 were).",
        "",
      ].join("\n"),
    );
    expect(withFootnotes("Nothing cited.", sources)).toBe("Nothing cited.");
  });

  test("show no control characters of a page, and no more than a line of it", () => {
    const hostile = madeSources([
      {
        url: "a\u001b]0;x\u0007.md",
        title: "T\n\n[2] \u202eForged",
        lines: [`\u001b[2J${"word ".repeat(100)}`],
      },
    ]);
    const note = withFootnotes("A【0†L0】", hostile).split("\n\n")[1] ?? "";
    expect(note).toMatch(/^\[1\] T \[2\] Forged, a\]0;x\.md, line 0: “\[2Jword .* …”\n$/);
    expect(note.length).toBeLessThan(300);
  });

  test("do not depend on where the answer is cut", () => {
    const part = fc.oneof(
      fc.constantFrom(
        "【1†L1】",
        "【1†L2-L4】",
        "【9†L1】",
        "[1†L0]",
        "【",
        "】",
        "`",
        "\n",
        " ",
        "a.",
      ),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const written = (pieces: readonly string[]): string => {
          const writer = new FootnoteWriter(() => sources);
          const text = pieces.map((piece) => writer.push(piece)).join("") + writer.end();
          return [text, ...writer.notes()].join("\n");
        };
        const whole = parts.join("");
        expect(written(parts)).toBe(written([whole]));
        expect(written(whole.split(""))).toBe(written([whole]));
      }),
      { numRuns: 500 },
    );
  });
});

test("nothing of a hostile answer or page makes it throw, and offsets are those of the text", () => {
  const body = fc.oneof(
    fc.constantFrom(
      "1†L1",
      "1†L1-L99999999",
      "0†L0",
      "٣†L٥",
      "1†L1;".repeat(40),
      "†",
      "1†",
      "1 L0",
    ),
    fc.string({ unit: "binary", maxLength: 30 }),
  );
  fc.assert(
    fc.property(fc.array(body, { maxLength: 10 }), (bodies) => {
      const text = bodies.map((each) => `x【${each}】`).join("");
      for (const { start_index, end_index } of resolveCitations(text, sources)) {
        expect(text.slice(start_index, end_index)).toMatch(/^【[\s\S]*[】\]〗〕］]$/);
      }
    }),
    { numRuns: 200 },
  );
});
