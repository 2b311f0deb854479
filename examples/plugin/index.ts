/**
 * A plugin: this code runs in an isolate, in a process of its own. It has no files, no network and no
 * environment but what its package.json asks for and the user grants:
 *
 *     npx chorale run --plugin examples/plugin --grant fs:read:examples/plugin/notes \
 *       "Search my notes for green tea."
 */
import { defineTool, fs, granted, type PluginTool } from "chorale/plugin";

const LONGEST_LINE = 200;
const MOST_LINES = 20;

const searchNotes: PluginTool = defineTool<{ query: string }>({
  name: "search_notes",
  description: "Finds lines of the user's notes that hold all of the words.",
  inputSchema: {
    type: "object",
    properties: { query: { type: "string", description: "Words, with blanks between them" } },
    required: ["query"],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true },
  async execute({ query }, context) {
    const wanted = query.toLowerCase().split(/\s+/);
    const found: { file: string; line: number; text: string }[] = [];
    for (const folder of granted.fs.read) {
      for (const { name, kind } of await fs.list(folder)) {
        if (kind !== "file" || !name.endsWith(".md") || context.cancelled) continue;
        const lines = (await fs.readText(`${folder}/${name}`)).split("\n");
        for (const [at, text] of lines.entries()) {
          const held = text.toLowerCase();
          if (wanted.every((word) => held.includes(word))) {
            found.push({ file: name, line: at + 1, text: text.slice(0, LONGEST_LINE) });
          }
        }
      }
    }
    return found.slice(0, MOST_LINES);
  },
});

export default searchNotes;
