/** Source: Brave Search API, Web Search. */
import { at, joined, objects, text } from "../json.ts";
import { plainText } from "../markup.ts";
import type { ProviderDefinition } from "../provider.ts";

/** Of a query; a longer one is refused. */
const MOST_CHARACTERS = 400;
const MOST_WORDS = 50;

export const brave: ProviderDefinition = {
  name: "brave",
  title: "Brave Search",
  endpoint: "https://api.search.brave.com/res/v1/web/search",
  variables: [["BRAVE_API_KEY", "BRAVE_SEARCH_API_KEY"]],
  most: 20,
  format: "json",
  request: ({ text, count }, endpoint, [key = ""]) => {
    const url = new URL(endpoint);
    const query = text.slice(0, MOST_CHARACTERS).split(/\s+/).slice(0, MOST_WORDS).join(" ");
    url.search = new URLSearchParams({ q: query, count: String(count) }).toString();
    return { url, headers: { "x-subscription-token": key } };
  },
  read: (json) =>
    objects(at(json, "web", "results")).map((result) => ({
      url: text(result["url"]),
      title: plainText(text(result["title"])),
      summary: plainText(
        [text(result["description"]), joined(result["extra_snippets"])].filter(Boolean).join(" "),
      ),
    })),
};
