import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pageHash, type ShownRecord } from "../../tools/browser/browser-session.ts";
import {
  type BrowserBackend,
  BrowserSession,
  type BrowserTools,
  createBrowserTools,
  executeTool,
  type JsonValue,
} from "../../tools/index.ts";
import { callBrowser, toolContext } from "./browser-support.ts";

const DOCS = new URL("../fixtures/docs", import.meta.url).pathname;
const GOLDEN = new URL("../golden/browser/session.txt", import.meta.url);

describe("a conversation over a folder", () => {
  it("is what the golden file says", async () => {
    const golden = readFileSync(GOLDEN, "utf8");
    const browser = await createBrowserTools({ docs: DOCS });
    const seen: string[] = [];
    for (const line of golden.split("\n").filter((each) => /^(#|>>> )/.test(each))) {
      const call = /^>>> (\S+) (.*)$/.exec(line);
      // Pages have lines with # too, but always after their number.
      if (call === null) {
        seen.push(line);
        continue;
      }
      const { text, isError } = await callBrowser(
        browser,
        call[1] ?? "",
        JSON.parse(call[2] ?? ""),
      );
      seen.push(`\n${line}\n${isError ? "! " : ""}${text.replace(/[ ]+$/gm, "")}`);
    }
    await browser.close();
    const actual = `${seen.join("\n").replace(/\n(# Refusals)/, "\n\n$1")}\n`;
    if (process.env["UPDATE_GOLDEN"]) writeFileSync(GOLDEN, actual);
    expect(actual).toBe(golden);
  });
});

describe("arguments", () => {
  let browser: BrowserTools;
  beforeAll(async () => {
    browser = await createBrowserTools({ docs: DOCS });
  });
  afterAll(() => browser.close());

  const run = async (recipient: string, json: string): Promise<string> => {
    const tool = browser.tools.find((each) => each.recipient === recipient);
    if (tool === undefined) throw new Error(recipient);
    return (await executeTool(tool, json, toolContext())).text;
  };

  it("are taken with unknown keys, numbers as strings and nulls", async () => {
    const found = await run(
      "browser.search",
      '{"query": "lens", "topn": "1", "source": "web", "recency_days": 7}',
    );
    expect(found).toContain("【0†The lens of the Skerry lighthouse】");
    expect(found).not.toContain("【1†");
    const opened = await run(
      "browser.open",
      '{"id": "0", "cursor": null, "loc": "2", "num_lines": 1, "view_source": false}',
    );
    expect(opened).toMatch(/\*\*viewing lines \[2 - 2\] of \d+\*\*\n\nL2: # The lens/);
  });

  it("may be left out to scroll the latest page", async () => {
    await run("browser.open", '{"id": "collection/lens.md"}');
    expect(await run("browser.open", "")).toContain("The lens of the Skerry lighthouse");
  });

  it("are refused with the reason when they mean nothing", async () => {
    expect(await run("browser.open", '{"cursor": 1.5}')).toBe(
      "`cursor` should be an integer, not `float`",
    );
    expect(await run("browser.search", "{}")).toContain("query");
  });
});

describe("the session", () => {
  it("has no page to show at first", async () => {
    const browser = await createBrowserTools({ docs: DOCS });
    const { text, isError } = await callBrowser(browser, "browser.open", {});
    expect({ text, isError }).toEqual({ text: "No pages to access!", isError: true });
    await browser.close();
  });

  it("keeps every page as it was shown", async () => {
    let version = 0;
    const backend: BrowserBackend = {
      search: async (query) => [{ url: "https://a.example/x", title: query, summary: "s" }],
      open: async (url) => ({ url, title: "t", text: `version ${++version}`, links: [] }),
      close: async () => {},
    };
    const browser = await createBrowserTools({ backend });
    await callBrowser(browser, "browser.search", { query: "first" });
    await callBrowser(browser, "browser.search", { query: "second" });
    await callBrowser(browser, "browser.open", { id: "https://a.example/x" });
    await callBrowser(browser, "browser.open", { id: "https://a.example/x" });
    const shown = async (cursor: number): Promise<string> =>
      (await callBrowser(browser, "browser.open", { cursor })).text;
    expect(await shown(0)).toContain("【0†first†a.example】");
    expect(await shown(1)).toContain("【0†second†a.example】");
    expect(await shown(2)).toContain("version 1");
    expect(await shown(3)).toContain("version 2");
  });

  it("tells the model why the backend failed, and lets an abort through", async () => {
    const backend: BrowserBackend = {
      search: async () => Promise.reject(new Error("the index is gone")),
      open: async (_url, signal) => {
        signal.throwIfAborted();
        throw new Error("never");
      },
      close: async () => {},
    };
    const browser = await createBrowserTools({ backend });
    expect(await callBrowser(browser, "browser.search", { query: "x" })).toEqual({
      text: "Error during search for `x`: the index is gone",
      isError: true,
    });
    const signal = AbortSignal.abort(new Error("stopped by the user"));
    await expect(
      callBrowser(browser, "browser.open", { id: "a.md" }, { ...toolContext(), signal }),
    ).rejects.toThrow("stopped by the user");
  });

  it("closes its backend once", async () => {
    let closed = 0;
    const backend: BrowserBackend = {
      search: async () => [],
      open: async () => Promise.reject(new Error("nothing here")),
      close: async () => {
        closed++;
      },
    };
    const { tools, close } = await createBrowserTools({ backend });
    for (const tool of tools) await tool.close?.();
    await close();
    expect(closed).toBe(1);
  });
});

describe("what the reference does wrong is not repeated", () => {
  const backend: BrowserBackend = {
    search: async (query) => [{ url: "https://a.example/x", title: query, summary: "s" }],
    open: async (url) => ({
      url,
      title: "t",
      text: `one\ntwo ${url}\nthree`,
      links: [],
    }),
    close: async () => {},
  };
  const run = async (browser: BrowserTools, name: string, input: object): Promise<string> =>
    (await callBrowser(browser, `browser.${name}`, input)).text;

  it("keys without a meaning are named, and nothing else happens", async () => {
    const browser = await createBrowserTools({ backend });
    const plain = await run(browser, "search", { query: "q" });
    const other = await run(browser, "search", {
      query: "q",
      recency: 7,
      "x\ny": 1,
      source: "web",
    });
    expect(other).toBe(
      `${plain.replace("[0]", "[1]")}\n\n[Ignored, since there is no such parameter: \`recency\`, \`x y\`.]`,
    );
    const opened = await run(browser, "open", { id: "https://a.example/x", view_source: true });
    expect(opened).not.toContain("Ignored");
  });

  it("a number as text is a link, a cursor below the first is none", async () => {
    const browser = await createBrowserTools({ backend });
    await run(browser, "search", { query: "q" });
    expect(await run(browser, "open", { id: " 0 " })).toContain("two https://a.example/x");
    for (const [input, text] of [
      [{ cursor: -2 }, "Cursor `-2` is out of range. Available cursor indices: [0 - 1]."],
      [{ cursor: 2 }, "Cursor `2` is out of range. Available cursor indices: [0 - 1]."],
      [{ id: 7, cursor: 0 }, "Invalid link id `7`."],
      [{ id: -5, cursor: 0 }, "Invalid link id `-5`."],
      [{ id: [1] }, "Invalid link id `[1]`."],
      [{ loc: 99 }, "Invalid location parameter: `99`. Cannot exceed page maximum of `2`."],
      [{ cursor: "x" }, "`cursor` should be an integer, not `str`"],
      [{ cursor: [] }, "`cursor` should be an integer, not `list`"],
      [{ cursor: {} }, "`cursor` should be an integer, not `dict`"],
      [{ loc: true }, "`loc` should be an integer, not `bool`"],
      [{ num_lines: 0.5 }, "`num_lines` should be an integer, not `float`"],
    ] as const) {
      const output = await callBrowser(browser, "browser.open", input);
      expect(output).toEqual({ text, isError: true });
    }
    expect(await run(browser, "find", { pattern: "two", cursor: 0 })).toBe(
      "Cannot run `find` on search results page or find results page",
    );
  });

  it("a match leads into the page that was searched, also when it was opened anew since", async () => {
    let version = 0;
    const changing: BrowserBackend = {
      ...backend,
      open: async (url) => ({ url, title: "t", text: `a\nb\nversion ${++version}`, links: [] }),
    };
    const browser = await createBrowserTools({ backend: changing });
    await run(browser, "open", { id: "https://a.example/x" });
    await run(browser, "find", { pattern: "version" });
    await run(browser, "open", { id: "https://a.example/x" });
    expect(await run(browser, "open", { id: 0, cursor: 1 })).toContain("version 1");
  });

  it("asks for lines and gets them, however many tokens a view usually takes", async () => {
    const long: BrowserBackend = {
      ...backend,
      open: async (url) => ({ url, title: "t", text: "word ".repeat(12_000), links: [] }),
    };
    const browser = await createBrowserTools({ backend: long });
    const shown = async (input: object, limit: number): Promise<number> => {
      const { text } = await callBrowser(browser, "browser.open", input, toolContext(limit));
      return text.match(/^L\d+: /gm)?.length ?? 0;
    };
    const url = "https://a.example/long";
    const automatic = await shown({ id: url }, 100_000);
    expect(automatic).toBeGreaterThan(20);
    expect(automatic).toBeLessThan(60);
    expect(await shown({ id: url, num_lines: 300 }, 100_000)).toBe(300);
    // What the context has no space for is not shown.
    expect(await shown({ id: url, num_lines: 300 }, 400)).toBeLessThan(20);
  });
});

describe("the session of a conversation", () => {
  /** Calls as a thread makes them: each gets what those before it left, as JSON. */
  async function conversation(
    browser: BrowserTools,
    calls: readonly (readonly [string, object])[],
    left: unknown[] = [],
  ): Promise<readonly string[]> {
    const texts: string[] = [];
    for (const [name, input] of calls) {
      const threadState = JSON.parse(JSON.stringify(left)) as JsonValue[];
      const context = { ...toolContext(), threadState };
      const output = await callBrowser(browser, `browser.${name}`, input, context);
      texts.push(output.text);
      if (output.threadState !== undefined) left.push(output.threadState);
    }
    return texts;
  }
  const calls = [
    ["search", { query: "winter" }],
    ["open", { id: 0 }],
    ["find", { pattern: "winter" }],
    ["open", { cursor: 1 }],
  ] as const;

  it("goes on in another process, where old cursors mean the same pages", async () => {
    const left: unknown[] = [];
    const first = await createBrowserTools({ docs: DOCS });
    await conversation(first, calls, left);
    const there = await conversation(first, [["open", { id: 0, cursor: 2 }]], [...left]);
    const cited = (records: readonly unknown[]): unknown =>
      BrowserSession.of(records).page(1)?.lines[6];
    await first.close();

    const second = await createBrowserTools({ docs: DOCS });
    expect(second.session.length).toBe(0);
    expect(await conversation(second, [["open", { id: 0, cursor: 2 }]], [...left])).toEqual(there);
    expect(cited(JSON.parse(JSON.stringify(left)))).toEqual(cited(left));
    await second.close();
  });

  it("keeps conversations apart that use the same tools", async () => {
    const browser = await createBrowserTools({ docs: DOCS });
    const [one, other]: [unknown[], unknown[]] = [[], []];
    await conversation(browser, calls, one);
    expect(await conversation(browser, [["open", {}]], other)).toEqual(["No pages to access!"]);
    await conversation(browser, [["open", { id: "collection/lens.md" }]], other);
    expect(BrowserSession.of(one).page(0)?.kind).toBe("search");
    expect(BrowserSession.of(other).page(0)?.title).toBe("The lens of the Skerry lighthouse");
    await browser.close();
  });

  it("has each page once, with its hash and the lines that were shown", async () => {
    const browser = await createBrowserTools({ docs: DOCS });
    const left: unknown[] = [];
    await conversation(
      browser,
      [
        ["open", { id: "collection/lens.md", num_lines: 3 }],
        ["open", { loc: 3, num_lines: 2 }],
        ["open", { loc: 9, num_lines: 1 }],
      ],
      left,
    );
    expect(left.filter((record) => "content" in (record as object))).toHaveLength(1);
    const session = BrowserSession.of(left);
    expect(session.page(2)).toMatchObject({ kind: "document", url: "collection/lens.md" });
    expect(session.page(2)?.sha256).toBe(session.page(0)?.sha256);
    expect(session.shownLines(1)).toEqual([
      { first: 0, last: 4 },
      { first: 9, last: 9 },
    ]);
    expect(session.page(3)).toBeUndefined();
    expect(session.shownLines(3)).toEqual([]);
    await browser.close();
  });

  it("shows no page in the place of one that was changed or is missing", async () => {
    const left: ShownRecord[] = [];
    await using made = await createBrowserTools({ docs: DOCS });
    await conversation(made, [["open", { id: "collection/lens.md" }], ...calls], left);
    const [page, ...others] = left as [ShownRecord, ...ShownRecord[]];
    const forged = { ...page, content: { ...page.content, text: "other" } };
    const broken = [null, 1, {}, { ...page, kind: "x" }, { ...page, content: { url: 1 } }];
    for (const first of [forged, ...broken]) {
      await using browser = await createBrowserTools({ docs: DOCS });
      const texts = await conversation(
        browser,
        [
          ["open", { cursor: 0 }],
          ["open", { cursor: 2, num_lines: 1 }],
        ],
        [first, ...others],
      );
      expect(texts[0]).toBe(
        "The page of cursor `0` was not kept with this conversation; open it by its URL.",
      );
      expect(texts[1]).toMatch(/^\[5\] Opening hours/);
    }
  });

  it("hashes a page the same, however its keys are ordered", () => {
    const links = [{ url: "a", target: { line: 1, kind: "match" } }] as const;
    const content = { url: "u", title: "t", text: "x", links, anchors: { b: 1, "10": 2, a: 3 } };
    const other = {
      anchors: { a: 3, b: 1, "10": 2 },
      links: [{ target: { kind: "match", line: 1 }, url: "a" }],
      text: "x",
      title: "t",
      url: "u",
    } as const;
    expect(pageHash(other)).toBe(pageHash(content));
    // By sha256sum of {"anchors":{"10":2,"a":3,"b":1},"links":[{"target":{"kind":"match","line":1},"url":"a"}],…
    expect(pageHash(content)).toBe(
      "9f30f8ec1313b7e2e8cd5283ee425a0a15c1b59b175459a878a3226b86f85fce",
    );
    expect(pageHash({ ...content, title: "T" })).not.toBe(pageHash(content));
  });
});
