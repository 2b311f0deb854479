/** Tables of values (CSV, TSV). */
import papaparse from "papaparse";
import type { PageContent } from "../page.ts";
import { type TextSource, textToPage } from "./plain-text.ts";

/** One line a row, as tables of other documents are shown. */
export function tableToPage(source: TextSource): PageContent {
  const { data, errors } = papaparse.parse<string[]>(source.text.replace(/^\ufeff/, ""), {
    skipEmptyLines: "greedy",
    ...(/\.(?:tsv|tab)$/i.test(source.url) && { delimiter: "\t" }),
  });
  // What cannot be read as a table is shown as it is.
  if (errors.some(({ type }) => type === "Quotes")) return textToPage(source);
  const rows = data.map((row) =>
    row
      .map((cell) => cell.replace(/\s+/g, " ").trim())
      .join(" | ")
      .trimEnd(),
  );
  return textToPage({ ...source, text: rows.join("\n") });
}
