/** Documents that are shown line by line: plain text and code, JSON. */
import { type PageContent, urlHeading } from "../page.ts";
import { cleanText } from "../text/clean-text.ts";
import { htmlToPage } from "./html.ts";
import { jsonFeedToHtml } from "./json-feed.ts";

export type TextSource = {
  readonly text: string;
  readonly url: string;
  readonly title: string;
};

export function textToPage({ text, url, title }: TextSource): PageContent {
  const body = cleanText(text.replace(/^\ufeff/, "")).replace(/\s+$/, "");
  return { url, title, text: urlHeading(url) + body, links: [] };
}

/** Feeds as the pages that they are; JSON on one line is for programs: it is laid out for a reader. */
export function jsonToPage(source: TextSource): PageContent {
  const feed = source.text.includes("jsonfeed.org") ? jsonFeedToHtml(parsed(source.text)) : null;
  if (feed !== null) {
    const { url, title } = source;
    return htmlToPage({ html: feed.html, url, title: feed.title, fallbackTitle: title });
  }
  const isOneLine = !source.text.trim().includes("\n");
  if (!isOneLine) return textToPage(source);
  const value = parsed(source.text);
  if (value === undefined) return textToPage(source);
  return textToPage({ ...source, text: JSON.stringify(value, null, 1) });
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
