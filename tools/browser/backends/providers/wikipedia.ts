/**
 * Wikipedia's own search, which needs no key. `wikipedia:de` asks the German one.
 *
 * Source: MediaWiki's API, action=query with list=search.
 */
import { SearchProviderError } from "../errors.ts";
import { at, isObject, objects, text } from "../json.ts";
import { plainText } from "../markup.ts";
import type { ProviderDefinition } from "../provider.ts";

/** Wikimedia's rule for programs: their name, and where to find who made them. */
const USER_AGENT = "chorale (https://github.com/chorale-ai/chorale)";

/** @param language of the Wikipedia, as its host has it */
export function wikipedia(language = "en"): ProviderDefinition {
  const name = language === "en" ? "wikipedia" : `wikipedia:${language}`;
  const site = `https://${language}.wikipedia.org`;
  return {
    name,
    title: "Wikipedia",
    endpoint: `${site}/w/api.php`,
    most: 50,
    format: "json",
    request: ({ text, count }, endpoint) => {
      const url = new URL(endpoint);
      url.search = new URLSearchParams({
        ...{ action: "query", list: "search", format: "json", formatversion: "2" },
        srsearch: text,
        srlimit: String(count),
      }).toString();
      return { url, headers: { "user-agent": USER_AGENT } };
    },
    read: (json) => {
      const error = at(json, "error");
      if (isObject(error)) {
        const isBusy = /ratelimited|maxlag/.test(text(error["code"]));
        throw new SearchProviderError(
          isBusy ? "CHORALE_SEARCH_LIMIT" : "CHORALE_SEARCH_FAILED",
          name,
          `does not search (${text(error["info"]).slice(0, 200) || "it does not say why"}).`,
        );
      }
      return objects(at(json, "query", "search")).map((result) => {
        const title = text(result["title"]);
        return {
          url: `${site}/wiki/${encodeURIComponent(title.replaceAll(" ", "_")).replace(/%(2F|3A|2C)/g, decodeURIComponent)}`,
          title,
          summary: plainText(text(result["snippet"])),
        };
      });
    },
  };
}
