/** Feeds in JSON, as HTML. Source: https://www.jsonfeed.org/version/1.1/ */
import { escapeHtml } from "./escape-html.ts";

/** Entries that a page lists. */
const MAX_ENTRIES = 5000;

type Fields = { readonly [name: string]: unknown };

/** Title and HTML of a document that is a feed; null for any other. */
export function jsonFeedToHtml(value: unknown): { title: string; html: string } | null {
  if (!isFields(value) || !/^https?:\/\/(?:www\.)?jsonfeed\.org\//.test(text(value, "version")))
    return null;
  const items = Array.isArray(value["items"]) ? value["items"].slice(0, MAX_ENTRIES) : [];
  const title = text(value, "title");
  const head = `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text(value, "description"))}</p>`;
  return { title, html: head + items.filter(isFields).map(itemToHtml).join("\n") };
}

function itemToHtml(item: Fields): string {
  const url = text(item, "url") || text(item, "external_url");
  const title = escapeHtml(text(item, "title") || url || "Entry");
  const authors = Array.isArray(item["authors"]) ? item["authors"] : [item["author"]];
  const names = authors.filter(isFields).map((author) => text(author, "name"));
  const about = [text(item, "date_published"), ...names].filter(Boolean).map(escapeHtml).join(", ");
  const heading = url === "" ? title : `<a href="${escapeHtml(url)}">${title}</a>`;
  const plain = escapeHtml(text(item, "content_text") || text(item, "summary"));
  return `<h2>${heading}</h2><p>${about}</p><div>${text(item, "content_html") || plain}</div>`;
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}
