/**
 * Jupyter notebooks: the cells in order, code and its output as preformatted text.
 *
 * Source: the notebook format, version 4 (nbformat), and its predecessor with worksheets.
 */
import { stripVTControlCharacters } from "node:util";
import type { PageContent } from "../page.ts";
import { escapeHtml } from "./escape-html.ts";
import { htmlToPage } from "./html.ts";
import { markdownToHtml } from "./markdown.ts";
import { jsonToPage, type TextSource } from "./plain-text.ts";

type Json = { readonly [key: string]: unknown };

/** Lines of one output; what a cell prints in a loop says little behind them. */
const MAX_OUTPUT_LINES = 60;

export function notebookToPage(source: TextSource): PageContent {
  const cells = cellsOf(source.text);
  if (cells === null) return jsonToPage(source);
  const { text, url, title } = source;
  const html = cells.map(cellToHtml).join("\n");
  const metadata = object(object(parseJson(text))["metadata"]);
  const named = typeof metadata["title"] === "string" ? metadata["title"] : undefined;
  return htmlToPage({ html, url, title: named, fallbackTitle: title, anyHeadingIsTitle: true });
}

function cellsOf(text: string): readonly Json[] | null {
  const notebook = object(parseJson(text));
  const worksheets = list(notebook["worksheets"]);
  const cells =
    worksheets.length > 0
      ? worksheets.flatMap((sheet) => list(object(sheet)["cells"]))
      : notebook["cells"];
  return Array.isArray(cells) ? cells.map(object) : null;
}

function cellToHtml(cell: Json): string {
  const text = joined(cell["source"] ?? cell["input"]);
  switch (cell["cell_type"]) {
    case "markdown":
      return markdownToHtml(text);
    case "heading":
      return `<h${headingLevel(cell)}>${escapeHtml(text)}</h${headingLevel(cell)}>`;
    case "code":
      return (
        preformatted(text) +
        list(cell["outputs"])
          .map((output) => outputToHtml(object(output)))
          .join("")
      );
    default:
      return preformatted(text);
  }
}

function headingLevel(cell: Json): number {
  const level = cell["level"];
  return typeof level === "number" && level >= 1 && level <= 6 ? Math.floor(level) : 1;
}

/** The richest form that is text: HTML tables, Markdown, TeX, plain text. */
function outputToHtml(output: Json): string {
  const data = { ...output, ...object(output["data"]) };
  if (data["output_type"] === "error" || data["output_type"] === "pyerr") {
    return printed(joined(data["traceback"]) || `${data["ename"]}: ${data["evalue"]}`);
  }
  const html = joined(data["text/html"]);
  if (/<table/i.test(html)) return html;
  const markdown = joined(data["text/markdown"]);
  if (markdown !== "") return markdownToHtml(markdown);
  const text = joined(data["text/plain"]) || joined(data["text"]) || joined(data["text/latex"]);
  const picture = Object.keys(data).some((type) => /^image\/|^(?:png|jpeg|svg)$/.test(type));
  return (
    (text === "" ? "" : printed(text)) + (picture ? "<p><img alt='output of the cell'></p>" : "")
  );
}

function printed(text: string): string {
  const lines = stripVTControlCharacters(text).split("\n");
  const more = lines.length - MAX_OUTPUT_LINES;
  const shown = lines.slice(0, MAX_OUTPUT_LINES).join("\n");
  return preformatted(more > 0 ? `${shown}\n[${more} more lines of output]` : shown);
}

function preformatted(text: string): string {
  return text.trim() === "" ? "" : `<pre>\n${escapeHtml(text)}</pre>`;
}

/** Texts are written as one string or as a list of lines. */
function joined(value: unknown): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.filter((line) => typeof line === "string").join("") : "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return null;
  }
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
