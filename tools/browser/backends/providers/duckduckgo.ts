/**
 * DuckDuckGo's page of results without scripts, which needs no key. It answers a robot, or what it takes for one,
 * with a challenge (status 202).
 *
 * Source: the pages of html.duckduckgo.com.
 */
import { SearchProviderError } from "../errors.ts";
import { elements, first, hasClass, line, parse } from "../markup.ts";
import type { ProviderDefinition } from "../provider.ts";

export const duckduckgo: ProviderDefinition = {
  name: "duckduckgo",
  title: "DuckDuckGo",
  endpoint: "https://html.duckduckgo.com/html/",
  most: 30,
  format: "html",
  request: ({ text }, endpoint) => ({ url: new URL(endpoint), form: { q: text } }),
  read: (html) => {
    const root = parse(String(html));
    const hits = [...elements(root, "div", "result")]
      .filter((result) => !hasClass(result, "result--ad"))
      .flatMap((result) => {
        const link = first(result, "a", "result__a");
        const url = targetOf(link?.attributes["href"] ?? "");
        if (url === null) return [];
        const summary = line(first(result, null, "result__snippet"));
        return [{ url, title: line(link), summary }];
      });
    const isAnswer = hits.length > 0 || first(root, null, "no-results") !== undefined;
    const isChallenge =
      first(root, null, "anomaly-modal__title") !== undefined || /anomaly\.js/.test(String(html));
    if (!isAnswer && isChallenge) {
      throw new SearchProviderError(
        "CHORALE_SEARCH_BLOCKED",
        "duckduckgo",
        "asks whether a person is searching (a captcha), so it gives no results for now.",
      );
    }
    if (!isAnswer) {
      throw new SearchProviderError(
        "CHORALE_SEARCH_FAILED",
        "duckduckgo",
        "answered with a page in which no results can be recognised.",
      );
    }
    return hits;
  },
};

/** Results lead over a page of DuckDuckGo's, with the address as a parameter; advertisements have none. */
function targetOf(href: string): string | null {
  const url = URL.parse(href, "https://duckduckgo.com/");
  if (url === null) return null;
  const isOwn = url.hostname === "duckduckgo.com" || url.hostname.endsWith(".duckduckgo.com");
  if (!isOwn) return url.href;
  return url.pathname === "/l/" ? url.searchParams.get("uddg") : null;
}
