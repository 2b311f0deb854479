/** Parts of an answer as blocks of the screen. Loaded with the first answer, since Markdown takes time to load. */
import type { AnswerPart } from "./answer-parts.ts";
import { type CodeLines, highlighter } from "./highlight.ts";
import { Markdown, type MarkdownTheme } from "./markdown-library.ts";
import type { Component } from "./terminal-library.ts";
import { shownText, wrapped } from "./text-block.ts";
import type { Theme } from "./theme.ts";

/** Makes blocks of one answer; a highlighter remembers what the lines of a code block before said. */
export class AnswerRenderer {
  readonly #theme: Theme;
  readonly #markdown: MarkdownTheme;
  #code: CodeLines | null = null;

  constructor(theme: Theme) {
    this.#theme = theme;
    this.#markdown = markdownTheme(theme);
  }

  /** The block of a finished part. */
  finished(part: AnswerPart): Component {
    if (part.type !== "code") this.#code = null;
    switch (part.type) {
      case "gap":
        return new FixedLines([""]);
      case "markdown":
        return this.#markdownBlock(part.text);
      case "code": {
        this.#code ??= highlighter(part.language, this.#theme);
        return new CodeBlock(this.#code.paint(part.lines.map(shownText)));
      }
    }
  }

  /** The block of a part that is being written: it leaves no trace. */
  unfinished(part: AnswerPart): Component {
    if (part.type === "markdown") return this.#markdownBlock(part.text);
    if (part.type === "gap") return new FixedLines([""]);
    const code = this.#code ?? highlighter(part.language, this.#theme);
    return new CodeBlock(code.peek(part.lines.map(shownText)));
  }

  #markdownBlock(text: string): Component {
    return new Markdown(withoutComments(shownText(text)), 0, 0, this.#markdown, undefined, {
      preserveOrderedListMarkers: true,
    });
  }
}

class FixedLines implements Component {
  readonly #lines: readonly string[];

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  render(): readonly string[] {
    return this.#lines;
  }

  invalidate(): void {}
}

/** Painted lines of code, indented. */
class CodeBlock implements Component {
  readonly #lines: readonly string[];

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  render(width: number): string[] {
    return this.#lines.flatMap((line) =>
      wrapped(line, Math.max(1, width - 2)).map((piece) => `  ${piece}`),
    );
  }

  invalidate(): void {}
}

/** Markdown hides HTML comments; what a model writes is shown. */
function withoutComments(text: string): string {
  return text.replaceAll("<!--", "\\<!--");
}

function markdownTheme(theme: Theme): MarkdownTheme {
  return {
    heading: theme.accent,
    link: theme.underline,
    linkUrl: theme.dim,
    code: theme.code,
    codeBlock: theme.code,
    codeBlockBorder: theme.dim,
    quote: (text) => text,
    quoteBorder: theme.dim,
    hr: theme.dim,
    listBullet: theme.accent,
    bold: theme.bold,
    italic: theme.italic,
    strikethrough: theme.strikethrough,
    underline: theme.underline,
    highlightCode: (code, language = "") => highlighter(language, theme).paint(code.split("\n")),
  };
}
