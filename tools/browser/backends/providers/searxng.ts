/**
 * SearXNG and searx, on a server of the user's own. JSON is asked for first; many servers have it turned off and
 * answer 403, or a page, and then the page for people is read.
 *
 * Source: SearXNG's documentation of its search API; the pages of its themes `simple` and `oscar`.
 */
import type { SearchHit } from "../../backend.ts";
import { SearchProviderError } from "../errors.ts";
import { type HttpProviderOptions, httpProvider } from "../http-provider.ts";
import { at, objects, text } from "../json.ts";
import { type Element, elements, first, line, parse } from "../markup.ts";
import type { ProviderDefinition, ProviderQuery, SearchProvider } from "../provider.ts";

const COMMON = { name: "searxng", title: "SearXNG", endpoint: "", most: 50 } as const;

const JSON_API: ProviderDefinition = {
  ...COMMON,
  format: "json",
  request: (query, endpoint) => ({ url: searchUrl(query, endpoint, "json") }),
  read: (json) =>
    objects(at(json, "results")).map((result) => ({
      url: text(result["url"]),
      title: text(result["title"]),
      summary: text(result["content"]),
    })),
};

/** The class of the body, in every theme; the tree of a page has no body. */
const RESULT_PAGE = /<body[^>]{0,200}\bresults_endpoint\b/i;

const PAGES: ProviderDefinition = {
  ...COMMON,
  format: "html",
  request: (query, endpoint) => ({ url: searchUrl(query, endpoint) }),
  read: (html) => {
    const root = parse(String(html));
    const results = [...elements(root, null, "result")].flatMap(hitOf);
    if (results.length > 0 || RESULT_PAGE.test(String(html))) return results;
    throw new SearchProviderError(
      "CHORALE_SEARCH_FAILED",
      "searxng",
      "answered with a page that is none of results; is the address that of a SearXNG server?",
    );
  },
};

/** @param options `endpoint`: the address of the server, with the folder below which it lies */
export function searxng(
  options: HttpProviderOptions & { readonly endpoint: string },
): SearchProvider {
  const json = httpProvider(JSON_API, { ...options, isPrivate: true });
  const pages = httpProvider(PAGES, { ...options, isPrivate: true });
  /** The server has no JSON: it is not asked for it again. */
  let hasJson = true;
  return {
    name: "searxng",
    async search(query, topn, signal) {
      if (hasJson) {
        try {
          return await json.search(query, topn, signal);
        } catch (error) {
          if (!isWithoutJson(error)) throw error;
        }
      }
      const hits = await pages.search(query, topn, signal);
      hasJson = false;
      return hits;
    },
    async close() {
      await Promise.all([json.close(), pages.close()]);
    },
  };
}

function isWithoutJson(error: unknown): boolean {
  return (
    error instanceof SearchProviderError &&
    (error.code === "CHORALE_SEARCH_BLOCKED" || /instead of JSON/.test(error.message))
  );
}

function searchUrl({ text }: ProviderQuery, endpoint: string, format?: string): URL {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/(?:search\/?)?$/, "")}/search`;
  url.search = new URLSearchParams({ q: text, ...(format && { format }) }).toString();
  return url;
}

function hitOf(result: Element): readonly SearchHit[] {
  const heading = first(result, "h3") ?? first(result, "h4");
  const link = first(heading, "a");
  const url = link?.attributes["href"];
  if (url === undefined) return [];
  const summary = first(result, "p", "content") ?? first(result, "p", "result-content");
  return [{ url, title: line(link), summary: line(summary) }];
}
