/** Documents that are shown line by line: plain text and code, JSON. */
import { type PageContent, urlHeading } from "../page.ts";
import { cleanText } from "../text/clean-text.ts";

export type TextSource = {
  readonly text: string;
  readonly url: string;
  readonly title: string;
};

export function textToPage({ text, url, title }: TextSource): PageContent {
  const body = cleanText(text.replace(/^\ufeff/, "")).replace(/\s+$/, "");
  return { url, title, text: urlHeading(url) + body, links: [] };
}

/** JSON on one line is for programs: it is laid out for a reader. */
export function jsonToPage(source: TextSource): PageContent {
  const isOneLine = !source.text.trim().includes("\n");
  if (!isOneLine) return textToPage(source);
  try {
    return textToPage({ ...source, text: JSON.stringify(JSON.parse(source.text), null, 1) });
  } catch {
    return textToPage(source);
  }
}
