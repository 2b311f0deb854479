/**
 * A plugin that is a search service: its package.json names the tool under `search`, and `--search` can name it.
 * The model does not see the tool; it searches as ever, and finds what this finds among the rest:
 *
 *     npx chorale search --plugin examples/search-plugin \
 *       --grant fs:read:examples/search-plugin/links --search links HTTP
 */
import { defineTool, fs, granted, type PluginTool } from "chorale/plugin";

const links: PluginTool = defineTool<{ query: string; topn: number }>({
  name: "links",
  description: "Finds links of the team's lists by the words of their titles.",
  inputSchema: {
    type: "object",
    properties: { query: { type: "string" }, topn: { type: "integer" } },
    required: ["query", "topn"],
  },
  annotations: { readOnlyHint: true },
  async execute({ query, topn }) {
    const wanted = query.toLowerCase().split(/\s+/);
    const found: { url: string; title: string; summary: string }[] = [];
    for (const folder of granted.fs.read) {
      for (const { name } of await fs.list(folder)) {
        for (const line of (await fs.readText(`${folder}/${name}`)).split("\n")) {
          const [url = "", ...words] = line.split(" ");
          const title = words.join(" ");
          const isFound = wanted.every((word) => title.toLowerCase().includes(word));
          if (title !== "" && isFound) found.push({ url, title, summary: `In the list ${name}.` });
        }
      }
    }
    return found.slice(0, topn);
  },
});

export default links;
