/** What the page makes of texts of a model: elements without anything that runs, loads or leads astray. */
import fc from "fast-check";
import { parseHTML } from "linkedom";
import { renderToString } from "preact-render-to-string";
import { expect, test } from "vitest";
import type { Annotation } from "../../../../runtime/events.ts";
import { JsonTree } from "../../../../runtime/server/web/page/json-tree.ts";
import { markdown } from "../../../../runtime/server/web/page/markdown.ts";
import { safeUrl } from "../../../../runtime/server/web/page/text.ts";
import { h } from "../../../../runtime/tracing/view/preact.ts";

const rendered = (text: string, annotations: readonly Annotation[] = []): string =>
  renderToString(h("div", null, ...markdown(text, annotations)));

/** What is wrong with markup that a text was made to. */
function dangers(html: string): string[] {
  const { document } = parseHTML(`<!doctype html><body>${html}</body>`);
  const bad: string[] = [];
  for (const element of document.querySelectorAll("*")) {
    const name = element.tagName.toLowerCase();
    if (
      /^(?:script|iframe|object|embed|img|svg|style|link|meta|base|form|input|video|audio)$/.test(
        name,
      )
    ) {
      bad.push(name);
    }
    for (const { name: attribute, value } of element.attributes) {
      if (
        /^on/i.test(attribute) ||
        /^(?:style|src|srcset|srcdoc|action|formaction)$/i.test(attribute)
      ) {
        bad.push(attribute);
      }
      if (attribute === "href" && !/^https?:\/\//.test(value)) bad.push(value);
    }
  }
  return bad;
}

test.each([
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "[x](javascript:alert(1))",
  "[x](JAVASCRIPT:alert(1))",
  "[x](java\nscript:alert(1))",
  "[x](&#106;avascript:alert(1))",
  "[x](data:text/html;base64,PHNjcmlwdD4=)",
  "[x](file:///etc/passwd)",
  "[x](//evil.example)",
  "[x](/page/api/threads)",
  "[x](#hash)",
  '[x](https://a.example/"onmouseover="alert(1))',
  "![x](javascript:alert(1))",
  "![x](https://evil.example/a.png)",
  "<javascript:alert(1)>",
  "[ref]\n\n[ref]: javascript:alert(1)",
  '```"><script>alert(1)</script>\ncode\n```',
  "`<img src=x>`",
  "| <img src=x> |\n|---|\n| <script> |",
  "<a href='https://x.example' onclick='alert(1)'>x</a>",
  "\ue000" + "0\ue001 \ue0005\ue001",
])("%j is harmless", (text) => {
  expect(dangers(rendered(text))).toEqual([]);
});

test("any text is harmless", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "<script>",
      "](javascript:",
      "![",
      "[",
      "](",
      ")",
      "`",
      "```\n",
      "<img onerror=",
      '"',
      "'",
      "&#x6a;",
      "|",
      "\n|---|\n",
      "> ",
      "- ",
      "\ue000",
      "0\ue001",
      "https://",
    ),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      expect(dangers(rendered(parts.join("")))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("controls and directions are shown", () => {
  const html = rendered("a\u202eb\u0007c\u001b[2J `d\u2066e` \u200b");
  expect(html).toContain("a&lt;U+202E>b␇c␛[2J");
  expect(html).toContain("d&lt;U+2066>e");
});

test("a text that is deep or long comes to an end", () => {
  expect(rendered(">".repeat(5000)).length).toBeLessThan(200_000);
  expect(rendered("[".repeat(5000)).length).toBeGreaterThan(4999);
  expect(rendered("x".repeat(300_000))).toMatch(/^<div><pre/);
});

test("citations stand where they were, whatever Markdown is around them", () => {
  const text = "**Open 【0†L1】** and `【code】` 【9†L1】";
  const cite = (found: string): { readonly start_index: number; readonly end_index: number } => {
    const start_index = text.indexOf(found);
    return { start_index, end_index: start_index + found.length };
  };
  const html = rendered(text, [
    {
      type: "url_citation",
      ...cite("【0†L1】"),
      url: "javascript:alert(1)",
      title: "<b>Title</b>",
      cursor: 0,
      lines: [{ first: 1, last: 2 }],
      quote: "a \u202e quote",
      sha256: "",
    },
    {
      type: "broken_citation",
      ...cite("【9†L1】"),
      reason: "unknown_cursor",
      message: "No page <9>.",
    },
  ]);
  expect(dangers(html)).toEqual([]);
  const { document } = parseHTML(`<body>${html}</body>`);
  expect(document.querySelector("strong .mark")?.textContent).toBe("[1]");
  expect(document.querySelector("strong .source")?.textContent).toContain("<b>Title</b>");
  expect(document.querySelector("strong .source")?.textContent).toContain("a <U+202E> quote");
  expect([...document.querySelectorAll(".mark")].map((mark) => mark.textContent)).toEqual([
    "[1]",
    "[2?]",
  ]);
  expect(document.querySelector("code")?.textContent).toBe("【code】");
});

test("a tree of JSON shows names and values as text, and stops", () => {
  let deep: unknown = "end";
  for (let level = 0; level < 500; level++) deep = { level: deep };
  const value = {
    "<img src=x>": "<script>\u202e",
    list: Array.from({ length: 1000 }, (_, at) => at),
    deep,
  };
  const html = renderToString(h(JsonTree, { value }));
  expect(dangers(html.replace(/<button[^>]*>/g, ""))).toEqual([]);
  expect(html).toContain("&lt;script>&lt;U+202E>");
  expect(html).toContain("900 more");
});

test.each([
  ["https://example.com/a?b#c", "https://example.com/a?b#c"],
  ["http://example.com", "http://example.com/"],
  ["https://user:secret@example.com/", null],
  ["javascript:alert(1)", null],
  [" https://example.com", null],
  ["https://", null],
  ["ftp://example.com/", null],
])("the address %j", (text, url) => {
  expect(safeUrl(text)).toBe(url);
});
