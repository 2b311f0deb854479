/** Source: Google's Custom Search JSON API (a Programmable Search Engine). The key can only go in the URL. */
import { at, objects, text } from "../json.ts";
import type { ProviderDefinition } from "../provider.ts";

export const google: ProviderDefinition = {
  name: "google",
  title: "Google Programmable Search",
  endpoint: "https://www.googleapis.com/customsearch/v1",
  variables: [["GOOGLE_API_KEY"], ["GOOGLE_CSE_ID"]],
  most: 10,
  format: "json",
  request: ({ text, count }, endpoint, [key = "", engine = ""]) => {
    const url = new URL(endpoint);
    url.search = new URLSearchParams({ key, cx: engine, q: text, num: String(count) }).toString();
    return { url };
  },
  read: (json) =>
    objects(at(json, "items")).map((result) => ({
      url: text(result["link"]),
      title: text(result["title"]),
      summary: text(result["snippet"]),
    })),
};
