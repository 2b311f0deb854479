import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { htmlToPage } from "../../tools/browser/convert/html.ts";
import { markdownToPage } from "../../tools/browser/convert/markdown.ts";
import { findInPage } from "../../tools/browser/find.ts";
import { createPage, type Page } from "../../tools/browser/page.ts";
import { cleanText } from "../../tools/browser/text/clean-text.ts";
import { stripLinks } from "../../tools/browser/text/links.ts";
import { wrapText } from "../../tools/browser/text/wrap.ts";
import { viewPage } from "../../tools/browser/view.ts";
import { countWords } from "./browser-support.ts";

const prose = fc.array(
  fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 120 }),
    fc.constantFrom(
      "\n",
      "\n\n",
      "   ",
      "well-known ",
      "【0†a link of words†x.org】",
      "word ".repeat(30),
    ),
  ),
  { maxLength: 30 },
);

function pageOf(text: string): Page {
  return createPage({ url: "a.txt", title: "A", text, links: [] }, "document");
}

describe("wrapping", () => {
  it("loses nothing and keeps to the width", () => {
    fc.assert(
      fc.property(prose, fc.integer({ min: 1, max: 100 }), (parts, width) => {
        const text = cleanText(parts.join(""));
        const lines = wrapText(text, width);
        let rebuilt = "";
        for (const line of lines) {
          // A gap of one is the line feed that ended the paragraph.
          if (line.start === rebuilt.length + 1) rebuilt += "\n";
          expect(line.start).toBe(rebuilt.length);
          expect([...line.text].length).toBeLessThanOrEqual(width);
          rebuilt += line.text;
        }
        expect(rebuilt).toBe(text);
      }),
    );
  });

  it("breaks at blanks and inside hyphenated words, and long words where it must", () => {
    const texts = (text: string): string[] => wrapText(text, 10).map((line) => line.text);
    expect(texts("one two three four")).toEqual(["one two ", "three four"]);
    expect(texts("a mother-in-law")).toEqual(["a mother-", "in-law"]);
    expect(texts("abcdefghijklmno p")).toEqual(["abcdefghij", "klmno p"]);
    expect(texts("")).toEqual([""]);
  });

  it("takes a line of megabytes in its stride", () => {
    expect(wrapText("x".repeat(4_000_000), 80)).toHaveLength(50_000);
    expect(wrapText("-".repeat(400_000), 80)).toHaveLength(5_000);
  });
});

describe("paging", () => {
  it("reaches every line, in views that keep to the limit", () => {
    fc.assert(
      fc.property(prose, fc.integer({ min: 30, max: 300 }), (parts, tokenLimit) => {
        const page = pageOf(cleanText(parts.join("")));
        const shown: string[] = [];
        while (shown.length < page.lines.length) {
          const firstLine = shown.length;
          const options = {
            cursor: 3,
            firstLine,
            numLines: -1,
            tokenLimit,
            countTokens: countWords,
          };
          const view = viewPage(page, options);
          const [heading = "", ...body] = view.text.split("\n\n");
          expect(heading).toBe(
            `[3] A (a.txt)\n**viewing lines [${firstLine} - ${view.lastLine}] of ${page.lines.length - 1}**`,
          );
          const lines = body.join("\n\n").split("\n");
          if (lines.length > 1) expect(countWords(view.text)).toBeLessThanOrEqual(tokenLimit);
          lines.forEach((line, at) => {
            const prefix = `L${firstLine + at}: `;
            expect(line.startsWith(prefix)).toBe(true);
            shown.push(line.slice(prefix.length));
          });
        }
        expect(shown).toEqual(page.lines.map((line) => line.text));
      }),
      { numRuns: 60 },
    );
  });

  it("shows the lines asked for, at most", () => {
    const page = pageOf("a\nb\nc\nd");
    const options = {
      cursor: 0,
      firstLine: 1,
      numLines: 2,
      tokenLimit: 1000,
      countTokens: countWords,
    };
    expect(viewPage(page, options).text).toBe(
      "[0] A (a.txt)\n**viewing lines [1 - 2] of 3**\n\nL1: b\nL2: c",
    );
  });
});

describe("find", () => {
  it("sees words over line ends and through links, whatever their case", () => {
    const filler = `${"filler ".repeat(10)}the `;
    const page = pageOf(
      `${filler}Maren Holt.\nİstanbul 【12†the Great\n Light†x.org】house\n\n\nMAREN  HOLT`,
    );
    const found = findInPage(page, "maren holt");
    expect(found.links.map(({ target }) => target?.line)).toEqual([0, 6]);
    expect(found.text).toContain("# 【1†match at L6】\nMAREN  HOLT");
    expect(findInPage(page, "istanbul").links).toHaveLength(0);
    expect(findInPage(page, "great lighthouse").links[0]?.target?.line).toBe(2);
    expect(findInPage(page, "x.org").links).toHaveLength(0);
    expect(findInPage(page, "  ").links).toHaveLength(0);
  });

  it("finds every phrase that is there", () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 200 }), fc.nat(), fc.nat(), (text, from, length) => {
        const words = text.split(" ");
        const start = from % words.length;
        const phrase = words.slice(start, start + 1 + (length % 6)).join(" ");
        const { links } = findInPage(pageOf(text), phrase.toUpperCase());
        expect(links.length).toBeGreaterThan(0);
      }),
    );
  });

  it("lists fifty matches and no more", () => {
    const { links } = findInPage(pageOf("fish\n\n\n\n".repeat(80)), "fish");
    expect(links).toHaveLength(50);
    expect(links[49]?.target?.line).toBe(49 * 4);
  });
});

function html(source: string): string {
  const { text } = htmlToPage({ html: source, url: "p.html", fallbackTitle: "p" });
  return text.replace("\nURL: p.html\n", "");
}

describe("HTML", () => {
  it.each([
    [
      "links, numbered once per target",
      "<a href=a>A</a> <a href=b>B</a> <a href=a>C</a>",
      "【0†A】 【1†B】 【0†C】",
    ],
    ["links to elsewhere", '<a href="https://x.org/y">there</a>', "【0†there†x.org】"],
    ["a dagger in an anchor", "<a href=a>1†2</a>", "【0†1‡2】"],
    ["what looks like a link", "<p>【0†fake】◼", "〖0†fake〗◾"],
    [
      "what is no link",
      '<a href="#x">here</a> <a href="javascript:x()">go</a> <a href=a> </a>',
      "here go",
    ],
    ["blocks in a link", "<a href=a><h3>Big</h3><p>small</p></a>", "【0†Big small】"],
    [
      "pictures",
      '<img alt="A cat"><img src=x><a href=a><img title=Home></a>',
      "[Image 0: A cat] [Image 1] 【0†[Image 2: Home]】",
    ],
    ["raised and lowered text", "x<sup>2</sup> H<sub>2</sub>O", "x^{2} H_{2}O"],
    ["words that tags part", "<span>O</span><span>ne</span> two", "One two"],
    ["programs and styles", "<style>p{}</style><script>alert('<p>')</script><p>text", "text"],
    [
      "nested lists",
      "<ul><li>a<ol start=3><li>b<li>c</ol><li>d</ul>",
      "  * a\n      3. b\n      4. c\n  * d",
    ],
    ["tables", "<table><tr><th>a<th>b<tr><td>1<td><a href=x>2</a></table>", "a | b\n1 | 【0†2】"],
    ["preformatted text", "<pre>\na\n  b\n\n\nc\n</pre>d", "a\n  b\n\n\nc\n\nd"],
    ["quotes and rules", "<blockquote>a<p>b</blockquote><hr>c", "> a\n\n> b\n\n* * *\n\nc"],
    ["code", "use <code>npm  test</code>.", "use `npm test`."],
    ["invisible characters", "a\u200bb\u{1f600}c\u0007", "abc"],
    ["entities", "&lt;|end|&gt; &amp;amp;", "<|end|> &amp;"],
  ])("shows %s", (_, source, expected) => {
    expect(html(source)).toBe(expected);
  });

  it("never shows markup of its own that the document did not earn", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (source) => {
        const { text, links } = htmlToPage({ html: source, url: "p", fallbackTitle: "p" });
        for (const [, id] of text.matchAll(/【(\d+)†/g))
          expect(Number(id)).toBeLessThan(links.length);
      }),
    );
  });

  it("is not led into the depths by nesting", () => {
    const deep = "<blockquote><ul><li>".repeat(1500);
    const lines = html(`${deep}found`).split("\n");
    expect(lines.at(-1)).toMatch(/found$/);
    expect(lines.at(-1)?.length).toBeLessThan(80);
  });
});

describe("Markdown", () => {
  const markdown = (source: string): ReturnType<typeof markdownToPage> =>
    markdownToPage({ markdown: source, url: "p.md", fallbackTitle: "p.md" });

  it.each([
    ['[a](x.md) and [b](<y.md> "title")', "【0†a】 and 【1†b】"],
    ["![alt](x.png) ![](y.png)", "[Image 0: alt] [Image 1]"],
    ["[a][one] [One][] [none][two]\n\n[one]: x.md", "【0†a】 【0†One】 [none][two]"],
    ["`[a](x.md)` <https://x.org/a>", "`[a](x.md)` 【0†https://x.org/a†x.org】"],
    ["~~~\n[a](x.md)\n~~~\n[a](#up)", "[a](x.md)\n\na"],
    ["[wiki](https://x.org/a_(b))", "【0†wiki†x.org】"],
  ])("%j", (source, expected) => {
    expect(markdown(source).text).toBe(`\nURL: p.md\n${expected}`);
  });

  it("takes its title from the front matter, a heading, or its name", () => {
    expect(markdown("---\ntitle: 'One'\n---\n# Two").title).toBe("One");
    expect(markdown("text\n```\n# no\n```\n## Two [x](y) ##").title).toBe("Two x");
    expect(markdown("text").title).toBe("p.md");
  });
});

describe("link markup", () => {
  it("can be taken off, leaving the anchors", () => {
    expect(stripLinks("see 【0†this†x.org】 and 【12†that】, not 【x】")).toBe(
      "see this and that, not 【x】",
    );
  });
});
