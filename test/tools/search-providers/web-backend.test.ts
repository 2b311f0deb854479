/** The web beside a folder of documents: several searches as one, and pages that are fetched. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openWebBackend } from "../../../tools/browser/backends/open-backend.ts";
import {
  type BrowserTools,
  createBrowserTools,
  type SearchProvider,
  SearchProviderError,
  type WebOptions,
} from "../../../tools/index.ts";
import { callBrowser, folderWith } from "../browser-support.ts";
import { serve } from "../web/loopback.ts";
import { answer, serveSearch } from "./service.ts";

/** A provider that finds what it is told to, or fails with a sentence. */
const finds = (name: string, found: readonly string[] | string): SearchProvider => ({
  name,
  search: async () => {
    if (typeof found === "string") {
      throw new SearchProviderError("CHORALE_SEARCH_FAILED", name, found);
    }
    return found.map((url) => ({ url, title: `${name} ${url}`, summary: "" }));
  },
  close: async () => {},
});

async function open(options: WebOptions, docs?: string): Promise<BrowserTools> {
  const browser = await createBrowserTools({ docs, web: options });
  onTestFinished(() => browser.close());
  return browser;
}

const search = async (browser: BrowserTools): Promise<string> =>
  (await callBrowser(browser, "browser.search", { query: "lamp" })).text;

describe("a search", () => {
  it("asks all, merges what they find, and says once who did not answer", async () => {
    const notes: string[] = [];
    const browser = await open({
      search: ["one", "two", "broken"],
      providers: [
        finds("one", ["https://a.example/", "https://b.example/"]),
        finds("two", ["https://www.b.example"]),
        finds("broken", "is asleep."),
      ],
      onNote: (sentence) => notes.push(sentence),
    });
    const text = await search(browser);
    expect(text.match(/【\d+†[^】]*】/g)).toEqual([
      "【0†two https://www.b.example†www.b.example】",
      "【1†one https://a.example/†a.example】",
    ]);
    await search(browser);
    expect(notes).toEqual(["broken is asleep."]);
  });

  it("takes the first that answers of those between slashes", async () => {
    const browser = await open({
      search: ["broken/one/two"],
      providers: [
        finds("one", ["https://a.example/"]),
        finds("two", ["https://b.example/"]),
        finds("broken", "is asleep."),
      ],
    });
    const text = await search(browser);
    expect(text).toContain("one https://a.example/");
    expect(text).not.toContain("b.example");
  });

  it("that finds nothing since no one answered tells the model why", async () => {
    const providers = [finds("one", "wants a key."), finds("two", "is asleep.")];
    const browser = await open({ search: ["one/two"], providers });
    expect(await callBrowser(browser, "browser.search", { query: "lamp" })).toEqual({
      text: "Error during search for `lamp`: one wants a key. two is asleep.",
      isError: true,
    });
  });

  it("covers the folder of documents as well, whose results lead to the passage", async () => {
    await using folder = await folderWith({
      "notes/lamp.md": `# Notes\n\n${"Nothing here.\n\n".repeat(200)}The lamp was lit in 1868.\n`,
    });
    const providers = [finds("one", ["https://a.example/"])];
    const browser = await open({ search: ["one"], providers }, folder.path);
    expect(await search(browser)).toMatch(
      /【0†Notes】 .*\n.*【1†one https:\/\/a\.example\/†a\.example】/,
    );
    const opened = await callBrowser(browser, "browser.open", { id: 0 });
    expect(opened.text).toContain("lamp was lit");
    expect((await callBrowser(browser, "browser.open", { id: "notes/lamp.md" })).text).toContain(
      "L2: # Notes",
    );
  });
});

it("what services answer is not in the cache of pages, nor what they were asked with", async () => {
  await using folder = await folderWith({});
  const service = await serveSearch(() => ({
    headers: { "content-type": "application/json", "cache-control": "public, max-age=3600" },
    body: answer("searxng.json"),
  }));
  const cache = { path: join(folder.path, "pages.sqlite") };
  const browser = await open({ searxng: service.url, client: { cache } });
  expect(await search(browser)).toContain("The lamp & the tide");
  expect(await search(browser)).toContain("The lamp & the tide");
  expect(service.asked).toHaveLength(2);
  expect(readdirSync(folder.path)).toEqual([]);
});

describe("names", () => {
  it("that cannot be used are said, with what there is", () => {
    const openWith = (options: WebOptions): unknown =>
      openWebBackend({ env: {}, ...options }, null);
    expect(() => openWith({ search: ["duckduckgoo"] })).toThrow(
      'There is no search named "duckduckgoo"; did you mean duckduckgo? Accepted: local, searxng, ' +
        "duckduckgo, mojeek, wikipedia, brave, tavily, exa, you, ollama, google, " +
        "wikipedia:LANGUAGE, and A/B for B where A does not answer.",
    );
    expect(() => openWith({ search: ["local"] })).toThrow("needs a folder of documents");
    expect(() => openWith({ search: ["searxng"] })).toThrow("needs the address of a server");
    expect(() => openWith({ search: ["nonsense"] })).toThrow('named "nonsense". Accepted: local, ');
    expect(() => openWith({ searxng: "http://me:secret@x" })).toThrow(
      "An address with a user name is no address of a SearXNG server; accepted: http://localhost:8888.",
    );
    expect(() => openWith({ searxng: "ftp://x" })).toThrow("is no address of a SearXNG server");
    expect(() => openWith({ search: ["brave"] })).toThrow(
      "Searching with brave (Brave Search) needs BRAVE_API_KEY or BRAVE_SEARCH_API_KEY in the environment.",
    );
    expect(() => openWith({ search: ["Wikipedia:de", "duckduckgo/mojeek"] })).not.toThrow();
  });
});

describe("a page", () => {
  const page =
    (body: string | Buffer, type = "text/html"): Parameters<typeof serve>[0][string] =>
    (_, response) =>
      response.writeHead(200, { "content-type": type }).end(body);

  async function browse(routes: Parameters<typeof serve>[0]) {
    const site = await serve(routes);
    const browser = await open({
      search: ["one"],
      providers: [finds("one", [])],
      client: {
        resolve: async () => ["127.0.0.1"],
        allowPrivateHosts: [`*.test:${site.port}`],
      },
    });
    const show = async (input: object): Promise<string> =>
      (await callBrowser(browser, "browser.open", input)).text;
    return { site, show, browser };
  }

  it("is fetched, converted and followed by its links; another cursor keeps what it showed", async () => {
    let visits = 0;
    const { site, show } = await browse({
      "/": (request, response) =>
        page(`<title>Home ${++visits}</title><h1>Lamps</h1><p><a href="/a">The first</a>`)(
          request,
          response,
        ),
      "/a": page("# A\n\nPlain *text*.", "text/markdown"),
      "/robots.txt": page("", "text/plain"),
    });
    expect(await show({ id: site.at("/") })).toMatch(/^\[0\] Home 1 \(http:\/\/site\.test:\d+\/\)/);
    expect(await show({ id: 0 })).toContain("L2: # A");
    expect(await show({ id: site.at("/") })).toContain("[2] Home");
    expect(await show({ cursor: 0 })).toContain("[3] Home 1");
  });

  it("that is none is told with the reason", async () => {
    const { site, show } = await browse({
      "/empty": page(""),
      "/picture": page(Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"), "image/png"),
      "/robots.txt": page("", "text/plain"),
    });
    const failed = async (path: string): Promise<string> => {
      const url = site.at(path);
      return (await show({ id: url })).replaceAll(url, "URL");
    };
    expect(await failed("/missing")).toBe(
      "Error fetching URL `URL`: the server answered 404 (there is no such page).",
    );
    expect(await failed("/empty")).toBe("Error fetching URL `URL`: the server sent an empty page.");
    expect(await failed("/picture")).toBe(
      "Error fetching URL `URL`: it cannot be read: a picture (PNG).",
    );
    expect(await show({ id: "ftp://site.test/a" })).toBe(
      "Error fetching URL `ftp://site.test/a`: it is no URL; accepted: http:// or https://.",
    );
    expect(await show({ id: "http://127.0.0.1:8080/" })).toMatch(
      /was not asked: its address .* is loopback/,
    );
  });
});
