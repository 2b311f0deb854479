/** SearXNG as JSON, and as the page for people where a server gives no JSON. */
import { expect, it, onTestFinished } from "vitest";
import { searxng } from "../../../tools/browser/backends/providers/searxng.ts";
import type { SearchProvider } from "../../../tools/index.ts";
import { answer, openClient, type Reply, serveSearch } from "./service.ts";

const signal = new AbortController().signal;
const LAMP = {
  url: "https://tide.example/lamp",
  title: "The lamp & the tide",
  summary: "How the lamp was lit in 1868.",
};
const JSON_TYPE = { "content-type": "application/json" };
const HTML_TYPE = { "content-type": "text/html; charset=utf-8" };

function searxngAt(endpoint: string): SearchProvider {
  const provider = searxng({ openClient, env: {}, endpoint });
  onTestFinished(() => provider.close());
  return provider;
}

it("is asked for JSON, below the folder in which it lies", async () => {
  const service = await serveSearch(() => ({ headers: JSON_TYPE, body: answer("searxng.json") }));
  for (const path of ["", "/", "/searx", "/searx/", "/searx/search"]) {
    expect(await searxngAt(service.url + path).search("tide lamp", 5, signal)).toEqual([LAMP]);
  }
  const query = { q: "tide lamp", format: "json" };
  expect(service.asked[0]).toMatchObject({ method: "GET", path: "/search", query });
  expect(service.asked.map(({ path }) => path)).toEqual([
    ...["/search", "/search"],
    ...["/searx/search", "/searx/search", "/searx/search"],
  ]);
});

it.each([
  ["refuses it", { status: 403, headers: HTML_TYPE, body: "<h1>Forbidden</h1>" }],
  ["answers with a page", { headers: HTML_TYPE, body: answer("searxng.html") }],
] satisfies [string, Reply][])(
  "is read as a page where it %s, and not asked for JSON again",
  async (_, noJson) => {
    const service = await serveSearch(({ query }) =>
      query["format"] === "json" ? noJson : { headers: HTML_TYPE, body: answer("searxng.html") },
    );
    const provider = searxngAt(service.url);
    expect(await provider.search("tide lamp", 5, signal)).toEqual([LAMP]);
    expect(await provider.search("tide lamp", 5, signal)).toEqual([LAMP]);
    expect(service.asked.map(({ query }) => query["format"])).toEqual([
      "json",
      undefined,
      undefined,
    ]);
  },
);

it("says when it limits, fails, or is something else", async () => {
  const replies: Record<string, Reply> = {
    limit: { status: 429, body: "Too Many Requests" },
    failure: { status: 500, body: "Internal Server Error" },
    other: { headers: HTML_TYPE, body: "<title>nginx</title><h1>Welcome to nginx!</h1>" },
  };
  const service = await serveSearch(({ query }) => replies[String(query["q"])] ?? {});
  const provider = searxngAt(service.url);
  const codeOf = (query: string): Promise<unknown> =>
    provider.search(query, 5, signal).then(
      () => "none",
      ({ code }) => code,
    );
  expect(await codeOf("limit")).toBe("CHORALE_SEARCH_LIMIT");
  expect(await codeOf("failure")).toBe("CHORALE_SEARCH_FAILED");
  expect(await codeOf("other")).toBe("CHORALE_SEARCH_FAILED");
  // Nothing at all is no page of results either.
  expect(await codeOf("empty")).toBe("CHORALE_SEARCH_FAILED");
});
