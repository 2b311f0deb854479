/** Source: You.com's API, GET /v1/search. */
import { at, joined, objects, text } from "../json.ts";
import type { ProviderDefinition } from "../provider.ts";

export const you: ProviderDefinition = {
  name: "you",
  title: "You.com",
  endpoint: "https://api.ydc-index.io/v1/search",
  variables: [["YDC_API_KEY"]],
  most: 100,
  format: "json",
  request: ({ text, count }, endpoint, [key = ""]) => {
    const url = new URL(endpoint);
    url.search = new URLSearchParams({ query: text, count: String(count) }).toString();
    return { url, headers: { "x-api-key": key } };
  },
  read: (json) =>
    [...objects(at(json, "results", "web")), ...objects(at(json, "results", "news"))].map(
      (result) => ({
        url: text(result["url"]),
        title: text(result["title"]),
        summary: joined(result["snippets"]) || text(result["description"]),
      }),
    ),
};
