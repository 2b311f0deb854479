/**
 * Word documents by way of HTML: headings, lists, tables, links, notes.
 *
 * Source: ECMA-376, Office Open XML, Part 1 (WordprocessingML).
 */
import { promisify } from "node:util";
import { type Entry, fromBuffer, type ZipFile } from "yauzl";
import type { PageContent } from "../page.ts";
import { escapeHtml } from "./escape-html.ts";
import { htmlToPage } from "./html.ts";
import { parseXml, textOfXml, type XmlElement } from "./xml.ts";

/** Bytes of one part after decompression. */
const MAX_PART_BYTES = 64 * 2 ** 20;
const PARTS = [
  "word/document.xml",
  "word/_rels/document.xml.rels",
  "word/footnotes.xml",
  "word/endnotes.xml",
  "docProps/core.xml",
];

/** @throws an error whose message says what is wrong with the file */
export async function docxToPage(
  bytes: Uint8Array,
  url: string,
  fallbackTitle: string,
): Promise<PageContent> {
  const parts = await readParts(bytes);
  const part = (name: string): XmlElement | null => {
    const data = parts.get(name);
    return data === undefined ? null : parseXml(data);
  };
  const body = find(part("word/document.xml"), "body");
  if (body === undefined)
    throw new Error("it holds no word/document.xml, so it is no Word document");
  const links = new Map<string, string>();
  for (const relation of part("word/_rels/document.xml.rels")?.children ?? []) {
    if (typeof relation === "string") continue;
    const { id, target } = relation.attributes;
    if (id !== undefined && target !== undefined) links.set(id, target);
  }
  const writer = new DocxWriter(links);
  const html = [writer.blocks(body)];
  for (const kind of ["footnote", "endnote"]) {
    for (const note of part(`word/${kind}s.xml`)?.children ?? []) {
      // Notes with a type are the lines above the notes.
      if (typeof note === "string" || note.attributes["type"] !== undefined) continue;
      html.push(
        `<p>[^${escapeHtml(note.attributes["id"] ?? "")}]: ${escapeHtml(textOfXml(note))}</p>`,
      );
    }
  }
  const title = find(part("docProps/core.xml"), "title");
  return htmlToPage({
    html: html.join("\n"),
    url,
    title: title && textOfXml(title),
    fallbackTitle,
    anyHeadingIsTitle: true,
  });
}

const openZip = promisify<Buffer, { lazyEntries: boolean }, ZipFile>(fromBuffer);

/** The parts that are read, as text. */
async function readParts(bytes: Uint8Array): Promise<ReadonlyMap<string, string>> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const zip = await openZip(buffer, { lazyEntries: true });
  const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, string>>();
  const parts = new Map<string, string>();
  zip.on("error", reject);
  zip.on("end", () => resolve(parts));
  zip.on("entry", (entry: Entry) => {
    readPart(zip, entry).then((text) => {
      if (text !== null) parts.set(entry.fileName, text);
      zip.readEntry();
    }, reject);
  });
  zip.readEntry();
  return promise.finally(() => zip.close());
}

async function readPart(zip: ZipFile, entry: Entry): Promise<string | null> {
  const { fileName, uncompressedSize } = entry;
  if (!PARTS.includes(fileName)) return null;
  if (uncompressedSize > MAX_PART_BYTES) {
    throw new Error(`its part ${fileName} is larger than ${MAX_PART_BYTES} bytes`);
  }
  const open = promisify<Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip));
  const chunks: Buffer[] = [];
  // yauzl ends a stream that gives more than the directory says.
  for await (const chunk of await open(entry)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

class DocxWriter {
  readonly #links: ReadonlyMap<string, string>;

  constructor(links: ReadonlyMap<string, string>) {
    this.#links = links;
  }

  /** Paragraphs and tables. The parser bounds how deep they nest. */
  blocks(container: XmlElement): string {
    const html: string[] = [];
    let listDepth = 0;
    for (const child of container.children) {
      if (typeof child === "string") continue;
      const depth = child.name === "p" ? listDepthOf(child) : 0;
      for (; listDepth > depth; listDepth--) html.push("</ul>");
      for (; listDepth < depth; listDepth++) html.push("<ul>");
      if (child.name === "p") html.push(this.#paragraph(child, depth));
      else if (child.name === "tbl") html.push(this.#table(child));
      else if (child.name === "sdt") html.push(this.blocks(find(child, "sdtcontent") ?? child));
    }
    html.push("</ul>".repeat(listDepth));
    return html.join("\n");
  }

  #paragraph(paragraph: XmlElement, listDepth: number): string {
    const text = this.#inline(paragraph);
    if (text.trim() === "") return "";
    if (listDepth > 0) return `<li>${text}</li>`;
    const style = attribute(paragraph, ["ppr", "pstyle"], "val") ?? "";
    const level = /^(?:heading|berschrift|titre|ttulo)\s*([1-6])$/i.exec(style)?.[1];
    if (level !== undefined) return `<h${level}>${text}</h${level}>`;
    return /^title$/i.test(style) ? `<h1>${text}</h1>` : `<p>${text}</p>`;
  }

  #inline(container: XmlElement): string {
    const html: string[] = [];
    for (const child of container.children) {
      if (typeof child === "string") continue;
      switch (child.name) {
        case "t":
          html.push(escapeHtml(textOfXml(child)));
          break;
        case "tab":
          html.push(" ");
          break;
        case "br":
        case "cr":
          html.push("<br>");
          break;
        case "hyperlink":
          html.push(this.#hyperlink(child));
          break;
        case "footnotereference":
        case "endnotereference":
          html.push(`[^${escapeHtml(child.attributes["id"] ?? "")}]`);
          break;
        case "docpr": {
          const description = child.attributes["descr"] ?? "";
          if (description !== "") html.push(`<img alt="${escapeHtml(description)}">`);
          break;
        }
        case "del":
        case "ppr":
        case "rpr":
          break;
        default:
          html.push(this.#inline(child));
      }
    }
    return html.join("");
  }

  #hyperlink(element: XmlElement): string {
    const target = this.#links.get(element.attributes["id"] ?? "");
    const text = this.#inline(element);
    return target === undefined ? text : `<a href="${escapeHtml(target)}">${text}</a>`;
  }

  #table(table: XmlElement): string {
    const rows = elements(table, "tr").map((row) => {
      const cells = elements(row, "tc").map((cell) => {
        const span = attribute(cell, ["tcpr", "gridspan"], "val");
        return `<td${span === undefined ? "" : ` colspan="${escapeHtml(span)}"`}>${this.blocks(cell)}</td>`;
      });
      return `<tr>${cells.join("")}</tr>`;
    });
    return `<table>${rows.join("")}</table>`;
  }
}

/** 0: no item of a list. */
function listDepthOf(paragraph: XmlElement): number {
  const numbering = attribute(paragraph, ["ppr", "numpr", "ilvl"], "val");
  return numbering === undefined ? 0 : Math.min(Math.max(0, Number(numbering) || 0), 8) + 1;
}

function elements(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter(
    (child): child is XmlElement => typeof child === "object" && child.name === name,
  );
}

function attribute(element: XmlElement, path: readonly string[], name: string): string | undefined {
  let at: XmlElement | undefined = element;
  for (const step of path) at = at && elements(at, step)[0];
  return at?.attributes[name];
}

/** The first element of a name, at any depth. */
function find(root: XmlElement | null, name: string): XmlElement | undefined {
  const open: (XmlElement | string)[] = root === null ? [] : [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node === "string") continue;
    if (node.name === name) return node;
    for (let at = node.children.length - 1; at >= 0; at--) open.push(node.children[at] ?? "");
  }
  return undefined;
}
