/** The files of a new plugin: a tool that works, and tests that pass. */

/** @param name  of the package, in small letters with - or _ */
export function scaffold(name: string): readonly (readonly [file: string, text: string])[] {
  const tool = name.replaceAll("-", "_");
  const manifest = {
    name,
    version: "0.1.0",
    description: "A plugin for Chorale",
    private: true,
    type: "module",
    chorale: { entry: "./index.ts", permissions: {}, tools: [tool] },
  };
  const tests = [
    {
      name: "counts words",
      tool,
      input: { text: "one two  three" },
      expect: { data: { words: 3, longest: "three" } },
    },
    {
      name: "refuses arguments that do not fit its schema",
      tool,
      input: { text: 1 },
      expect: { status: "failed", contains: "/text" },
    },
  ];
  return [
    ["package.json", json(manifest)],
    ["index.ts", entry(tool)],
    ["tests.json", json(tests)],
  ];
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function entry(tool: string): string {
  return `import { defineTool } from "chorale/plugin";

export default defineTool<{ text: string }>({
  name: "${tool}",
  description: "Counts the words of a text and names the longest.",
  inputSchema: {
    type: "object",
    properties: { text: { type: "string", description: "The text" } },
    required: ["text"],
    additionalProperties: false,
  },
  execute({ text }) {
    const words = text.split(/\\s+/).filter((word) => word !== "");
    const longest = words.reduce((a, b) => (b.length > a.length ? b : a), "");
    return { words: words.length, longest };
  },
});
`;
}
