/**
 * A page as the model sees it: text with numbered links, wrapped into lines that it can cite.
 *
 * Source of the format: the simple_browser tool of openai/gpt-oss.
 */

/** What an extractor makes of a document. */
export type PageContent = {
  /** Empty for pages that are no document: search results. */
  readonly url: string;
  readonly title: string;
  readonly text: string;
  /** `links[id]` is the target of `【id†…】` in the text. */
  readonly links: readonly PageLink[];
};

export type PageLink = {
  readonly url: string;
  /** Where in the target the link leads: a passage found by search, a match of `find`. */
  readonly target?: LinkTarget;
};

export type LinkTarget = {
  readonly line: number;
  /** `match`: always go there. `passage`: only when the page does not fit in one view anyway. */
  readonly kind: "match" | "passage";
};

export type Page = PageContent & {
  /** The text wrapped. A line that starts where the one before ended continues its paragraph. */
  readonly lines: readonly Line[];
  /** Which call made it; results of search and find are not searched again. */
  readonly kind: "document" | "search" | "find";
};

export type Line = {
  readonly text: string;
  /** Offset of the line in the text of the page, in UTF-16 units. */
  readonly start: number;
};

/** Columns of a line, in code points. The model was trained on this width. */
export const LINE_WIDTH = 80;

export function createPage(content: PageContent, kind: Page["kind"]): Page {
  return { ...content, kind, lines: wrapText(content.text, LINE_WIDTH) };
}

/**
 * Makes a text safe to stand in a page: brackets and the square that the page format uses for itself
 * become look-alikes, characters that only confuse (zero-width space, the supplementary plane with its
 * pictures, control characters) go, line ends become line feeds.
 */
export function cleanText(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(/\r\n?|[\u2028\u2029\f\v]/g, "\n")
      .replaceAll("【", "〖")
      .replaceAll("】", "〗")
      .replaceAll("◼", "◾")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
      .replace(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u200b\u{10000}-\u{1ffff}]/gu, "")
  );
}

/** Characters of a title: it heads every view of the page. */
const MAX_TITLE_CHARACTERS = 200;

/** The first of some texts that has anything to show, on one line. */
export function chooseTitle(candidates: readonly (string | undefined)[]): string {
  for (const candidate of candidates) {
    const title = cleanText(candidate ?? "")
      .replace(/\s+/g, " ")
      .trim();
    if (title !== "") return title.slice(0, MAX_TITLE_CHARACTERS).toWellFormed();
  }
  return "";
}

/** The paragraph that heads every page, as in the reference. */
export function withUrlHeading(url: string, text: string): string {
  return `\nURL: ${url}\n${text}`;
}

const LINK = /【\d+†([^†】]+)(?:†[^†】]+)?】/g;

/** The text with links replaced by their anchors. */
export function stripLinks(text: string): string {
  return text.replace(LINK, "$1");
}

/** Where link markup stands in a text: the parts that are not the anchor. */
export function linkMarkup(text: string): readonly { start: number; end: number }[] {
  const markup: { start: number; end: number }[] = [];
  for (const match of text.matchAll(LINK)) {
    const anchor = match[1] ?? "";
    const anchorStart = match.index + match[0].indexOf("†") + 1;
    markup.push({ start: match.index, end: anchorStart });
    markup.push({ start: anchorStart + anchor.length, end: match.index + match[0].length });
  }
  return markup;
}

/** Gives out the ids of a page's links: dense, in order of first occurrence, one per target. */
export class LinkTable {
  readonly #ids = new Map<string, number>();

  /** @param domain  shown when the link leaves the page's own site */
  mark(url: string, anchor: string, domain: string | null): string {
    let id = this.#ids.get(url);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(url, id);
    }
    const text = anchor.replaceAll("†", "‡");
    return domain === null ? `【${id}†${text}】` : `【${id}†${text}†${domain}】`;
  }

  get links(): readonly PageLink[] {
    return [...this.#ids.keys()].map((url) => ({ url }));
  }
}

/**
 * Wraps at word ends, at most `width` code points a line; words longer than a line are broken where
 * the line ends. Blank space is kept where it is, so nothing of the text is lost.
 */
export function wrapText(text: string, width: number): readonly Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (const paragraph of text.split("\n")) {
    wrapParagraph(paragraph, start, width, lines);
    start += paragraph.length + 1;
  }
  return lines;
}

/** A run of blanks, or a word up to and with a hyphen inside it. The bound keeps the matcher's stack small. */
const CHUNK = /\s{1,256}|(?:[^\s-]|-(?!\p{L})){1,256}-?|-/gu;

function wrapParagraph(paragraph: string, offset: number, width: number, lines: Line[]): void {
  let lineStart = 0;
  let lineWidth = 0;
  let at = 0;
  const endLine = (): void => {
    lines.push({ text: paragraph.slice(lineStart, at), start: offset + lineStart });
    lineStart = at;
    lineWidth = 0;
  };
  for (const [chunk] of paragraph.matchAll(CHUNK)) {
    const chunkWidth = countCodePoints(chunk);
    if (chunkWidth <= width) {
      if (lineWidth > 0 && lineWidth + chunkWidth > width) endLine();
      at += chunk.length;
      lineWidth += chunkWidth;
      continue;
    }
    for (const character of chunk) {
      if (lineWidth === width) endLine();
      at += character.length;
      lineWidth++;
    }
  }
  if (lineWidth > 0 || paragraph === "") endLine();
}

function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
