/**
 * HTML into the text of a page, with what a reader needs (headings, lists, tables, links, pictures by
 * their description) and without what only a program needs. The walk keeps its own stack, so nesting
 * costs memory, not stack frames.
 *
 * Source of the rules: the simple_browser tool of openai/gpt-oss.
 */
import { type CheerioAPI, load } from "cheerio";
import { chooseTitle, cleanText, LinkTable, type PageContent, withUrlHeading } from "./page.ts";
import { TextBuilder } from "./text-builder.ts";

/** Where a reference in a document leads; null: nowhere that could be opened, show the plain text. */
export type LinkResolver = (href: string) => { url: string; domain: string | null } | null;

export type HtmlSource = {
  readonly html: string;
  readonly url: string;
  /** Used when the document has no title of its own. */
  readonly fallbackTitle: string;
  readonly resolve: LinkResolver;
};

type Root = ReturnType<CheerioAPI["root"]>[0];
type Node = Root["children"][number];
type Element = Extract<Node, { attribs: { [name: string]: string } }>;

const DROPPED = new Set(
  "script style template noscript math iframe object embed svg canvas audio video head".split(" "),
);
const BLOCKS = new Set(
  (
    "address article aside body dd details dialog div dl dt fieldset figcaption figure footer form " +
    "header html hgroup legend main nav section summary table tbody tfoot thead tr caption"
  ).split(" "),
);
const PARAGRAPHS = new Set("p dl table pre blockquote h1 h2 h3 h4 h5 h6 figure".split(" "));
const LISTS = new Set(["ul", "ol"]);

export function htmlToPage(source: HtmlSource): PageContent {
  const $ = load(source.html);
  const links = new LinkTable();
  const text = new Walk(source.resolve, links).run($.root()[0]);
  const titles = [$("head > title").first().text(), $("h1").first().text(), source.fallbackTitle];
  return {
    url: source.url,
    title: chooseTitle(titles),
    text: withUrlHeading(source.url, text),
    links: links.links,
  };
}

class Walk {
  readonly #resolve: LinkResolver;
  readonly #links: LinkTable;
  readonly #builder = new TextBuilder();
  readonly #listCounters: (number | null)[] = [];
  #images = 0;
  #preformatted = 0;

  constructor(resolve: LinkResolver, links: LinkTable) {
    this.#resolve = resolve;
    this.#links = links;
  }

  run(root: Root | undefined): string {
    // Newest last: a node to visit, or what is to be done after the children of one.
    const tasks: (Node | (() => void))[] = [];
    const pushChildren = (children: readonly Node[]): void => {
      for (let at = children.length - 1; at >= 0; at--) {
        const child = children[at];
        if (child !== undefined) tasks.push(child);
      }
    };
    pushChildren(root?.children ?? []);
    for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
      if (typeof task === "function") task();
      else if (task.type === "text") this.#text(task.data);
      else if (isElement(task) && !DROPPED.has(task.name)) {
        const leave = this.#enter(task);
        if (leave === "done") continue;
        tasks.push(leave);
        pushChildren(task.children);
      }
    }
    return this.#builder.toString();
  }

  #text(text: string): void {
    const clean = cleanText(text);
    if (this.#preformatted > 0) this.#builder.verbatim(clean);
    else this.#builder.inline(clean);
  }

  /** Writes what comes before the children; returns what comes after them, or that it took them itself. */
  #enter(element: Element): (() => void) | "done" {
    const builder = this.#builder;
    const { name } = element;
    if (PARAGRAPHS.has(name)) builder.paragraphBreak();
    switch (name) {
      case "br":
        builder.lineBreak();
        return "done";
      case "hr":
        builder.paragraphBreak();
        builder.inline("* * *");
        builder.paragraphBreak();
        return "done";
      case "img":
        builder.inline(`${this.#image(element)} `);
        return "done";
      case "a":
        return this.#anchor(element);
      case "pre":
        this.#preformatted++;
        return () => {
          this.#preformatted--;
          builder.paragraphBreak();
        };
      case "ul":
      case "ol":
        if (this.#listCounters.length === 0) builder.paragraphBreak();
        else builder.lineBreak();
        this.#listCounters.push(name === "ol" ? startOf(element) : null);
        return () => {
          this.#listCounters.pop();
          if (this.#listCounters.length === 0) builder.paragraphBreak();
        };
      case "li":
        builder.indent(this.#bullet(), "    ");
        return () => builder.outdent();
      case "dd":
        builder.indent("    ", "    ");
        return () => builder.outdent();
      case "blockquote":
        builder.indent("> ", "> ");
        return () => {
          builder.outdent();
          builder.paragraphBreak();
        };
      case "td":
      case "th":
        if (hasElementBefore(element)) builder.inline(" | ");
        return () => {};
      case "sup":
      case "sub":
        builder.inline(name === "sup" ? "^{" : "_{");
        return () => builder.inline("}");
      case "code":
        if (this.#preformatted > 0) return () => {};
        builder.inline("`");
        return () => builder.inline("`");
    }
    const heading = /^h([1-6])$/.exec(name);
    if (heading) builder.inline(`${"#".repeat(Number(heading[1]))} `);
    if (PARAGRAPHS.has(name)) return () => builder.paragraphBreak();
    if (BLOCKS.has(name)) {
      builder.lineBreak();
      return () => builder.lineBreak();
    }
    return () => {
      if (this.#preformatted === 0 && isInlineElement(element.next)) builder.inline(" ");
    };
  }

  #bullet(): string {
    const counter = this.#listCounters.pop();
    if (typeof counter !== "number") {
      if (counter === null) this.#listCounters.push(null);
      return "  * ";
    }
    this.#listCounters.push(counter + 1);
    return `  ${counter}. `;
  }

  #image(element: Element): string {
    const description = cleanText(element.attribs["alt"] || element.attribs["title"] || "")
      .replace(/\s+/g, " ")
      .trim();
    const number = this.#images++;
    return description === "" ? `[Image ${number}]` : `[Image ${number}: ${description}]`;
  }

  #anchor(element: Element): (() => void) | "done" {
    const href = (element.attribs["href"] ?? "").trim();
    const target = href === "" || href.startsWith("#") ? null : this.#resolve(href);
    if (target === null) return () => {};
    const anchor = this.#flatText(element);
    const trimmed = anchor.trim();
    if (trimmed === "") return "done";
    if (/^\s/.test(anchor)) this.#builder.inline(" ");
    const marked = this.#links.mark(target.url, trimmed, target.domain);
    if (this.#preformatted > 0) this.#builder.verbatim(marked);
    else this.#builder.inline(marked);
    if (/\s$/.test(anchor) || isInlineElement(element.next)) this.#builder.inline(" ");
    return "done";
  }

  /** The text of a link on one line, whatever it is made of. */
  #flatText(element: Element): string {
    const parts: string[] = [];
    const nodes: (Node | string)[] = element.children.toReversed();
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (typeof node === "string") parts.push(node);
      else if (node.type === "text") parts.push(cleanText(node.data));
      else if (isElement(node) && !DROPPED.has(node.name)) {
        if (node.name === "img") parts.push(` ${this.#image(node)} `);
        const script = node.name === "sup" ? "^{" : node.name === "sub" ? "_{" : null;
        const separate = isBlock(node.name) || node.name === "br";
        parts.push(script ?? (separate ? " " : ""));
        nodes.push(script === null ? (separate ? " " : "") : "}");
        for (let at = node.children.length - 1; at >= 0; at--) {
          const child = node.children[at];
          if (child !== undefined) nodes.push(child);
        }
      }
    }
    return parts.join("").replace(/\s+/g, " ");
  }
}

function isElement(node: Node): node is Element {
  return "attribs" in node;
}

function isInlineElement(node: unknown): boolean {
  if (typeof node !== "object" || node === null || !("name" in node)) return false;
  const { name } = node;
  if (typeof name !== "string") return false;
  return !["br", "sup", "sub", "hr"].includes(name) && !isBlock(name);
}

function isBlock(name: string): boolean {
  return BLOCKS.has(name) || PARAGRAPHS.has(name) || LISTS.has(name) || name === "li";
}

function hasElementBefore(element: Element): boolean {
  for (let node = element.prev; node !== null; node = node.prev) if ("attribs" in node) return true;
  return false;
}

function startOf(list: Element): number {
  const start = Number.parseInt(list.attribs["start"] ?? "1", 10);
  return Number.isSafeInteger(start) ? start : 1;
}
