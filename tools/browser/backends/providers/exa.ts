/** Source: Exa's API, POST /search with highlights. */
import { at, joined, objects, text } from "../json.ts";
import type { ProviderDefinition } from "../provider.ts";

export const exa: ProviderDefinition = {
  name: "exa",
  title: "Exa",
  endpoint: "https://api.exa.ai/search",
  variables: [["EXA_API_KEY"]],
  most: 100,
  format: "json",
  request: ({ text: query, count }, endpoint, [key = ""]) => ({
    url: new URL(endpoint),
    headers: { "x-api-key": key },
    body: { query, numResults: count, contents: { highlights: true } },
  }),
  read: (json) =>
    objects(at(json, "results")).map((result) => ({
      url: text(result["url"]),
      title: text(result["title"]),
      summary: joined(result["highlights"]) || text(result["summary"]) || text(result["text"]),
    })),
};
