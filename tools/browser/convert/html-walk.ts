/**
 * A tree of HTML into text, with what a reader needs (headings, lists, tables, links, formulas, pictures
 * by their description) and without what only a program needs. The walk keeps its own stack, so nesting
 * costs memory, not stack frames.
 *
 * Source of the format: the simple_browser tool of openai/gpt-oss.
 */
import { cleanText, oneLine } from "../text/clean-text.ts";
import { LinkTable } from "../text/links.ts";
import {
  BLOCKS,
  holdsBlocks,
  isBlock,
  isDateBeside,
  isDecoration,
  isFirst,
  isLink,
  isList,
  isPartOfWord,
  isPixel,
  isRepeatedPicture,
  isStyledBlock,
  isStyledPreformatted,
  isTight,
  PARAGRAPHS,
  SPACED,
  startOf,
} from "./elements.ts";
import { fieldText, isLoneSwitch } from "./form-field.ts";
import type { LinkResolver } from "./link-resolver.ts";
import {
  type Attributes,
  isElement,
  type MarkupElement,
  type MarkupNode,
  textOf,
} from "./markup-tree.ts";
import { mathText, texBody } from "./math.ts";
import { isClosedTemplate, NOT_TEXT } from "./measure.ts";
import { rubyText } from "./ruby.ts";
import { isLineNumbers, readAriaRow, readTable } from "./table.ts";
import { TextBuilder } from "./text-builder.ts";

const MAX_ANCHORS = 20_000;
const MAX_ANCHOR_CHARACTERS = 200;

/** What is to be done after the children of an element. */
type Leave = () => void;
type Task = MarkupNode | Leave;
/** The element was written with all that is in it. */
const DONE = "done";

const NONE: ReadonlySet<MarkupElement> = new Set();
const HEADING = /^h[1-6]$/;
const DOCUMENT_TYPE = /^(?:application\/(?:pdf|xhtml\+xml)|text\/html)$/i;

export class HtmlWalk {
  readonly builder: TextBuilder = new TextBuilder();
  readonly links: LinkTable = new LinkTable();
  readonly #resolve: LinkResolver;
  /** Number of the next item of each open list; null: not numbered. */
  readonly #lists: (number | null)[] = [];
  /** Newest last. */
  readonly #tasks: Task[] = [];
  #skipped: ReadonlySet<MarkupElement> = NONE;
  #images = 0;
  #anchors = 0;
  #preformatted = 0;
  /** Nothing stands yet behind the tag of a preformatted text. */
  #afterPre = false;
  /** Column at which the open cell of a table begins. */
  #cellStart = 0;

  readonly #endLine: Leave = () => this.builder.lineBreak();
  readonly #endParagraph: Leave = () => this.builder.paragraphBreak();
  readonly #endIndent: Leave = () => this.builder.outdent();
  readonly #endScript: Leave = () => this.builder.inline("}");
  readonly #endCode: Leave = () => this.builder.inline("`");
  readonly #space: Leave = () => this.builder.inline(" ");
  readonly #endQuote: Leave = () => {
    this.builder.outdent();
    this.builder.paragraphBreak();
  };
  readonly #endPre: Leave = () => {
    this.#preformatted--;
    this.builder.paragraphBreak();
  };
  readonly #endList: Leave = () => {
    this.#lists.pop();
    if (this.#lists.length === 0) this.builder.paragraphBreak();
    else this.builder.lineBreak();
  };

  constructor(resolve: LinkResolver) {
    this.#resolve = resolve;
  }

  /** A paragraph of the harness's own. */
  note(text: string): void {
    this.builder.paragraphBreak();
    this.builder.inline(cleanText(text));
    this.builder.paragraphBreak();
  }

  /** Writes elements one after the other, without those of `skipped`. */
  run(roots: readonly MarkupElement[], skipped: ReadonlySet<MarkupElement> = NONE): void {
    this.#skipped = skipped;
    for (const root of roots) {
      this.#tasks.push(root);
      for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
        if (typeof task === "string") this.#text(task);
        else if (typeof task === "function") task();
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
      const before = children[at - 1];
      if ((isLink(child) && isLink(before)) || isDateBeside(child, before)) this.#tasks.push(" ");
    }
  }

  #text(text: string): void {
    const clean = cleanText(text);
    if (this.#preformatted === 0) this.builder.inline(clean);
    // The line end behind the tag is no part of the text.
    else this.builder.verbatim(this.#afterPre ? clean.replace(/^\n/, "") : clean);
    this.#afterPre = false;
  }

  #visit(element: MarkupElement): void {
    const { name, attributes, children } = element;
    if (element.hidden || this.#skipped.has(element)) return;
    if (attributes["id"] !== undefined) this.#anchor(attributes["id"]);
    if (NOT_TEXT.has(name)) this.#specialText(element);
    else if (!isClosedTemplate(element) && !isDecoration(element)) {
      const leave = this.#enter(element);
      if (leave === DONE) return;
      if (leave !== null) this.#tasks.push(leave);
      this.#pushChildren(children);
    }
  }

  #anchor(name: string): void {
    if (name === "" || name.length > MAX_ANCHOR_CHARACTERS) return;
    if (this.#anchors++ < MAX_ANCHORS) this.builder.anchor(name);
  }

  /** Writes what comes before the children; returns what comes after them, if there is something. */
  #enter(element: MarkupElement): Leave | null | typeof DONE {
    const { builder } = this;
    const { name, attributes } = element;
    switch (name) {
      case "span":
      case "b":
      case "strong":
      case "i":
      case "em":
        return isStyledBlock(attributes) ? this.#line() : null;
      case "noscript":
        return isRepeatedPicture(element) ? DONE : null;
      case "br":
        if (this.#preformatted > 0) builder.verbatim("\n");
        else builder.lineBreak();
        return DONE;
      case "hr":
        this.note("* * *");
        return DONE;
      case "img":
      case "amp-img":
        return this.#image(attributes);
      case "a":
        if (attributes["name"] !== undefined) this.#anchor(attributes["name"]);
        return this.#link(element, attributes["href"]);
      case "area":
        return this.#reference(attributes["href"], attributes["alt"] || attributes["title"] || "");
      case "embed":
      case "object":
        return this.#embedded(element);
      case "frame":
      case "iframe":
        return this.#frame(attributes);
      case "ruby":
        builder.inline(rubyText(element));
        return DONE;
      case "table":
        return this.#table(element);
      case "pre":
      case "listing":
      case "xmp":
      case "plaintext":
        builder.paragraphBreak();
        this.#preformatted++;
        this.#afterPre = true;
        return this.#endPre;
      case "ul":
      case "ol":
      case "menu":
      case "dir":
        if (this.#lists.length > 0 || element.parent?.name === "dd") builder.lineBreak();
        else builder.paragraphBreak();
        this.#lists.push(name === "ol" ? startOf(attributes) : null);
        if (!isList(element.parent)) return this.#endList;
        // A list that stands in a list and not in an item of it.
        builder.indent("    ", "    ");
        return () => {
          builder.outdent();
          this.#endList();
        };
      case "li":
        if (builder.isFlat) builder.separate(isFirst(element) ? ": " : "; ", this.#cellStart);
        builder.indent(this.#bullet(attributes), "    ");
        return this.#endIndent;
      case "dd":
        builder.indent("    ", "    ");
        return this.#endIndent;
      case "blockquote":
        builder.paragraphBreak();
        builder.indent("> ", "> ");
        return this.#endQuote;
      case "sup":
      case "sub":
        builder.inline(name === "sup" ? "^{" : "_{");
        return this.#endScript;
      case "code":
        if (this.#preformatted > 0 || holdsBlocks(element) || isPartOfWord(element)) return null;
        builder.inline("`");
        return this.#endCode;
      case "q":
        builder.inline("“");
        return () => builder.inline("”");
      case "input":
      case "select":
      case "textarea":
        if (!isLoneSwitch(element)) this.#spaced(oneLine(fieldText(element)));
        return DONE;
      default:
        return this.#enterOther(element);
    }
  }

  #enterOther(element: MarkupElement): Leave | null | typeof DONE {
    const { name, attributes } = element;
    const { builder } = this;
    if (attributes["role"] === "row" && !builder.isFlat) {
      const cells = readAriaRow(element);
      if (cells.length > 1) return this.#ariaRow(cells);
    }
    if (PARAGRAPHS.has(name)) {
      if (isTight(element, "first")) builder.lineBreak();
      else builder.paragraphBreak();
      if (HEADING.test(name)) builder.inline(`${"#".repeat(Number(name[1]))} `);
      return isTight(element, "last") ? this.#endLine : this.#endParagraph;
    }
    if (isStyledPreformatted(element)) return this.#styledPreformatted();
    if (BLOCKS.has(name) || isStyledBlock(attributes)) return this.#line();
    if (!SPACED.has(name) || this.#preformatted > 0) return null;
    builder.inline(" ");
    return this.#space;
  }

  #styledPreformatted(): Leave {
    this.builder.lineBreak();
    this.#preformatted++;
    return () => {
      this.#preformatted--;
      this.builder.lineBreak();
    };
  }

  #line(): Leave {
    this.builder.lineBreak();
    return this.#endLine;
  }

  /** Elements whose content is no text of the page, but which may stand for one. */
  #specialText(element: MarkupElement): void {
    const { name, attributes, children } = element;
    if (name === "math") this.#formula(mathText(element), attributes["display"] === "block");
    else if (name === "svg") this.#drawing(element);
    else if (name === "script" && /^math\/tex/i.test(attributes["type"] ?? "")) {
      // MathJax keeps its TeX in scripts.
      const tex = typeof children[0] === "string" ? children[0] : "";
      this.#formula(texBody(tex), /mode=display/i.test(attributes["type"] ?? ""));
    }
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

  #spaced(text: string): void {
    if (text !== "") this.builder.inline(` ${text} `);
  }

  #image(attributes: Attributes): typeof DONE {
    if (isPixel(attributes)) return DONE;
    const isFormula = /\b(?:math|tex|latex)\b/i.test(attributes["class"] ?? "");
    const tex = isFormula ? attributes["alt"] : undefined;
    if (tex) this.builder.inline(markedFormula(texBody(tex)));
    else this.#spaced(this.#imageText(attributes));
    return DONE;
  }

  #imageText(attributes: Attributes): string {
    const description = oneLine(
      attributes["alt"] || attributes["title"] || attributes["aria-label"] || "",
    );
    const number = this.#images++;
    return description === "" ? `[Image ${number}]` : `[Image ${number}: ${description}]`;
  }

  /** A drawing is shown by its name, if it has one. */
  #drawing({ attributes, children }: MarkupElement): void {
    if (attributes["aria-hidden"] === "true") return;
    const title = children.find((child) => isElement(child) && child.name === "title");
    const label = attributes["aria-label"] ?? (isElement(title) ? textOf(title) : "");
    if (label.trim() !== "") this.#spaced(this.#imageText({ alt: label }));
  }

  #formula(text: string, isDisplayed: boolean): void {
    if (text === "") return;
    if (isDisplayed) this.builder.lineBreak();
    this.builder.inline(markedFormula(text));
    if (isDisplayed) this.builder.lineBreak();
  }

  #link(element: MarkupElement, href: string | undefined): null | typeof DONE {
    const target = href === undefined ? null : this.#resolve(href);
    if (target === null) return null;
    const anchor = this.#flatText(element);
    const trimmed = anchor.trim();
    if (trimmed === "") return DONE;
    const marked = this.links.mark(target.url, trimmed, target.domain);
    const before = anchor.startsWith(" ") ? " " : "";
    const after = anchor.endsWith(" ") ? " " : "";
    if (this.#preformatted > 0) this.builder.verbatim(before + marked + after);
    else this.builder.inline(before + marked + after);
    return DONE;
  }

  #reference(href: string | undefined, text: string): typeof DONE {
    const label = oneLine(text);
    const target = href === undefined || label === "" ? null : this.#resolve(href);
    if (target !== null) this.#spaced(this.links.mark(target.url, label, target.domain));
    return DONE;
  }

  /** The page in a frame is a link. */
  #frame(attributes: Attributes): typeof DONE {
    const { src } = attributes;
    this.builder.lineBreak();
    this.#reference(src, `Frame: ${attributes["title"] || attributes["name"] || src}`);
    this.builder.lineBreak();
    return DONE;
  }

  /** A document in the page is a link; what stands there for programs that cannot show it is text. */
  #embedded({ name, attributes, parent }: MarkupElement): null | typeof DONE {
    const { type = "", title } = attributes;
    const address = name === "object" ? attributes["data"] : attributes["src"];
    const isDocument =
      DOCUMENT_TYPE.test(type) || (type === "" && /\.(?:pdf|html?)(?:[?#]|$)/i.test(address ?? ""));
    if (isDocument && address !== undefined && parent?.name !== "object")
      this.#frame({ src: address, ...(title !== undefined && { title }) });
    return name === "object" ? null : DONE;
  }

  #table(element: MarkupElement): typeof DONE {
    this.builder.paragraphBreak();
    const table = readTable(element);
    const tasks: Task[] = [...table.stray];
    if (table.caption !== undefined) tasks.push(table.caption);
    for (const { element: row, cells } of table.rows) {
      if (row.hidden || this.#skipped.has(row)) continue;
      const { id } = row.attributes;
      if (row.name === "tr" && id !== undefined) tasks.push(() => this.#anchor(id));
      const shown = cells.filter((cell) => cell === null || !isLineNumbers(cell));
      if (shown.length < cells.length) this.#codeRow(shown, tasks);
      else if (table.isData) this.#dataRow(cells, tasks);
      else {
        for (const cell of cells) {
          if (cell !== null) tasks.push(this.#endLine, cell, this.#endLine);
        }
      }
    }
    tasks.push(this.#endParagraph);
    for (let at = tasks.length - 1; at >= 0; at--) this.#tasks.push(tasks[at] ?? "");
    return DONE;
  }

  /** A line of a program beside its number, or all lines beside all numbers. */
  #codeRow(cells: readonly (MarkupElement | null)[], tasks: Task[]): void {
    tasks.push(() => {
      this.builder.lineBreak();
      for (const cell of cells) {
        if (cell === null || cell.hidden) continue;
        if (cell.attributes["id"] !== undefined) this.#anchor(cell.attributes["id"]);
        this.builder.verbatim(
          `${codeMarker(cell)}${cleanText(textOf(cell)).replace(/^\n|\n$/g, "")}\n`,
        );
      }
    });
  }

  /** The cells of a row on one line. A table in a table is none of data, so rows do not nest. */
  #dataRow(cells: readonly (MarkupElement | null)[], tasks: Task[]): void {
    const { builder } = this;
    tasks.push(() => {
      builder.lineBreak();
      builder.beginFlat();
    });
    cells.forEach((cell, column) => {
      tasks.push(() => {
        if (column > 0) builder.inline(" | ");
        this.#cellStart = builder.column;
      });
      if (cell !== null) tasks.push(cell);
    });
    tasks.push(() => {
      builder.endFlat();
      builder.lineBreak();
    });
  }

  #ariaRow(cells: readonly MarkupElement[]): typeof DONE {
    const tasks: Task[] = [];
    this.#dataRow(cells, tasks);
    for (let at = tasks.length - 1; at >= 0; at--) this.#tasks.push(tasks[at] ?? "");
    return DONE;
  }

  /** The text of a link on one line. */
  #flatText(element: MarkupElement): string {
    const [only] = element.children;
    if (typeof only === "string" && element.children.length === 1)
      return collapsed(cleanText(only));
    const parts: string[] = [];
    const nodes: (MarkupNode | { readonly literal: string })[] = element.children.toReversed();
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (typeof node === "string") parts.push(cleanText(node));
      else if ("literal" in node) parts.push(node.literal);
      else if (!node.hidden && !this.#skipped.has(node)) this.#flatElement(node, parts, nodes);
    }
    return collapsed(parts.join(""));
  }

  #flatElement(
    element: MarkupElement,
    parts: string[],
    nodes: (MarkupNode | { readonly literal: string })[],
  ): void {
    const { name, attributes, children } = element;
    if (attributes["id"] !== undefined) this.#anchor(attributes["id"]);
    if (name === "math") parts.push(markedFormula(mathText(element)));
    if (name === "img") parts.push(` ${this.#imageText(attributes)} `);
    if (name === "ruby") parts.push(rubyText(element));
    if (NOT_TEXT.has(name) || name === "ruby" || isDecoration(element)) return;
    const script = name === "sup" ? "^{" : name === "sub" ? "_{" : null;
    const gap = isBlock(name) || name === "br" || isStyledBlock(attributes) ? " " : "";
    parts.push(script ?? gap);
    nodes.push({ literal: script === null ? gap : "}" });
    for (let at = children.length - 1; at >= 0; at--) nodes.push(children[at] ?? "");
  }
}

/** `+` and `-` of a comparison, which a style sheet writes. */
function codeMarker(cell: MarkupElement): string {
  const marked = [cell, ...cell.children].find(
    (node) => isElement(node) && node.attributes["data-code-marker"] !== undefined,
  );
  return isElement(marked)
    ? cleanText(marked.attributes["data-code-marker"] ?? "").slice(0, 1)
    : "";
}

function collapsed(text: string): string {
  return text.replace(/\s+/g, " ");
}

/** Formulas between marks that TeX knows; a single letter needs none. */
function markedFormula(tex: string): string {
  const text = oneLine(tex);
  return text === "" || /^[\p{L}\p{N}]{1,3}$/u.test(text) ? text : `$${text}$`;
}
