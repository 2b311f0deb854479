/** What kind of document some bytes are: by content type, name, and what they begin with. */

export type DocumentKind =
  | "html"
  | "markdown"
  | "table"
  | "json"
  | "notebook"
  | "xml"
  | "mime"
  | "pdf"
  | "docx"
  | "text";

const BY_EXTENSION: readonly (readonly [RegExp, DocumentKind])[] = [
  [/\.(?:html?|xhtml?|xht|shtml)$/i, "html"],
  [/\.(?:md|markdown|mdown|mkd|mkdn|mdx|qmd|rmd)$/i, "markdown"],
  [/\.(?:csv|tsv|tab)$/i, "table"],
  [/\.(?:json|geojson|jsonld|webmanifest|har)$/i, "json"],
  [/\.ipynb$/i, "notebook"],
  [/\.(?:rss|atom|rdf|xml|opml|svg)$/i, "xml"],
  [/\.(?:mht(?:ml)?|eml)$/i, "mime"],
  [/\.pdf$/i, "pdf"],
  [/\.docx$/i, "docx"],
];

const BY_TYPE: readonly (readonly [RegExp, DocumentKind])[] = [
  [/^(?:text\/html|application\/xhtml\+xml)$/, "html"],
  [/^text\/(?:x-)?markdown$/, "markdown"],
  [/^text\/(?:csv|tab-separated-values)$/, "table"],
  [/^application\/x-ipynb\+json$/, "notebook"],
  [/^(?:application\/json|text\/json|application\/[\w.+-]+\+json)$/, "json"],
  [/^(?:application|text)\/(?:xml|rss\+xml|atom\+xml|rdf\+xml|[\w.+-]+\+xml)$/, "xml"],
  [/^(?:multipart\/related|message\/rfc822)$/, "mime"],
  [/^application\/pdf$/, "pdf"],
  [/^application\/vnd\.openxmlformats-officedocument\.wordprocessingml\.document$/, "docx"],
];

const FEED =
  /^[\s\ufeffï»¿]*(?:<\?xml[^>]*>\s*)?(?:<\?[^>]{0,300}>\s*)*(?:<!--[\s\S]{0,500}?-->\s*)?<(?:rss|feed|rdf:RDF|urlset|sitemapindex|opml)[\s>]/i;

/** Kinds whose bytes are not a text in some character set. */
export const BINARY_KINDS: ReadonlySet<DocumentKind> = new Set(["pdf", "docx", "mime"]);

/**
 * @param contentType  as the transport names it, without which the name decides
 */
export function documentKind(url: string, bytes: Uint8Array, contentType?: string): DocumentKind {
  const head = latin1(bytes, 1024);
  if (head.startsWith("%PDF-")) return "pdf";
  const type = contentType?.split(";")[0]?.trim().toLowerCase();
  const typed = type === undefined ? undefined : BY_TYPE.find(([pattern]) => pattern.test(type));
  // Feeds and sitemaps are often sent as HTML.
  if (FEED.test(head) && (typed === undefined || typed[1] === "html")) return "xml";
  if (typed !== undefined) return typed[1];
  // Servers send what they do not know as plain text.
  const path = url.replace(/[?#].*$/s, "");
  const named = BY_EXTENSION.find(([pattern]) => pattern.test(path))?.[1];
  if (named !== undefined) return named;
  if (
    /^[\s\ufeffï»¿]*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]{0,500}?-->\s*)?<(?:!doctype\s+html|html|frameset)\b/i.test(
      head,
    )
  ) {
    return "html";
  }
  return "text";
}

/** The first bytes, each as a character. */
export function latin1(bytes: Uint8Array, length: number): string {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, length));
  return head.toString("latin1");
}

/** The character set in a content type. */
export function charsetOf(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(contentType ?? "")?.[1];
}
