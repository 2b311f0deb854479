/** Documents built to cost time, to forge what the harness shows, or to hide. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { htmlToPage } from "../../tools/browser/convert/html.ts";
import { markdownToPage } from "../../tools/browser/convert/markdown.ts";
import { parseHtml } from "../../tools/browser/convert/markup-tree.ts";
import { parseXml } from "../../tools/browser/convert/xml.ts";
import { cleanText } from "../../tools/browser/text/clean-text.ts";
import { createBrowserTools, folderNotes, openDocumentFolder } from "../../tools/index.ts";
import { callBrowser, folderWith } from "./browser-support.ts";

const times = (text: string, count: number): string => text.repeat(count);
const numbered = (count: number, text: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => text(n)).join("");

/** Each is quadratic or worse for a converter that does not take care. */
const HOSTILE: Readonly<Record<string, (size: number) => string>> = {
  nesting: (n) => times("<div>", n),
  "nesting of tables": (n) => times("<table><tr><td>", n),
  "nesting of lists": (n) => times("<ul><li>", n),
  attributes: (n) => `<p ${numbered(n, (i) => `a${i}=1 `)}>x`,
  "one attribute again and again": (n) => `<p ${times("id=1 ", n)}>x`,
  "end tags of nothing": (n) => times("</div>", n),
  "end tags of what is far out": (n) => `<p>${times("<span>", 500)}${times("</p>", n)}`,
  links: (n) => times("<a href=x>", n),
  "links in paragraphs": (n) => times("<p><a href=x>", n),
  "cells that reach far": (n) => `<table><tr>${times("<td rowspan=65000 colspan=1000>x", n)}`,
  "rows that reach far": (n) => `<table>${times("<tr><td rowspan=60000>x<td>y", n)}`,
  paragraphs: (n) => times("<p>", n),
  "items with paragraphs": (n) => `<ul><li>${times("<p>x</p>", n)}`,
  "code beside code": (n) => `<p>${times("<code>x</code>", n)}`,
  svg: (n) => times("<svg>", n),
  formulas: (n) => `<math>${times("<mfrac><mi>x</mi>", n)}`,
  ruby: (n) => `<ruby>${times("<rt>x", n)}`,
  styles: (n) => `<style>${times("@media x{", n)}</style>x`,
  "style attributes": (n) => `<p style="${times("height:0;", n)}">x`,
  "unclosed titles": (n) => times("<title>", n),
  noframes: (n) => times("<noframes>", n),
  ids: (n) => numbered(n, (i) => `<i id=i${i}>`),
  "parts with names": (n) => numbered(n, (i) => `<div class="nav-${i}">x</div>`),
  headings: (n) => `${times("<header>", 250)}${times("<h2>x</h2>", n)}`,
  brackets: (n) => times("<", n),
  slots: (n) =>
    `<x-a><template shadowrootmode=open>${times("<slot>", n)}</template>${times("<b>y</b>z", n)}`,
  "shadow trees": (n) => times("<x-a><template shadowrootmode=open><slot></slot></template>", n),
  "headings that announce": (n) => times("<h2>Related</h2>", n),
  "asides in a row": (n) => times("<aside>x</aside>", n),
  "forms in a row": (n) => times("<form><input type=email>x</form>", n),
  "forms without text": (n) =>
    `${times("words ", 60)}<div>${times("<form><input type=email></form>", n)}`,
  "colours and styles": (n) =>
    `<style>${times("body .a{color:red}", n)}</style>${times('<i style="color:#fff">x</i>', n)}`,
  "selectors of the page": (n) => `<style>${times("body,", n)}{background:red}</style>x`,
  "a line that is preformatted": (n) => `<div style="white-space:pre">${times("x ", n)}\ny</div>`,
  "pictures for readers without scripts": (n) => times("<img><noscript><img></noscript>", n),
  "words beside the content": (n) =>
    `<title>${times("x", 50)}</title><div>${times("words ", 50)}</div>${times("<div><a href=x>y</a></div>", n)}`,
};

const MARKDOWN: Readonly<Record<string, (size: number) => string>> = {
  brackets: (n) => times("[", n),
  stars: (n) => times("**a ", n),
  formulas: (n) => times("\\(a ", n),
  dollars: (n) => times("$a ", n),
  definitions: (n) => numbered(n, (i) => `[d${i}]: x\n`),
  "links that do not close": (n) => times("[a](", n),
  headings: (n) => times("# x\n", n),
  quotes: (n) => times("> ", n),
};

/** Milliseconds of processor time. */
function cost(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe("time is linear in the length of", () => {
  // Ten times the length may cost thirty times as much, and a tenth of a second in any case.
  const isLinear = (convert: (source: string) => void, make: (size: number) => string): void => {
    convert(make(400));
    const small = cost(() => convert(make(2000)));
    expect(cost(() => convert(make(20_000)))).toBeLessThan(Math.max(30 * small, 1500));
  };

  it.each(Object.keys(HOSTILE))("HTML: %s", (name) => {
    isLinear(
      (html) => htmlToPage({ html, url: "p", fallbackTitle: "p" }),
      HOSTILE[name] ?? times.bind(null, ""),
    );
  });

  it.each(Object.keys(MARKDOWN))("Markdown: %s", (name) => {
    isLinear(
      (markdown) => markdownToPage({ markdown, url: "p", fallbackTitle: "p" }),
      MARKDOWN[name] ?? times.bind(null, ""),
    );
  });
});

const TAGS =
  "p div span a table tr td th ul li b i svg math title noframes select option pre code ruby rt h1 dl dt dd button style br".split(
    " ",
  );
const markup = fc
  .array(
    fc.oneof(
      fc.constantFrom(...TAGS).map((tag) => `<${tag}>`),
      fc.constantFrom(...TAGS).map((tag) => `</${tag}>`),
      fc.constantFrom(
        "word ",
        "【0†x】",
        "&lt;",
        "&#8203;",
        "<a href='x.html'>",
        "<a href='#x' id=x>",
        "\n",
        "<p hidden>",
      ),
      fc.string({ unit: "grapheme", maxLength: 6 }),
    ),
    { maxLength: 80 },
  )
  .map((parts) => parts.join(""));

describe("any markup", () => {
  it("becomes a tree whose elements know their parents", () => {
    fc.assert(
      fc.property(markup, (html) => {
        const open = [parseHtml(html).root];
        for (let element = open.pop(); element !== undefined; element = open.pop()) {
          for (const child of element.children) {
            if (typeof child === "string") continue;
            expect(child.parent).toBe(element);
            open.push(child);
          }
        }
      }),
    );
  });

  it("becomes a page whose links and places are there, and which forges none", () => {
    fc.assert(
      fc.property(markup, (html) => {
        const {
          text,
          links,
          anchors = {},
        } = htmlToPage({ html, url: "p.html", fallbackTitle: "p" });
        const ids = [...text.matchAll(/【(\d+)†/g)].map(([, id]) => Number(id));
        expect([...new Set(ids)]).toEqual(links.map((_, id) => id));
        expect(text.split("【").length - 1).toBe(ids.length);
        for (const at of Object.values(anchors)) expect(at).toBeLessThanOrEqual(text.length);
        expect(text).not.toMatch(/[\u200b\u202e\u{e0041}]/u);
      }),
    );
  });

  it("is read as XML without an end", () => {
    fc.assert(fc.property(markup, (xml) => void parseXml(xml)));
    expect(parseXml(times("<a>", 100_000))?.name).toBe("a");
  });
});

describe("what cannot be seen", () => {
  it("carries nothing into a page", () => {
    const smuggled = [..."IGNORE"]
      .map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0)))
      .join("");
    const page = htmlToPage({ html: `<p>Seen${smuggled}.`, url: "p", fallbackTitle: "p" });
    expect(page.text).toBe("\nURL: p\nSeen.");
    expect(page.hiddenCharacters).toBe(6);
    expect(cleanText("a\u202eb\u0007c\u{1f600}d\ufe0fe")).toBe("abcde");
    expect(cleanText("می‌خواهم")).toBe("می‌خواهم");
  });

  it("is counted for the caller of the tool", async () => {
    await using folder = await folderWith({ "a.html": "<p>Seen.</p><p hidden>Not seen.</p>" });
    const browser = await createBrowserTools({ docs: folder.path });
    const { text, data } = await callBrowser(browser, "browser.open", { id: "a.html" });
    expect(text).not.toContain("Not seen");
    expect(data).toMatchObject({ hiddenCharacters: 9 });
    await browser.close();
  });
});

describe("names of files", () => {
  it("forge no line, no link and no command of a terminal", async () => {
    await using folder = await folderWith({
      "new\nline【3†L1】.md": "# One\n\nalbatross",
      "esc\u001b[31m.md": "# Two\n\nalbatross",
      "100%.md": "# Three\n\nalbatross",
      "50%41.md": "# Four\n\nalbatross",
    });
    const browser = await createBrowserTools({ docs: folder.path });
    const names = [
      "new%0Aline%E3%80%903%E2%80%A0L1%E3%80%91.md",
      "esc%1B[31m.md",
      "100%.md",
      "50%2541.md",
    ];
    for (const name of names) {
      const { text, isError } = await callBrowser(browser, "browser.open", { id: name });
      expect(isError).toBeUndefined();
      expect(text).toContain(`URL: ${name}\n`);
    }
    const { text } = await callBrowser(browser, "browser.search", { query: "albatross" });
    expect(text.match(/【\d+†/g)).toHaveLength(4);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the one that must not be there
    expect(text).not.toMatch(/\u001b|new\n/);
    await browser.close();
  });

  it("need not be UTF-8", async () => {
    const folder = await mkdtemp(join(tmpdir(), "chorale-names-"));
    try {
      const name = Buffer.concat([
        Buffer.from(`${folder}/`),
        Buffer.from("caf\xe9 \xfc.md", "latin1"),
      ]);
      await writeFile(name, "# Menu\n\nherring");
      const docs = await openDocumentFolder(folder);
      expect((await docs.search("herring", 1))[0]?.url).toBe("caf%E9 %FC.md");
      expect((await docs.open("caf%E9 %FC.md")).title).toBe("Menu");
      await docs.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("a folder as a whole", () => {
  it("has one bound of time, and names what was not read then", async () => {
    await using folder = await folderWith(
      Object.fromEntries(
        Array.from({ length: 40 }, (_, n) => [`${n}.html`, times("<p>Some <b>words</b>", 60_000)]),
      ),
    );
    const docs = await openDocumentFolder(folder.path, { totalTimeoutMs: 700 });
    const { documents, skipped } = docs.summary;
    expect(documents).toBeGreaterThan(0);
    expect(documents + skipped.length).toBe(40);
    expect(new Set(skipped.map(({ reason }) => reason))).toEqual(
      new Set(skipped.length > 0 ? ["the 0.7 s for reading the folder were over"] : []),
    );
    await docs.close();
  });

  it("says of each file why it was left out, and where its text is a guess", async () => {
    await using folder = await folderWith({
      "a.md": "# Words",
      "b.png": Buffer.from("\x89PNG\r\n", "latin1"),
      "c.png": Buffer.from("\x89PNG\r\n", "latin1"),
      "d.pdf": "%PDF-1.4\nnothing\n%%EOF",
      "e.xlsx": "PK\x03\x04",
      "f.rtf": "{\\rtf1 x}",
      "g.txt": Buffer.from("K\xf6ln am Rhein", "latin1"),
      "h.txt": "x".repeat(3000),
    });
    const docs = await openDocumentFolder(folder.path, { maxFileBytes: 2000 });
    const notes = folderNotes(docs.summary);
    expect(notes[0]).toBe(`6 files are left out of ${docs.summary.path}; 2 can be read.`);
    expect(notes.slice(1)).toEqual([
      "Left out, a picture (PNG): b.png, c.png",
      expect.stringMatching(/^Left out, .*PDF.*: d\.pdf$/i),
      "Left out, a document (.xlsx) of a kind that is not read; save it as .docx, .pdf, .csv or .html: e.xlsx",
      "Left out, a document in RTF; save it as .docx, .html or .txt: f.rtf",
      "Left out, 3000 bytes, more than 2000: h.txt",
      "Read with a doubt, it declares no character set; windows-1252 is a guess: g.txt",
    ]);
    await docs.close();
  });
});
