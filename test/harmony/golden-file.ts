/** Golden files are Markdown: a case per `## heading`, options as `key: value` lines, fenced blocks. */

export type Section = {
  readonly name: string;
  option(key: string): string | undefined;
  /** The text of the fenced block of this language, without its last line break. */
  block(language: string): string;
};

export function readSections(markdown: string): Section[] {
  const sections: { name: string; lines: string[] }[] = [];
  let fenced = false;
  for (const line of markdown.split("\n")) {
    if (line.startsWith("```")) fenced = !fenced;
    if (!fenced && line.startsWith("## ")) sections.push({ name: line.slice(3), lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections.map(({ name, lines }) => ({
    name,
    option: (key) => lines.find((line) => line.startsWith(`${key}: `))?.slice(key.length + 2),
    block: (language) => {
      const start = lines.indexOf(`\`\`\`${language}`);
      const end = lines.indexOf("```", start);
      if (start === -1 || end === -1) throw new Error(`${name}: no block of ${language}`);
      return lines.slice(start + 1, end).join("\n");
    },
  }));
}
