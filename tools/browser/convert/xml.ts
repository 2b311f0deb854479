/**
 * XML documents that people read: feeds (RSS, Atom, RDF), sitemaps, lists of feeds. They are converted by
 * way of HTML; other XML is shown as it is.
 */
import { Tokenizer } from "htmlparser2";
import type { PageContent } from "../page.ts";
import { escapeHtml } from "./escape-html.ts";
import { htmlToPage } from "./html.ts";
import { parseHtml, textOf } from "./markup-tree.ts";
import { type TextSource, textToPage } from "./plain-text.ts";

export type XmlElement = {
  /** Local name, lower case. */
  readonly name: string;
  readonly attributes: { readonly [name: string]: string };
  readonly children: (XmlElement | string)[];
};

const MAX_DEPTH = 200;
/** Addresses or entries that a page lists. */
const MAX_ENTRIES = 5000;

export function xmlToPage(source: TextSource): PageContent {
  const root = parseXml(source.text);
  if (root?.name === "html") {
    return htmlToPage({ html: source.text, url: source.url, fallbackTitle: source.title });
  }
  const html = root === null ? null : toHtml(root);
  if (html === null) return textToPage(source);
  const title = root === null ? undefined : titleOf(root);
  return htmlToPage({ html, url: source.url, title, fallbackTitle: source.title });
}

function toHtml(root: XmlElement): string | null {
  switch (root.name) {
    case "rss":
    case "rdf":
    case "feed":
      return feedToHtml(root);
    case "urlset":
    case "sitemapindex":
      return sitemapToHtml(root);
    case "opml":
      return opmlToHtml(root);
    case "svg":
      return drawingToHtml(root);
    default:
      return null;
  }
}

function titleOf(root: XmlElement): string | undefined {
  const holder = root.name === "opml" ? child(root, "head") : (child(root, "channel") ?? root);
  return holder && (textIn(holder, "title") || undefined);
}

function feedToHtml(root: XmlElement): string {
  const channel = child(root, "channel") ?? root;
  const head = `<h1>${escapeHtml(textIn(channel, "title"))}</h1><p>${escapeHtml(textIn(channel, "description") || textIn(channel, "subtitle"))}</p>`;
  const entries = [
    ...children(channel, "item"),
    ...children(root, "item"),
    ...children(root, "entry"),
  ];
  const unique = [...new Set(entries)].slice(0, MAX_ENTRIES);
  return head + unique.map(entryToHtml).join("\n");
}

function entryToHtml(entry: XmlElement): string {
  const link = linkOf(entry);
  const title = escapeHtml(textIn(entry, "title") || link || "Entry");
  const date =
    ["pubdate", "published", "updated", "date"].map((name) => textIn(entry, name)).find(Boolean) ??
    "";
  const author = textIn(entry, "creator") || textIn(entry, "author");
  const about = [date, author].filter(Boolean).map(escapeHtml).join(", ");
  // Content is HTML inside of the XML, as text or as elements.
  const body = ["encoded", "content", "description", "summary"]
    .map((name) => child(entry, name))
    .find((found) => found !== undefined);
  const heading = link === "" ? title : `<a href="${escapeHtml(link)}">${title}</a>`;
  return `<h2>${heading}</h2><p>${about}</p><div>${body === undefined ? "" : contentOf(body)}</div>`;
}

function linkOf(entry: XmlElement): string {
  const links = children(entry, "link");
  const chosen =
    links.find(({ attributes }) => (attributes["rel"] ?? "alternate") === "alternate") ?? links[0];
  return chosen === undefined ? "" : (chosen.attributes["href"] ?? textOfXml(chosen).trim());
}

function contentOf(element: XmlElement): string {
  const isMarkup = element.children.some((each) => typeof each === "object");
  if (isMarkup) return element.children.map(serialise).join("");
  const text = textOfXml(element);
  return element.attributes["type"] === "text" ? escapeHtml(text) : text;
}

function sitemapToHtml(root: XmlElement): string {
  const places = [...children(root, "url"), ...children(root, "sitemap")];
  const items = places.slice(0, MAX_ENTRIES).map((place) => {
    const address = escapeHtml(textIn(place, "loc"));
    const date = escapeHtml(textIn(place, "lastmod"));
    return `<li><a href="${address}">${address}</a> ${date}</li>`;
  });
  const more = places.length - MAX_ENTRIES;
  return `<ul>${items.join("\n")}</ul>${more > 0 ? `<p>[${more} more addresses]</p>` : ""}`;
}

function opmlToHtml(root: XmlElement): string {
  const body = child(root, "body");
  const items: string[] = [];
  const open: (XmlElement | string)[] = body === undefined ? [] : [body];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node === "string") continue;
    const { attributes } = node;
    const text = escapeHtml(attributes["text"] ?? attributes["title"] ?? "");
    const address = attributes["xmlurl"] ?? attributes["htmlurl"] ?? attributes["url"];
    if (address !== undefined)
      items.push(`<li><a href="${escapeHtml(address)}">${text || escapeHtml(address)}</a></li>`);
    else if (text !== "") items.push(`<li>${text}</li>`);
    for (let at = node.children.length - 1; at >= 0; at--) open.push(node.children[at] ?? "");
  }
  return `<ul>${items.join("\n")}</ul>`;
}

/** What can be read of a drawing: its names and its labels. */
function drawingToHtml(root: XmlElement): string {
  const texts: string[] = [];
  const open: (XmlElement | string)[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node === "string") continue;
    if (/^(?:title|desc|text)$/.test(node.name))
      texts.push(`<p>${escapeHtml(textOfXml(node))}</p>`);
    else for (let at = node.children.length - 1; at >= 0; at--) open.push(node.children[at] ?? "");
  }
  return texts.length > 0 ? texts.join("") : "<p>[A drawing without text.]</p>";
}

function children(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter(
    (each): each is XmlElement => typeof each === "object" && each.name === name,
  );
}

function child(element: XmlElement, name: string): XmlElement | undefined {
  return children(element, name)[0];
}

/** Without markup: titles are often HTML inside of the XML. */
function textIn(element: XmlElement, name: string): string {
  const found = child(element, name);
  const text = found === undefined ? "" : textOfXml(found).replace(/\s+/g, " ").trim();
  return /<[a-z]+[\s>]/i.test(text) ? textOf(parseHtml(text).root) : text;
}

export function textOfXml(element: XmlElement): string {
  const parts: string[] = [];
  const nodes: (XmlElement | string)[] = [element];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (typeof node === "string") parts.push(node);
    else for (let at = node.children.length - 1; at >= 0; at--) nodes.push(node.children[at] ?? "");
  }
  return parts.join("");
}

/** Elements of XHTML in a feed, back to markup. The parser bounds their depth. */
function serialise(node: XmlElement | string): string {
  if (typeof node === "string") return escapeHtml(node);
  const attributes = Object.entries(node.attributes).map(
    ([name, value]) => ` ${name}="${escapeHtml(value)}"`,
  );
  return `<${node.name}${attributes.join("")}>${node.children.map(serialise).join("")}</${node.name}>`;
}

/** The document element, or null where there is none. Elements that are nested too deeply are left out. */
export function parseXml(text: string): XmlElement | null {
  const root: XmlElement = { name: "", attributes: {}, children: [] };
  const open: XmlElement[] = [root];
  let tooDeep = 0;
  let name = "";
  let attribute = "";
  let attributes: { [name: string]: string } = {};
  const top = (): XmlElement => open[open.length - 1] ?? root;
  const addText = (part: string): void => {
    if (tooDeep > 0) return;
    const { children: siblings } = top();
    const last = siblings.length - 1;
    if (typeof siblings[last] === "string") siblings[last] += part;
    else siblings.push(part);
  };
  const openElement = (closed: boolean): void => {
    if (tooDeep > 0 || open.length > MAX_DEPTH) {
      if (!closed) tooDeep++;
      return;
    }
    const element: XmlElement = { name, attributes, children: [] };
    top().children.push(element);
    if (!closed) open.push(element);
  };
  const ignore = (): void => {};
  const tokenizer = new Tokenizer(
    { xmlMode: true, decodeEntities: true },
    {
      ontext: (start, end) => addText(text.slice(start, end)),
      ontextentity: (codepoint) => addText(String.fromCodePoint(codepoint)),
      oncdata: (start, end, offset) => addText(text.slice(start, end - offset)),
      onopentagname: (start, end) => {
        name = localName(text.slice(start, end));
        attributes = {};
      },
      onattribname: (start, end) => {
        attribute = localName(text.slice(start, end));
        attributes[attribute] = "";
      },
      onattribdata: (start, end) => {
        attributes[attribute] += text.slice(start, end);
      },
      onattribentity: (codepoint) => {
        attributes[attribute] += String.fromCodePoint(codepoint);
      },
      onattribend: ignore,
      onopentagend: () => openElement(false),
      onselfclosingtag: () => openElement(true),
      onclosetag: (start, end) => {
        if (tooDeep > 0) tooDeep--;
        else if (open.length > 1 && top().name === localName(text.slice(start, end))) open.pop();
      },
      oncomment: ignore,
      ondeclaration: ignore,
      onprocessinginstruction: ignore,
      onend: ignore,
    },
  );
  tokenizer.write(text);
  tokenizer.end();
  return root.children.find((node): node is XmlElement => typeof node === "object") ?? null;
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1).toLowerCase();
}
