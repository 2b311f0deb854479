/** Each service against a server that answers in its shape. */
import { describe, expect, it } from "vitest";
import type { ProviderDefinition } from "../../../tools/browser/backends/provider.ts";
import { brave } from "../../../tools/browser/backends/providers/brave.ts";
import { duckduckgo } from "../../../tools/browser/backends/providers/duckduckgo.ts";
import { exa } from "../../../tools/browser/backends/providers/exa.ts";
import { google } from "../../../tools/browser/backends/providers/google.ts";
import { mojeek } from "../../../tools/browser/backends/providers/mojeek.ts";
import { ollama } from "../../../tools/browser/backends/providers/ollama.ts";
import { tavily } from "../../../tools/browser/backends/providers/tavily.ts";
import { wikipedia } from "../../../tools/browser/backends/providers/wikipedia.ts";
import { you } from "../../../tools/browser/backends/providers/you.ts";
import type { SearchHit, SearchProvider } from "../../../tools/index.ts";
import { type Asked, answer, KEYS, providerAt, serveSearch } from "./service.ts";

const signal = new AbortController().signal;
const LAMP: SearchHit = {
  url: "https://tide.example/lamp",
  title: "The lamp & the tide",
  summary: "How the lamp was lit in 1868.",
};

type Case = {
  readonly definition: ProviderDefinition;
  readonly file: string;
  readonly hits: readonly SearchHit[];
  /** Parts of the request for five results of "tide lamp". */
  readonly request: Partial<Asked>;
  readonly headers?: Readonly<Record<string, string>>;
  /** An answer without results. */
  readonly empty: string;
};

const bearer = (name: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${KEYS[name]}`,
  "content-type": "application/json",
});

const CASES: readonly Case[] = [
  {
    definition: brave,
    file: "brave.json",
    hits: [{ ...LAMP, summary: "How the lamp was lit in 1868. It burned oil." }],
    request: { method: "GET", path: "/res/v1/web/search", query: { q: "tide lamp", count: "5" } },
    headers: { "x-subscription-token": String(KEYS["BRAVE_API_KEY"]) },
    empty: '{"type":"search","query":{"original":"x"}}',
  },
  {
    definition: tavily,
    file: "tavily.json",
    hits: [LAMP],
    request: {
      method: "POST",
      path: "/search",
      body: '{"query":"tide lamp","max_results":5,"search_depth":"basic"}',
    },
    headers: bearer("TAVILY_API_KEY"),
    empty: '{"query":"x","results":[]}',
  },
  {
    definition: exa,
    file: "exa.json",
    hits: [LAMP],
    request: {
      method: "POST",
      path: "/search",
      body: '{"query":"tide lamp","numResults":5,"contents":{"highlights":true}}',
    },
    headers: { "x-api-key": "key-of-exa", "content-type": "application/json" },
    empty: '{"results":[]}',
  },
  {
    definition: you,
    file: "you.json",
    hits: [LAMP, { url: "https://news.example/a", title: "News", summary: "Lamp lit again." }],
    request: { method: "GET", path: "/v1/search", query: { query: "tide lamp", count: "5" } },
    headers: { "x-api-key": "key-of-you" },
    empty: '{"results":{},"metadata":{}}',
  },
  {
    definition: ollama,
    file: "ollama.json",
    hits: [LAMP],
    request: {
      method: "POST",
      path: "/api/web_search",
      body: '{"query":"tide lamp","max_results":5}',
    },
    headers: bearer("OLLAMA_API_KEY"),
    empty: '{"results":[]}',
  },
  {
    definition: google,
    file: "google.json",
    hits: [LAMP],
    request: {
      method: "GET",
      path: "/customsearch/v1",
      query: {
        key: String(KEYS["GOOGLE_API_KEY"]),
        cx: "engine-of-google",
        q: "tide lamp",
        num: "5",
      },
    },
    empty: '{"kind":"customsearch#search","searchInformation":{"totalResults":"0"}}',
  },
  {
    definition: wikipedia("de"),
    file: "wikipedia.json",
    hits: [
      {
        url: "https://de.wikipedia.org/wiki/AC/DC_lamp%3F",
        title: "AC/DC lamp?",
        summary: "How the lamp & the tide",
      },
      { url: "https://de.wikipedia.org/wiki/F%C3%B6hr:_tides", title: "Föhr: tides", summary: "" },
    ],
    request: {
      method: "GET",
      path: "/w/api.php",
      query: {
        ...{ action: "query", list: "search", format: "json", formatversion: "2" },
        srsearch: "tide lamp",
        srlimit: "5",
      },
    },
    headers: { "user-agent": "chorale (https://github.com/chorale-ai/chorale)" },
    empty: '{"batchcomplete":true,"query":{"searchinfo":{"totalhits":0},"search":[]}}',
  },
  {
    definition: duckduckgo,
    file: "duckduckgo.html",
    hits: [
      { ...LAMP, url: "https://tide.example/lamp?a=1&b=2" },
      { url: "https://plain.example/", title: "Plain link", summary: "Without the page between." },
    ],
    request: { method: "POST", path: "/html/", body: "q=tide+lamp" },
    headers: { "content-type": "application/x-www-form-urlencoded" },
    empty: answer("duckduckgo-empty.html"),
  },
  {
    definition: mojeek,
    file: "mojeek.html",
    hits: [LAMP],
    request: { method: "GET", path: "/search", query: { q: "tide lamp" } },
    empty: "<html><body><p>No pages found matching: <b>xyzzy</b></p></body></html>",
  },
];

/** What a search fails with. */
async function failure(provider: SearchProvider): Promise<{ code: string; message: string }> {
  const error: unknown = await provider
    .search("tide lamp", 5, signal)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ provider: provider.name });
  // Neither what is shown of the error nor what lies behind it holds a key.
  const shown = JSON.stringify([String(error), (error as Error).cause?.toString(), error]);
  for (const key of Object.values(KEYS)) expect(shown).not.toContain(key);
  return error as { code: string; message: string };
}

describe.each(CASES)("$definition.name", ({ definition, file, hits, request, headers, empty }) => {
  const isHtml = definition.format === "html";
  const type = isHtml ? "text/html; charset=UTF-8" : "application/json";
  const ok = { headers: { "content-type": type } };
  const hasKey = definition.variables !== undefined;

  it("is asked as it wants, and its results are read", async () => {
    const service = await serveSearch(() => ({ ...ok, body: answer(file) }));
    const provider = providerAt(definition, service.url);
    expect(await provider.search("tide lamp", 5, signal)).toEqual(hits);
    expect(service.asked).toHaveLength(1);
    expect(service.asked[0]).toMatchObject({ ...request, headers: headers ?? {} });
    expect(await provider.search("tide lamp", 1, signal)).toEqual(hits.slice(0, 1));
  });

  it("may find nothing", async () => {
    const service = await serveSearch(() => ({ ...ok, body: empty }));
    expect(await providerAt(definition, service.url).search("xyzzy", 5, signal)).toEqual([]);
  });

  it.each([401, 403])("says when it is refused (%i)", async (status) => {
    // As services do that repeat the request: with its key.
    const service = await serveSearch(({ headers, query }) => {
      const asked = JSON.stringify([
        headers["authorization"],
        headers["x-api-key"],
        query,
        headers,
      ]);
      return { ...ok, status, body: JSON.stringify({ error: { message: asked } }) };
    });
    const { code, message } = await failure(providerAt(definition, service.url));
    expect(code).toBe(hasKey ? "CHORALE_SEARCH_KEY" : "CHORALE_SEARCH_BLOCKED");
    expect(message).toContain(String(status));
    if (hasKey) expect(message).toContain(String(definition.variables?.[0]?.[0]));
  });

  it("says when there were too many requests", async () => {
    const service = await serveSearch(() => ({
      ...{ status: 429, headers: { "content-type": type, "retry-after": "0" } },
      body: JSON.stringify({ detail: { error: "Slow down." } }),
    }));
    const { code, message } = await failure(providerAt(definition, service.url));
    expect(code).toBe("CHORALE_SEARCH_LIMIT");
    expect(message).toContain("(429: Slow down.)");
  });

  it.each([400, 500, 502])("says when it fails (%i)", async (status) => {
    const service = await serveSearch(() => ({ status, body: "<h1>Bad</h1>" }));
    const { code, message } = await failure(providerAt(definition, service.url));
    expect(code).toBe("CHORALE_SEARCH_FAILED");
    expect(message).toContain(`(${status})`);
  });

  it("takes nothing else for its answer", async () => {
    const service = await serveSearch(() => ({
      headers: { "content-type": "text/html" },
      body: "<!DOCTYPE html><title>Log in</title><p>Welcome to the hotel's network",
    }));
    const { code, message } = await failure(providerAt(definition, service.url));
    expect(code).toBe("CHORALE_SEARCH_FAILED");
    expect(message).toMatch(isHtml ? /no results can be recognised/ : /HTML instead of JSON/);
  });

  it("reads an answer of another shape as one without results", async () => {
    if (isHtml) return;
    const shapes = ["[]", "null", "1", '{"results":7,"items":[null,1,{"link":5}],"web":[]}'];
    let next = 0;
    const service = await serveSearch(() => ({ ...ok, body: shapes[next++] ?? "" }));
    const provider = providerAt(definition, service.url);
    for (const _ of shapes) expect(await provider.search("q", 5, signal)).toEqual([]);
  });

  it("says when it is not there", async () => {
    const { code } = await failure(providerAt(definition, "http://127.0.0.1:1"));
    expect(code).toBe("CHORALE_SEARCH_FAILED");
  });

  it("ends when it is cancelled", async () => {
    const service = await serveSearch(() => ({ ...ok, body: answer(file) }));
    const stopped = AbortSignal.abort(new Error("stopped"));
    await expect(
      providerAt(definition, service.url).search("q", 5, stopped),
    ).rejects.not.toMatchObject({ code: "CHORALE_SEARCH_FAILED" });
    expect(service.asked).toEqual([]);
  });
});

describe("keys", () => {
  it("are needed where a service wants one, and the message says which", () => {
    for (const { definition } of CASES) {
      const { variables } = definition;
      if (variables === undefined) continue;
      for (const names of variables) {
        const env = { ...KEYS, ...Object.fromEntries(names.map((name) => [name, " "])) };
        expect(() => providerAt(definition, "http://127.0.0.1:1", env)).toThrow(
          `needs ${names.join(" or ")} in the environment`,
        );
      }
    }
  });

  it("may have another usual name", async () => {
    const service = await serveSearch(() => ({ body: answer("brave.json") }));
    const env = { BRAVE_SEARCH_API_KEY: "other" };
    await providerAt(brave, service.url, env).search("q", 1, signal);
    expect(service.asked[0]?.headers["x-subscription-token"]).toBe("other");
  });

  it("do not go where a service redirects to", async () => {
    const other = await serveSearch(() => ({ body: "{}" }));
    const service = await serveSearch(() => ({
      status: 302,
      headers: { location: `${other.url}/stolen` },
    }));
    for (const { definition } of CASES) {
      const { message } = await failure(providerAt(definition, service.url));
      expect(message).toMatch(/cannot be asked: .* was not asked/);
    }
    expect(other.asked).toEqual([]);
  });

  it("are in no result, also where the service repeats them", async () => {
    const key = String(KEYS["GOOGLE_API_KEY"]);
    const link = `https://evil.example/?k=${encodeURIComponent(key)}`;
    const body = JSON.stringify({ items: [{ link, title: key, snippet: `is ${key}` }] });
    const service = await serveSearch(() => ({ body }));
    const hits = await providerAt(google, service.url).search("q", 5, signal);
    expect(hits).toEqual([{ url: "https://evil.example/?k=…", title: "…", summary: "is …" }]);
  });
});

describe("a refusal for robots", () => {
  it("of DuckDuckGo is told as what it is", async () => {
    const body = answer("duckduckgo-challenge.html");
    const service = await serveSearch(() => ({ status: 202, body }));
    const { code, message } = await failure(providerAt(duckduckgo, service.url));
    expect(code).toBe("CHORALE_SEARCH_BLOCKED");
    expect(message).toBe(
      "duckduckgo asks whether a person is searching (a captcha), so it gives no results for now.",
    );
  });

  it("of Mojeek is told as what it is", async () => {
    const body = answer("mojeek-blocked.html");
    const service = await serveSearch(() => ({ status: 200, body }));
    const { code } = await failure(providerAt(mojeek, service.url));
    expect(code).toBe("CHORALE_SEARCH_BLOCKED");
  });
});

it("an error of Wikipedia that comes with status 200 is one", async () => {
  const error = { code: "ratelimited", info: "You've exceeded your rate limit." };
  const service = await serveSearch(() => ({ body: JSON.stringify({ error }) }));
  const { code, message } = await failure(providerAt(wikipedia(), service.url));
  expect(code).toBe("CHORALE_SEARCH_LIMIT");
  expect(message).toBe("wikipedia does not search (You've exceeded your rate limit.).");
});
