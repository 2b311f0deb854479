/** From the bytes of a document, from a folder or from the web, to a page. */
import type { PageContent } from "../page.ts";
import { cleanAddress, decodeEscapes } from "../text/address.ts";
import { chooseTitle, disarmCitations } from "../text/clean-text.ts";
import { decodeText } from "./charset.ts";
import { BINARY_KINDS, charsetOf, type DocumentKind, documentKind } from "./document-kind.ts";
import { htmlToPage } from "./html.ts";
import { jsonToPage, type TextSource, textToPage } from "./plain-text.ts";

/** What a source of pages gives: a file of a folder, an answer of a server. */
export type DocumentSource = {
  /** Address of the page: on the web, or its path below the folder, with forward slashes. */
  readonly url: string;
  readonly bytes: Uint8Array;
  /** As a server names it; without it the name and the bytes decide. */
  readonly contentType?: string;
};

/**
 * Converts one document. Links lead to web addresses, or to paths of the same folder, whether or not
 * there is a document.
 *
 * @throws an error whose message says why the document has no text
 */
export async function extractPage(document: DocumentSource): Promise<PageContent> {
  const page = await convert(document);
  return { ...page, text: disarmCitations(page.text) };
}

async function convert(document: DocumentSource): Promise<PageContent> {
  const { bytes, contentType } = document;
  const url = cleanAddress(document.url);
  const title = nameOf(url);
  const kind = documentKind(url, bytes, contentType);
  if (BINARY_KINDS.has(kind)) return convertBytes(kind, bytes, url, title);
  const markup = kind === "html" || kind === "xml";
  const { text, warning } = await decodeText(bytes, charsetOf(contentType), markup);
  const page = await convertText(kind, { text, url, title });
  return warning === undefined ? page : { ...page, warnings: [...(page.warnings ?? []), warning] };
}

/** Converters that bring a library of their own are loaded when a document needs them. */
async function convertText(kind: DocumentKind, source: TextSource): Promise<PageContent> {
  const { text, url, title } = source;
  switch (kind) {
    case "html":
      return htmlToPage({ html: text, url, fallbackTitle: title });
    case "markdown":
      return (await import("./markdown.ts")).markdownToPage({
        markdown: text,
        url,
        fallbackTitle: title,
      });
    case "table":
      return (await import("./csv.ts")).tableToPage(source);
    case "json":
      return jsonToPage(source);
    case "notebook":
      return (await import("./notebook.ts")).notebookToPage(source);
    case "xml":
      return (await import("./xml.ts")).xmlToPage(source);
    default:
      return textToPage(source);
  }
}

async function convertBytes(
  kind: DocumentKind,
  bytes: Uint8Array,
  url: string,
  title: string,
): Promise<PageContent> {
  if (kind === "pdf") return (await import("./pdf.ts")).pdfToPage(bytes, url, title);
  if (kind === "docx") return (await import("./docx.ts")).docxToPage(bytes, url, title);
  return (await import("./mime.ts")).mimeToPage(bytes, { url, title });
}

/** The last part of an address, or all of it. */
function nameOf(url: string): string {
  const path = url.replace(/[?#].*$/s, "").replace(/\/+$/, "");
  return chooseTitle([decodeEscapes(path.slice(path.lastIndexOf("/") + 1)), url]);
}
