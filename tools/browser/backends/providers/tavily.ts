/** Source: Tavily's API, POST /search. */
import { at, objects, text } from "../json.ts";
import type { ProviderDefinition } from "../provider.ts";

export const tavily: ProviderDefinition = {
  name: "tavily",
  title: "Tavily",
  endpoint: "https://api.tavily.com/search",
  variables: [["TAVILY_API_KEY"]],
  most: 20,
  format: "json",
  request: ({ text: query, count }, endpoint, [key = ""]) => ({
    url: new URL(endpoint),
    headers: { authorization: `Bearer ${key}` },
    body: { query, max_results: count, search_depth: "basic" },
  }),
  read: (json) =>
    objects(at(json, "results")).map((result) => ({
      url: text(result["url"]),
      title: text(result["title"]),
      summary: text(result["content"]),
    })),
};
