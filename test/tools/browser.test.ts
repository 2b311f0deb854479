import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type BrowserBackend,
  type BrowserTools,
  createBrowserTools,
  executeTool,
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

describe("citations", () => {
  it("become address and lines; what cites no document stays", async () => {
    const browser = await createBrowserTools({ docs: DOCS });
    await callBrowser(browser, "browser.search", { query: "winter" });
    await callBrowser(browser, "browser.open", { id: 0 });
    const answer =
      "From 11:00【1†L6-L7】, see 【1†L9】 and 【1†Opening hours】; not 【0†L4】, 【7†L1】.";
    const { text, citations } = browser.normaliseCitations(answer);
    const url = "visit/opening-hours.html";
    expect(text).toBe(
      `From 11:00 (${url}, lines 6–7), see (${url}, line 9) and (${url}); not 【0†L4】, 【7†L1】.`,
    );
    expect(citations.map(({ lines }) => lines)).toEqual([
      { first: 6, last: 7 },
      { first: 9, last: 9 },
      undefined,
    ]);
    for (const { startIndex, endIndex } of citations) {
      expect(text.slice(startIndex, endIndex)).toMatch(/^\(.*\)$/);
    }
    await browser.close();
  });

  it("link to the host of a web page", async () => {
    const backend: BrowserBackend = {
      search: async () => [],
      open: async (url) => ({ url, title: "t", text: "x", links: [] }),
      close: async () => {},
    };
    const browser = await createBrowserTools({ backend });
    await callBrowser(browser, "browser.open", { id: "https://example.org/a" });
    expect(browser.normaliseCitations("So it is【0†L0】").text).toBe(
      "So it is ([example.org](https://example.org/a), line 0)",
    );
  });
});
