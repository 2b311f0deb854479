/** From the bytes of a file to a page: which kind of document it is, its encoding, its links. */
import { decodePath, findDocument } from "./document-path.ts";
import { htmlToPage, type LinkResolver } from "./html.ts";
import { markdownToPage } from "./markdown.ts";
import { chooseTitle, cleanText, type PageContent, withUrlHeading } from "./page.ts";

export type DocumentSource = {
  /** Path below the folder, with forward slashes. */
  readonly url: string;
  readonly bytes: Uint8Array;
};

/** @param urls  every document of the folder: links between them work, links to anything else are text */
export function extractPage(document: DocumentSource, urls: ReadonlySet<string>): PageContent {
  const { url } = document;
  const kind = kindOf(url);
  const text = decodeText(document.bytes, kind === "html");
  const resolve = localResolver(url, urls);
  const fallbackTitle = chooseTitle([url.slice(url.lastIndexOf("/") + 1), url]);
  if (kind === "html" || (kind === "text" && /^\s*<(!doctype\s+html|html)\b/i.test(text))) {
    return htmlToPage({ html: text, url, fallbackTitle, resolve });
  }
  if (kind === "markdown") return markdownToPage({ markdown: text, url, fallbackTitle, resolve });
  const body = cleanText(text).trimEnd();
  return { url, title: fallbackTitle, text: withUrlHeading(url, body), links: [] };
}

function kindOf(url: string): "html" | "markdown" | "text" {
  if (/\.(x?html?|xht)$/i.test(url)) return "html";
  return /\.(md|markdown|mdown|mkd|mdx)$/i.test(url) ? "markdown" : "text";
}

/**
 * By byte order mark, then what an HTML document says of itself, then UTF-8; what is not valid UTF-8
 * is Windows-1252, which every sequence of bytes is.
 */
export function decodeText(bytes: Uint8Array, html: boolean): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  const declared = html ? declaredEncoding(bytes) : null;
  for (const label of [declared, "utf-8"]) {
    if (label === null) continue;
    try {
      return new TextDecoder(label, { fatal: true }).decode(bytes);
    } catch {
      // An unknown label or bytes that do not fit it: the next guess.
    }
  }
  return new TextDecoder("windows-1252").decode(bytes);
}

function declaredEncoding(bytes: Uint8Array): string | null {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  return /<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]{1,40})/i.exec(head)?.[1] ?? null;
}

/** Resolves references of one document against the documents of its folder. */
function localResolver(from: string, urls: ReadonlySet<string>): LinkResolver {
  // A made-up origin lets the URL parser do the work; paths above the folder end at its root.
  const base = `http://folder.invalid/${from.split("/").map(encodeURIComponent).join("/")}`;
  return (href) => {
    const target = URL.parse(href, base);
    if (target === null) return null;
    if (target.host !== "folder.invalid") {
      const web = target.protocol === "http:" || target.protocol === "https:";
      return web ? { url: target.href, domain: target.host } : null;
    }
    const url = findDocument(decodePath(target.pathname.slice(1)), urls);
    return url === null || url === from ? null : { url, domain: null };
  };
}
