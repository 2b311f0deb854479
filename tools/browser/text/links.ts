/**
 * The markup of links in a page, `【id†anchor】` or `【id†anchor†domain】`: giving out ids, and
 * taking the markup off.
 *
 * Source of the format: the simple_browser tool of openai/gpt-oss.
 */
/** Global: to be used with methods that set its place themselves. */
export const LINK: RegExp = /【(\d+)†([^†】]+)(?:†[^†】]+)?】/g;

/** The text with links replaced by their anchors. */
export function stripLinks(text: string): string {
  return text.includes("【") ? text.replace(LINK, "$2") : text;
}

/** Where link markup stands in a text: the parts that are not the anchor. */
export function linkMarkup(text: string): readonly { start: number; end: number }[] {
  const markup: { start: number; end: number }[] = [];
  for (const match of text.matchAll(LINK)) {
    const anchor = match[2] ?? "";
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

  get links(): readonly { readonly url: string }[] {
    return [...this.#ids.keys()].map((url) => ({ url }));
  }
}
