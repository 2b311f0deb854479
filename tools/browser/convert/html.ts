/**
 * HTML into the text of a page, with what a reader needs (headings, lists, tables, links, formulas,
 * pictures by their description) and without what only a program needs. The walk keeps its own stack, so
 * nesting costs memory, not stack frames.
 *
 * Source of the format: the simple_browser tool of openai/gpt-oss.
 */
import { type PageContent, urlHeading } from "../page.ts";
import { chooseTitle, cleanText, countSmuggled } from "../text/clean-text.ts";
import { LinkTable } from "../text/links.ts";
import { createLinkResolver, type LinkResolver } from "./link-resolver.ts";
import {
  type Attributes,
  isElement,
  type MarkupElement,
  type MarkupNode,
  type MarkupTree,
  parseHtml,
  textOf,
} from "./markup-tree.ts";
import { mathText, texBody } from "./math.ts";
import { isClosedTemplate, measure, NOT_TEXT } from "./measure.ts";
import { findRegions } from "./regions.ts";
import { isLineNumbers, readTable } from "./table.ts";
import { TextBuilder } from "./text-builder.ts";
import { styleTexts, visibilityOf } from "./visibility.ts";

export type HtmlSource = {
  readonly html: string;
  readonly url: string;
  /** Goes before the titles that the document gives itself. */
  readonly title?: string | undefined;
  /** Used when the document has no title of its own. */
  readonly fallbackTitle: string;
  /** A heading of any level is a title (Markdown); otherwise those of the first level are. */
  readonly anyHeadingIsTitle?: boolean;
};

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));

const BLOCKS = words(
  "address article aside center dd details dialog dir div dl dt fieldset figcaption figure footer form " +
    "header hgroup legend main menu nav optgroup search section summary tbody tfoot thead tr caption",
);
const PARAGRAPHS = words(
  "p dl table pre blockquote h1 h2 h3 h4 h5 h6 figure listing xmp plaintext fieldset",
);
const LISTS = words("ul ol menu dir");
/** Elements with text of their own beside which a reader sees a gap. */
const SPACED = words("button select input textarea img option output meter progress");

/** What begins the parts that are not the content. */
const OTHER_PARTS = "[Navigation and other parts of the page:]";
const HIDDEN_PARTS = "[Text that the page hides until a script shows it:]";
/** A page that hides more than this share of its text shows it by a script. */
const MOSTLY_HIDDEN = 0.8;
const MAX_ANCHORS = 20_000;
const MAX_ANCHOR_CHARACTERS = 200;
const MAX_OPTIONS = 12;

export function htmlToPage(source: HtmlSource): PageContent {
  const tree = parseHtml(source.html);
  const { root, referred } = tree;
  const { elements, hiddenCharacters } = measure(root, visibilityOf(referred, styleTexts(root)));
  const { boilerplate } = findRegions(elements);
  const walk = new HtmlWalk(createLinkResolver(source.url, tree.base));
  walk.run([root], boilerplate);
  const heading = urlHeading(source.url);
  const mainEnd = walk.builder.length;
  if (boilerplate.size > 0) {
    walk.note(OTHER_PARTS);
    walk.run([...boilerplate], new Set());
  }
  const mostlyHidden = hiddenCharacters > MOSTLY_HIDDEN * (hiddenCharacters + root.textLength);
  const hidden = mostlyHidden ? elementsHidden(root) : [];
  if (hidden.length > 0) {
    walk.note(HIDDEN_PARTS);
    for (const element of hidden) element.hidden = false;
    walk.run(hidden, new Set());
  } else if (root.textLength === 0) {
    const description = scriptNote(tree);
    if (description !== null) walk.note(description);
  }
  const { text, anchors } = walk.builder.finish();
  const smuggled = countSmuggled(source.html);
  const left = (hidden.length > 0 ? 0 : hiddenCharacters) + smuggled;
  const moved = Object.entries(anchors).map(([name, at]) => [name, at + heading.length] as const);
  return {
    url: source.url,
    title: chooseTitle([
      source.title,
      tree.title,
      firstHeading(elements, source),
      source.fallbackTitle,
    ]),
    text: heading + text,
    links: walk.links.links,
    ...(moved.length > 0 && { anchors: Object.fromEntries(moved) }),
    ...(boilerplate.size > 0 && {
      mainEnd: Math.min(heading.length + mainEnd, heading.length + text.length),
    }),
    ...(left > 0 && { hiddenCharacters: left }),
    ...(tree.flattened && {
      warnings: ["its elements are nested too deeply or are too many; some are read as plain text"],
    }),
  };
}

function firstHeading(elements: readonly MarkupElement[], source: HtmlSource): string | undefined {
  const levels = source.anyHeadingIsTitle ? /^h[1-6]$/ : /^h1$/;
  const heading = elements.find(({ name, textLength }) => textLength > 0 && levels.test(name));
  return heading && textOf(heading);
}

function elementsHidden(root: MarkupElement): MarkupElement[] {
  const found: MarkupElement[] = [];
  const open: MarkupElement[] = [root];
  for (let element = open.pop(); element !== undefined; element = open.pop()) {
    if (element.hidden) found.push(element);
    else for (const child of element.children.toReversed()) if (isElement(child)) open.push(child);
  }
  return found;
}

/** For a page without text that a script would fill: what it says of itself, for search engines. */
function scriptNote({ root }: MarkupTree): string | null {
  let hasScript = false;
  let description = "";
  const open: MarkupElement[] = [root];
  for (let element = open.pop(); element !== undefined; element = open.pop()) {
    const { name, attributes } = element;
    if (name === "script") hasScript = true;
    if (name === "meta" && DESCRIPTION.test(attributes["name"] ?? attributes["property"] ?? "")) {
      description ||= attributes["content"] ?? "";
    }
    for (const child of element.children) if (isElement(child)) open.push(child);
  }
  if (!hasScript && description === "") return null;
  const about = description === "" ? "" : ` It describes itself so: ${description}`;
  return `[The page shows its text by a script, which is not run here.${about}]`;
}

const DESCRIPTION = /^(?:og:|twitter:)?description$/i;

type Task = MarkupNode | (() => void);

class HtmlWalk {
  readonly builder = new TextBuilder();
  readonly links = new LinkTable();
  readonly #resolve: LinkResolver;
  /** Number of the next item of each open list; null: not numbered. */
  readonly #lists: (number | null)[] = [];
  /** Newest last: a node to visit, or what is to be done after the children of one. */
  readonly #tasks: Task[] = [];
  #skipped: ReadonlySet<MarkupElement> = new Set();
  #images = 0;
  #anchors = 0;
  #preformatted = 0;
  /** Nothing stands yet behind the tag of a preformatted text. */
  #afterPre = false;
  /** Column at which the open cell of a table begins. */
  #cellStart = 0;

  constructor(resolve: LinkResolver) {
    this.#resolve = resolve;
  }

  note(text: string): void {
    this.builder.paragraphBreak();
    this.builder.inline(cleanText(text));
    this.builder.paragraphBreak();
  }

  run(roots: readonly MarkupElement[], skipped: ReadonlySet<MarkupElement>): void {
    this.#skipped = skipped;
    for (const root of roots) {
      this.#tasks.push(root);
      for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
        if (typeof task === "function") task();
        else if (typeof task === "string") this.#text(task);
        else this.#visit(task);
      }
      this.builder.paragraphBreak();
    }
  }

  #pushChildren(children: readonly MarkupNode[]): void {
    for (let at = children.length - 1; at >= 0; at--) {
      const child = children[at];
      if (child === undefined) continue;
      this.#tasks.push(child);
      // Lists of links are often written without blanks between them.
      if (isLink(child) && isLink(children[at - 1])) this.#tasks.push(" ");
    }
  }

  #text(text: string): void {
    const clean = cleanText(text);
    // The line end behind the tag is no part of the text.
    if (this.#preformatted > 0)
      this.builder.verbatim(this.#afterPre ? clean.replace(/^\n/, "") : clean);
    else this.builder.inline(clean);
    this.#afterPre = false;
  }

  #visit(element: MarkupElement): void {
    const { name, attributes } = element;
    if (element.hidden || this.#skipped.has(element)) return;
    this.#anchor(attributes["id"]);
    if (name === "svg") this.#svg(element);
    else if (name === "math") this.#formula(mathText(element), attributes["display"] === "block");
    else if (name === "script") this.#texScript(element);
    else if (!(NOT_TEXT.has(name) || isClosedTemplate(element) || isDecoration(element))) {
      this.#element(element);
    }
  }

  #element(element: MarkupElement): void {
    const leave = this.#enter(element);
    if (leave === "done") return;
    this.#tasks.push(leave);
    this.#pushChildren(element.children);
  }

  #anchor(name: string | undefined): void {
    if (name === undefined || name === "" || name.length > MAX_ANCHOR_CHARACTERS) return;
    if (this.#anchors++ < MAX_ANCHORS) this.builder.anchor(name);
  }

  /** Writes what comes before the children; returns what comes after them, or that it took them itself. */
  #enter(element: MarkupElement): (() => void) | "done" {
    const { builder } = this;
    const { name, attributes } = element;
    const block = PARAGRAPHS.has(name);
    if (block && !this.#isTight(element, "first")) builder.paragraphBreak();
    switch (name) {
      case "br":
        if (this.#preformatted > 0) builder.verbatim("\n");
        else builder.lineBreak();
        return "done";
      case "hr":
        builder.paragraphBreak();
        builder.inline("* * *");
        builder.paragraphBreak();
        return "done";
      case "img":
        return this.#image(attributes);
      case "a":
        this.#anchor(attributes["name"]);
        return this.#link(element, attributes["href"]);
      case "area":
        return this.#reference(attributes["href"], attributes["alt"] || attributes["title"] || "");
      case "frame":
      case "iframe":
        return this.#frame(attributes);
      case "ruby":
        builder.inline(rubyText(element));
        return "done";
      case "table":
        return this.#table(element);
      case "pre":
      case "listing":
      case "xmp":
      case "plaintext":
        return this.#preformattedText();
      case "ul":
      case "ol":
      case "menu":
      case "dir":
        if (this.#lists.length === 0) builder.paragraphBreak();
        else builder.lineBreak();
        this.#lists.push(name === "ol" ? startOf(attributes) : null);
        return () => {
          this.#lists.pop();
          if (this.#lists.length === 0) builder.paragraphBreak();
          else builder.lineBreak();
        };
      case "li":
        if (builder.isFlat) builder.separate("; ", this.#cellStart);
        builder.indent(this.#bullet(attributes), "    ");
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
      case "sup":
      case "sub":
        builder.inline(name === "sup" ? "^{" : "_{");
        return () => builder.inline("}");
      case "code":
        if (this.#preformatted > 0 || isMultiLine(element)) return () => {};
        builder.inline("`");
        return () => builder.inline("`");
      case "q":
        builder.inline("“");
        return () => builder.inline("”");
      case "input":
      case "select":
      case "textarea":
        return this.#field(element);
    }
    if (HEADING.test(name)) builder.inline(`${"#".repeat(Number(name[1]))} `);
    if (block) {
      return () => {
        if (this.#isTight(element, "last")) builder.lineBreak();
        else builder.paragraphBreak();
      };
    }
    if (BLOCKS.has(name) || isStyledBlock(attributes)) {
      builder.lineBreak();
      return () => builder.lineBreak();
    }
    if (SPACED.has(name) && this.#preformatted === 0) {
      builder.inline(" ");
      return () => builder.inline(" ");
    }
    return () => {};
  }

  /** A paragraph that begins or ends an item needs no blank line there. */
  #isTight({ name, parent }: MarkupElement, end: "first" | "last"): boolean {
    if (name !== "p" || parent === null || !(parent.name === "li" || parent.name === "dd"))
      return false;
    const children = someChildren(parent, 3);
    const child = end === "first" ? children[0] : children.at(-1);
    return children.length <= 2 && isElement(child) && child.name === "p";
  }

  #bullet({ value }: Attributes): string {
    const counter = this.#lists.pop();
    if (typeof counter !== "number") {
      if (counter === null) this.#lists.push(null);
      return "  * ";
    }
    const own = Number.parseInt(value ?? "", 10);
    const number = Number.isSafeInteger(own) ? own : counter;
    this.#lists.push(number + 1);
    return `  ${number}. `;
  }

  #image(attributes: Attributes): "done" {
    const { width, height } = attributes;
    // Pictures of one pixel are there to count visitors.
    if (isPixel(width) && isPixel(height)) return "done";
    const tex = /\b(?:math|tex|latex)\b/i.test(attributes["class"] ?? "")
      ? attributes["alt"]
      : undefined;
    this.builder.inline(tex ? ` ${formula(texBody(tex))} ` : ` ${this.#imageText(attributes)} `);
    return "done";
  }

  #imageText(attributes: Attributes): string {
    const text = attributes["alt"] || attributes["title"] || attributes["aria-label"] || "";
    const description = cleanText(text).replace(/\s+/g, " ").trim();
    const number = this.#images++;
    return description === "" ? `[Image ${number}]` : `[Image ${number}: ${description}]`;
  }

  /** A drawing is shown by its name, if it has one. */
  #svg(element: MarkupElement): void {
    const { attributes, children } = element;
    if (attributes["aria-hidden"] === "true") return;
    const title = children.find((child) => isElement(child) && child.name === "title");
    const label = attributes["aria-label"] ?? (isElement(title) ? textOf(title) : "");
    if (label.trim() !== "") this.builder.inline(` ${this.#imageText({ alt: label })} `);
  }

  #formula(text: string, display: boolean): void {
    if (text === "") return;
    if (display) this.builder.lineBreak();
    this.builder.inline(cleanText(formula(text)));
    if (display) this.builder.lineBreak();
  }

  /** MathJax keeps its TeX in scripts. */
  #texScript({ attributes, children }: MarkupElement): void {
    const type = attributes["type"] ?? "";
    if (!/^math\/tex/i.test(type) || typeof children[0] !== "string") return;
    this.#formula(texBody(children[0]), /mode=display/i.test(type));
  }

  #link(element: MarkupElement, href: string | undefined): (() => void) | "done" {
    const target = href === undefined ? null : this.#resolve(href);
    if (target === null) return () => {};
    const anchor = this.#flatText(element);
    const trimmed = anchor.trim();
    if (trimmed === "") return "done";
    const marked = this.links.mark(target.url, trimmed, target.domain);
    if (this.#preformatted > 0) {
      this.builder.verbatim(anchor.slice(0, anchor.length - anchor.trimStart().length) + marked);
      return "done";
    }
    if (/^\s/.test(anchor)) this.builder.inline(" ");
    this.builder.inline(marked);
    if (/\s$/.test(anchor)) this.builder.inline(" ");
    return "done";
  }

  #reference(href: string | undefined, text: string): "done" {
    const label = cleanText(text).replace(/\s+/g, " ").trim();
    const target = href === undefined || label === "" ? null : this.#resolve(href);
    if (target !== null)
      this.builder.inline(` ${this.links.mark(target.url, label, target.domain)} `);
    return "done";
  }

  /** The page in a frame is a link. */
  #frame(attributes: Attributes): "done" {
    const { src } = attributes;
    if (src === undefined) return "done";
    this.builder.lineBreak();
    this.#reference(src, `Frame: ${attributes["title"] || attributes["name"] || src}`);
    this.builder.lineBreak();
    return "done";
  }

  #preformattedText(): () => void {
    this.#preformatted++;
    this.#afterPre = true;
    return () => {
      this.#preformatted--;
      this.builder.paragraphBreak();
    };
  }

  #table(element: MarkupElement): "done" {
    const table = readTable(element);
    const tasks: Task[] = [...table.stray];
    if (table.caption !== undefined) tasks.push(table.caption, () => this.builder.lineBreak());
    for (const { element: row, cells } of table.rows) {
      if (row.hidden || this.#skipped.has(row)) continue;
      if (row.name === "tr") tasks.push(() => this.#anchor(row.attributes["id"]));
      const shown = cells.filter((cell) => cell === null || !(cell.hidden || isLineNumbers(cell)));
      if (table.isData) this.#dataRow(shown, tasks);
      else for (const cell of shown) if (cell !== null) this.#layoutCell(cell, tasks);
    }
    tasks.push(() => this.builder.paragraphBreak());
    for (let at = tasks.length - 1; at >= 0; at--) this.#tasks.push(tasks[at] ?? "");
    return "done";
  }

  #dataRow(cells: readonly (MarkupElement | null)[], tasks: Task[]): void {
    const { builder } = this;
    const outer = { cellStart: this.#cellStart };
    tasks.push(() => {
      builder.lineBreak();
      outer.cellStart = this.#cellStart;
      builder.beginFlat();
    });
    cells.forEach((cell, column) => {
      tasks.push(() => {
        if (column > 0) builder.inline(" | ");
        this.#cellStart = builder.column;
        if (cell !== null) this.#anchor(cell.attributes["id"]);
      });
      if (cell !== null) tasks.push(...cell.children);
    });
    tasks.push(() => {
      builder.endFlat();
      this.#cellStart = outer.cellStart;
      builder.lineBreak();
    });
  }

  #layoutCell(cell: MarkupElement, tasks: Task[]): void {
    tasks.push(
      () => {
        this.builder.lineBreak();
        this.#anchor(cell.attributes["id"]);
      },
      ...cell.children,
      () => this.builder.lineBreak(),
    );
  }

  /** Fields of a form by what stands in them, or by what they ask for. */
  #field({ name, attributes, children }: MarkupElement): "done" {
    const text = cleanText(fieldText(name, attributes, children))
      .replace(/\s+/g, " ")
      .trim();
    if (text !== "") this.builder.inline(` ${text} `);
    return "done";
  }

  /** The text of a link on one line. */
  #flatText(element: MarkupElement): string {
    const parts: string[] = [];
    const nodes: (MarkupNode | { readonly literal: string })[] = element.children.toReversed();
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (typeof node === "string") parts.push(cleanText(node));
      else if ("literal" in node) parts.push(node.literal);
      else if (node.hidden || this.#skipped.has(node) || NOT_TEXT.has(node.name)) {
        if (node.name === "math") parts.push(cleanText(formula(mathText(node))));
      } else {
        this.#anchor(node.attributes["id"]);
        if (node.name === "img") parts.push(` ${this.#imageText(node.attributes)} `);
        const script = node.name === "sup" ? "^{" : node.name === "sub" ? "_{" : null;
        const separate = isBlock(node.name) || node.name === "br" || isStyledBlock(node.attributes);
        parts.push(script ?? (separate ? " " : ""));
        nodes.push({ literal: script === null ? (separate ? " " : "") : "}" });
        for (let at = node.children.length - 1; at >= 0; at--) nodes.push(node.children[at] ?? "");
      }
    }
    return parts.join("").replace(/\s+/g, " ");
  }
}

const HEADING = /^h[1-6]$/;

/** Formulas in marks that TeX knows, unless they have some. */
function formula(tex: string): string {
  const text = tex.replace(/\s+/g, " ").trim();
  return /^[\p{L}\p{N}]{1,3}$/u.test(text) ? text : `$${text}$`;
}

function isBlock(name: string): boolean {
  return BLOCKS.has(name) || PARAGRAPHS.has(name) || LISTS.has(name) || name === "li";
}

function isStyledBlock({ style }: Attributes): boolean {
  return (
    style !== undefined &&
    /(?:^|;)\s*display\s*:\s*(?:block|flex|grid|table|list-item)/i.test(style.slice(0, 500))
  );
}

function isMultiLine(element: MarkupElement): boolean {
  return element.children.some(
    (child) => isElement(child) && (child.name === "br" || isBlock(child.name)),
  );
}

/** Marks that link to a heading itself, and what stands twice for assistive programs. */
function isDecoration(element: MarkupElement): boolean {
  const { name, attributes, parent } = element;
  if (name === "rp" || name === "rt") return parent?.name !== "ruby" && name === "rp";
  const classes = attributes["class"];
  if (name === "a" && attributes["href"]?.startsWith("#")) {
    return (
      /^[\s¶#§∞🔗]*$/u.test(textOf(element)) &&
      !element.children.some((child) => isElement(child) && child.name === "img")
    );
  }
  if (classes === undefined) return false;
  // KaTeX and MathJax write a formula twice: as MathML, and as signs at places.
  return (
    attributes["aria-hidden"] === "true" && /\b(?:katex-html|mjx-\S*|MathJax\S*)\b/.test(classes)
  );
}

/** The first children that are not blank, at most `limit` of them. */
function someChildren({ children }: MarkupElement, limit: number): readonly MarkupNode[] {
  const found: MarkupNode[] = [];
  for (const child of children) {
    if (found.length === limit) break;
    if (isElement(child) || child.trim() !== "") found.push(child);
  }
  return found;
}

function isLink(node: MarkupNode | undefined): boolean {
  return isElement(node) && node.name === "a";
}

/** Base text together, readings in brackets behind it: a word stays a word. */
function rubyText(ruby: MarkupElement): string {
  const base: string[] = [];
  const readings: string[] = [];
  const nodes: { readonly node: MarkupNode; readonly reading: boolean }[] = [];
  const push = (children: readonly MarkupNode[], reading: boolean): void => {
    for (let at = children.length - 1; at >= 0; at--)
      nodes.push({ node: children[at] ?? "", reading });
  };
  push(ruby.children, false);
  for (let next = nodes.pop(); next !== undefined; next = nodes.pop()) {
    const { node, reading } = next;
    if (typeof node === "string") (reading ? readings : base).push(node);
    else if (node.name !== "rp" && !node.hidden)
      push(node.children, reading || node.name === "rt" || node.name === "rtc");
  }
  const shown = (parts: readonly string[]): string =>
    cleanText(parts.join("")).replace(/\s+/g, " ");
  const reading = shown(readings).trim();
  return reading === "" ? shown(base) : `${shown(base).trim()}(${reading})`;
}

function isPixel(size: string | undefined): boolean {
  return size !== undefined && /^[01](?:px)?$/.test(size);
}

function startOf({ start }: Attributes): number {
  const number = Number.parseInt(start ?? "1", 10);
  return Number.isSafeInteger(number) ? number : 1;
}

function fieldText(name: string, attributes: Attributes, children: readonly MarkupNode[]): string {
  const label = attributes["aria-label"] || attributes["placeholder"] || attributes["title"] || "";
  if (name === "textarea") {
    const text = children
      .filter((child) => typeof child === "string")
      .join("")
      .trim();
    return text === "" ? bracketed(label) : bracketed(text);
  }
  if (name === "select") return optionsText(children);
  switch (attributes["type"]?.toLowerCase()) {
    case "hidden":
      return "";
    case "checkbox":
    case "radio":
      return attributes["checked"] === undefined ? "[ ]" : "[x]";
    case "submit":
    case "button":
    case "reset":
      return bracketed(attributes["value"] || label);
    case "image":
      return bracketed(attributes["alt"] || label);
    case "password":
      return bracketed(label);
    default:
      return bracketed(attributes["value"] || label);
  }
}

function bracketed(text: string): string {
  return text.trim() === "" ? "" : `[${text.trim()}]`;
}

function optionsText(children: readonly MarkupNode[]): string {
  const options: string[] = [];
  for (const child of children) {
    if (!isElement(child)) continue;
    const inner = child.name === "optgroup" ? child.children.filter(isElement) : [child];
    for (const option of inner) {
      const text = textOf(option).trim();
      if (text === "") continue;
      options.push(option.attributes["selected"] === undefined ? text : `${text} (chosen)`);
    }
  }
  const more = options.length - MAX_OPTIONS;
  const shown = options.slice(0, MAX_OPTIONS).join("; ");
  return bracketed(more > 0 ? `${shown}; and ${more} more` : shown);
}
