/** Source: Ollama's web search, POST /api/web_search. It gives whole pages as text; the provider cuts them. */
import { at, objects, text } from "../json.ts";
import type { ProviderDefinition } from "../provider.ts";

export const ollama: ProviderDefinition = {
  name: "ollama",
  title: "Ollama web search",
  endpoint: "https://ollama.com/api/web_search",
  variables: [["OLLAMA_API_KEY"]],
  most: 10,
  format: "json",
  request: ({ text: query, count }, endpoint, [key = ""]) => ({
    url: new URL(endpoint),
    headers: { authorization: `Bearer ${key}` },
    body: { query, max_results: count },
  }),
  read: (json) =>
    objects(at(json, "results")).map((result) => ({
      url: text(result["url"]),
      title: text(result["title"]),
      summary: text(result["content"]),
    })),
};
