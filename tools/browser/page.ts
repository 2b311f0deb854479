/**
 * A page as the model sees it: text with numbered links, wrapped into lines that it can cite.
 *
 * Source of the format: the simple_browser tool of openai/gpt-oss.
 */
import { LINE_WIDTH, type Line, wrapText } from "./text/wrap.ts";

/** What the conversion of a document makes. Plain data: it can be stored as JSON. */
export type PageContent = {
  /** Empty for pages that are no document: search results. */
  readonly url: string;
  readonly title: string;
  readonly text: string;
  /** `links[id]` is the target of `【id†…】` in the text. */
  readonly links: readonly PageLink[];
  /** Where a fragment of the address leads: name → offset in the text, in UTF-16 units. */
  readonly anchors?: { readonly [name: string]: number };
  /** Offset at which the content ends and navigation, footers and the like begin; absent: all is content. */
  readonly mainEnd?: number;
  /** Characters left out because no reader sees them. */
  readonly hiddenCharacters?: number;
  /** What a person should know of how the document was read: a guessed encoding, a part cut off. */
  readonly warnings?: readonly string[];
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

/** Which call made a page; results of search and find are not searched again. */
export type PageKind = "document" | "search" | "find";

export type Page = PageContent & {
  /** The text wrapped. A line that starts where the one before ended continues its paragraph. */
  readonly lines: readonly Line[];
  readonly kind: PageKind;
};

export function createPage(content: PageContent, kind: PageKind): Page {
  return { ...content, kind, lines: wrapText(content.text, LINE_WIDTH) };
}

/** The line in which an offset of the text lies. */
export function lineAt(page: Page, offset: number): number {
  let low = 0;
  let high = page.lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((page.lines[middle]?.start ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The paragraph that heads every page, as in the reference. */
export function withUrlHeading(url: string, text: string): string {
  return `${urlHeading(url)}${text}`;
}

export function urlHeading(url: string): string {
  return `\nURL: ${url}\n`;
}
