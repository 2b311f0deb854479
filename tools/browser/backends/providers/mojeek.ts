/**
 * Mojeek's page of results: an index of its own, which needs no key.
 *
 * Source: the pages of www.mojeek.com.
 */
import { SearchProviderError } from "../errors.ts";
import { elements, first, line, parse } from "../markup.ts";
import type { ProviderDefinition } from "../provider.ts";

export const mojeek: ProviderDefinition = {
  name: "mojeek",
  title: "Mojeek",
  endpoint: "https://www.mojeek.com/search",
  most: 10,
  format: "html",
  request: ({ text }, endpoint) => {
    const url = new URL(endpoint);
    url.search = new URLSearchParams({ q: text }).toString();
    return { url };
  },
  read: (html) => {
    const root = parse(String(html));
    const list = first(root, "ul", "results-standard");
    const hits = list
      ? [...elements(list, "li")].flatMap((result) => {
          const link = first(first(result, "h2"), "a");
          const url = link?.attributes["href"];
          return url === undefined
            ? []
            : [{ url, title: line(link), summary: line(first(result, "p", "s")) }];
        })
      : [];
    if (list !== undefined || /no pages found|no results found/i.test(line(root))) return hits;
    const isBlocked = /automated queries|captcha|unusual traffic/i.test(line(root));
    throw new SearchProviderError(
      isBlocked ? "CHORALE_SEARCH_BLOCKED" : "CHORALE_SEARCH_FAILED",
      "mojeek",
      isBlocked
        ? "takes the request for one of a robot, so it gives no results for now."
        : "answered with a page in which no results can be recognised.",
    );
  },
};
