/** Blocks of code in Markdown, as the tests of the documents need them. */

export type Block = {
  /** What stands behind the opening fence: the language, and for a file its name. */
  readonly info: string;
  readonly text: string;
};

export type Command = {
  readonly line: string;
  /** Lines that the document shows as its output. */
  readonly output: readonly string[];
};

export function codeBlocks(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(([, info = "", text = ""]) => ({
    info: info.trim(),
    text,
  }));
}

/** The commands of a `console` block: lines behind `$ `, gone on with by lines behind `> `. */
export function commandsOf(text: string): readonly Command[] {
  const commands: { line: string; output: string[] }[] = [];
  for (const line of text.trimEnd().split("\n")) {
    const last = commands.at(-1);
    if (line.startsWith("$ ")) commands.push({ line: line.slice(2), output: [] });
    else if (last === undefined) throw new Error(`output before a command: ${line}`);
    else if (line.startsWith("> ")) last.line += `\n${line.slice(2)}`;
    else last.output.push(line);
  }
  return commands;
}
