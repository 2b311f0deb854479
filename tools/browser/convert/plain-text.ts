/** Documents that are shown line by line: plain text and code, JSON, tables of values. */
import { parse } from "papaparse";
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

/** One line a row, as tables of other documents are shown. */
export function tableToPage(source: TextSource): PageContent {
  const { data, errors } = parse<string[]>(source.text.replace(/^\ufeff/, ""), {
    skipEmptyLines: "greedy",
    ...(/\.(?:tsv|tab)$/i.test(source.url) && { delimiter: "\t" }),
  });
  // What cannot be read as a table is shown as it is.
  if (errors.some(({ type }) => type === "Quotes")) return textToPage(source);
  const rows = data.map((row) => row.map((cell) => cell.replace(/\s+/g, " ").trim()).join(" | ").trimEnd());
  return textToPage({ ...source, text: rows.join("\n") });
}
