/**
 * HTML into a tree, in time linear in its length. The tokens come from htmlparser2; how they nest is
 * decided here by the rules of the HTML standard that matter for a text: which tags close others, what an
 * end tag reaches. Elements deeper than a bound have no node of their own, so that neither nesting nor
 * the end tags of a hostile page cost more than a constant each.
 *
 * Source: HTML Living Standard, 13.2.6 "Tree construction".
 */
import { Tokenizer } from "htmlparser2";
import { attributeOf, type Tag, tagOf } from "./tags.ts";

export type Attributes = { readonly [name: string]: string | undefined };

export type MarkupNode = MarkupElement | string;

export type MarkupElement = {
  /** Lower case. */
  readonly name: string;
  readonly attributes: Attributes;
  readonly children: MarkupNode[];
  parent: MarkupElement | null;
  /** Characters of visible text below, and those of them in links; `measure.ts` fills them in. */
  textLength: number;
  linkLength: number;
  /** No reader sees what is below. */
  hidden: boolean;
};

export type MarkupTree = {
  readonly root: MarkupElement;
  /** Text of the first `title` of the document. */
  readonly title: string | undefined;
  /** `href` of the first `base`. */
  readonly base: string | undefined;
  /** Texts of the style sheets in the document that are not for print. */
  readonly styles: readonly string[];
  /** Attributes of `body`. */
  readonly body: Attributes;
  /** There is a style sheet in another file. */
  readonly hasLinkedStyles: boolean;
  /** There is a declarative shadow tree. */
  readonly hasShadowTrees: boolean;
  /** Names that a control or a link of the page refers to: `href="#x"`, `aria-controls="x"`. */
  readonly referred: ReadonlySet<string>;
  /** Something was nested deeper than the bound, or there were more elements than the bound. */
  readonly flattened: boolean;
};

/** Browsers have a bound too (512): nothing that a person wrote is near it. */
const MAX_DEPTH = 256;
/** Elements with a node of their own; those behind are read as text alone. */
const MAX_ELEMENTS = 500_000;
/** Attributes of one element that are looked at. */
const MAX_ATTRIBUTES = 64;
const MAX_ATTRIBUTE_CHARACTERS = 16_384;
const MAX_REFERRED = 20_000;

const NO_ATTRIBUTES: Attributes = Object.freeze({});

/** Contents of scripts that are looked at. */
const KEPT_SCRIPTS = /^math\/tex/i;

const TABLE_BOUNDARIES: ReadonlySet<string> = new Set(["table", "template", "root"]);
const ROOT = tagOf("root");

export function parseHtml(html: string): MarkupTree {
  return new TreeBuilder(html).run();
}

class TreeBuilder {
  readonly #html: string;
  readonly #root: MarkupElement;
  /** It reads a part that another builder took for raw text. */
  readonly #isInner: boolean;
  /** The open elements, outermost first: their tags, and where children of them go. */
  readonly #tags: Tag[] = [ROOT];
  readonly #nodes: MarkupElement[];
  readonly #referred = new Set<string>();
  readonly #styles: string[] = [];
  #openParagraphs = 0;
  #openForeign = 0;
  #elements = 0;
  #flattened = false;
  #title: string | undefined;
  #base: string | undefined;
  #body: Attributes = NO_ATTRIBUTES;
  #hasLinkedStyles = false;
  #hasShadowTrees = false;
  /** The tag that is being read. */
  #tag: Tag = ROOT;
  #attributes: { [name: string]: string | undefined } | null = null;
  #attributeCount = 0;
  #attribute: string | undefined;
  #value = "";
  /** What stands in a script is no text. */
  #dropsText = false;

  /** @param container  the element whose raw text `html` is; its children go there */
  constructor(html: string, container?: MarkupElement) {
    this.#html = html;
    this.#isInner = container !== undefined;
    this.#root = container ?? createElement("root", NO_ATTRIBUTES, null);
    this.#nodes = [this.#root];
  }

  run(): MarkupTree {
    const html = this.#html;
    const ignore = (): void => {};
    const tokenizer = new Tokenizer(
      { xmlMode: false, decodeEntities: true },
      {
        ontext: (start, end) => this.#text(html.slice(start, end)),
        ontextentity: (codepoint) => this.#text(String.fromCodePoint(codepoint)),
        onopentagname: (start, end) => {
          this.#tag = tagOf(html.slice(start, end));
          this.#attributes = null;
          this.#attributeCount = 0;
        },
        onattribname: (start, end) => {
          this.#attribute = attributeOf(html.slice(start, end));
          this.#value = "";
        },
        onattribdata: (start, end) => {
          if (this.#attribute === undefined) return;
          if (this.#value.length < MAX_ATTRIBUTE_CHARACTERS) this.#value += html.slice(start, end);
        },
        onattribentity: (codepoint) => {
          if (this.#attribute !== undefined) this.#value += String.fromCodePoint(codepoint);
        },
        onattribend: () => {
          if (this.#attribute !== undefined) this.#endAttribute(this.#attribute);
        },
        onopentagend: () => this.#open(false),
        onselfclosingtag: () => this.#open(true),
        onclosetag: (start, end) => this.#close(tagOf(html.slice(start, end))),
        oncdata: (start, end, offset) => this.#text(html.slice(start, end - offset)),
        oncomment: ignore,
        ondeclaration: ignore,
        onprocessinginstruction: ignore,
        onend: ignore,
        isInForeignContext: () => this.#openForeign > 0 && !this.#isIntegrated(),
      },
    );
    tokenizer.write(html);
    tokenizer.end();
    this.#recoverTitle();
    this.#popTo(1);
    return {
      root: this.#root,
      title: this.#title,
      base: this.#base,
      styles: this.#styles,
      body: this.#body,
      hasLinkedStyles: this.#hasLinkedStyles,
      hasShadowTrees: this.#hasShadowTrees,
      referred: this.#referred,
      flattened: this.#flattened,
    };
  }

  #endAttribute(name: string): void {
    if (this.#attributeCount >= MAX_ATTRIBUTES) return;
    this.#attributes ??= {};
    if (this.#attributes[name] !== undefined) return;
    const value = this.#value.slice(0, MAX_ATTRIBUTE_CHARACTERS);
    this.#attributes[name] = value;
    this.#attributeCount++;
    if (this.#referred.size >= MAX_REFERRED) return;
    if (name === "href" || name === "data-target" || name === "data-bs-target") {
      if (value.startsWith("#") && value.length > 1) this.#referred.add(value.slice(1));
    } else if (name === "aria-controls") {
      for (const id of value.split(/\s+/)) this.#referred.add(id);
    }
  }

  #text(text: string): void {
    if (this.#dropsText || text === "") return;
    const { children } = this.#top();
    const last = children.length - 1;
    if (typeof children[last] === "string") children[last] += text;
    else children.push(text);
  }

  #open(selfClosing: boolean): void {
    const tag = this.#tag;
    const attributes: Attributes = this.#attributes ?? NO_ATTRIBUTES;
    if (tag.name === "base") this.#base ??= attributes["href"];
    else if (tag.name === "link")
      this.#hasLinkedStyles ||= /stylesheet/i.test(attributes["rel"] ?? "");
    if (tag.isLookedThrough) {
      if (tag.name === "body") this.#body = { ...attributes, ...this.#body };
      return;
    }
    if (this.#openForeign > 0 && tag.breaksOut && !this.#isIntegrated()) this.#popForeign();
    if (tag.closesParagraph && this.#openParagraphs > 0) this.#closeParagraph();
    if (tag.closes !== undefined) this.#closeOthers(tag);
    if (tag.isHeading && this.#topTag().isHeading) this.#popTo(this.#tags.length - 1);
    const isClosed = tag.isVoid || (selfClosing && (this.#openForeign > 0 || tag.isForeign));
    if (this.#tags.length >= MAX_DEPTH || this.#elements >= MAX_ELEMENTS) {
      this.#flattened = true;
      const isNeeded = isClosed ? tag.name === "br" : tag.isRawText;
      if (!isNeeded) return;
    }
    const parent = this.#top();
    const node = createElement(tag.name, attributes, parent);
    parent.children.push(node);
    this.#elements++;
    if (isClosed) return;
    this.#tags.push(tag);
    this.#nodes.push(node);
    if (tag.name === "p") this.#openParagraphs++;
    else if (tag.name === "template")
      this.#hasShadowTrees ||= attributes["shadowrootmode"] !== undefined;
    else if (tag.isForeign) this.#openForeign++;
    else if (tag.name === "script") this.#dropsText = !KEPT_SCRIPTS.test(attributes["type"] ?? "");
  }

  #close(tag: Tag): void {
    if (tag.name === "br") {
      this.#tag = tag;
      this.#attributes = null;
      this.#open(false);
    }
    for (let at = this.#tags.length - 1; at > 0; at--) {
      const open = this.#tags[at] ?? ROOT;
      // A heading is closed by the end tag of any heading.
      if (open === tag || open.name === tag.name || (tag.isHeading && open.isHeading)) {
        this.#popTo(at);
        return;
      }
      if (tag.isTablePart ? TABLE_BOUNDARIES.has(open.name) : open.isBoundary && !tag.isBoundary) {
        return;
      }
    }
  }

  #closeParagraph(): void {
    for (let at = this.#tags.length - 1; at > 0; at--) {
      const open = this.#tags[at] ?? ROOT;
      if (open.name === "p") this.#popTo(at);
      // A link may hold blocks; it goes on in them.
      if (open.name === "p" || open.name === "a" || open.isBoundary) return;
    }
  }

  #closeOthers({ closes }: Tag): void {
    let lowest = 0;
    for (let at = this.#tags.length - 1; at > 0; at--) {
      const { name } = this.#tags[at] ?? ROOT;
      if (closes?.ends.has(name)) lowest = at;
      else if (closes?.within.has(name)) break;
    }
    if (lowest > 0) this.#popTo(lowest);
  }

  /** Ends the element at `index` of the stack and all inside it. */
  #popTo(index: number): void {
    while (this.#tags.length > index) {
      const tag = this.#tags.pop() ?? ROOT;
      const node = this.#nodes.pop() ?? this.#root;
      if (tag.name === "p") this.#openParagraphs--;
      else if (tag.isForeign) this.#openForeign--;
      else if (tag.isRawText) this.#endRawText(node);
      else if (tag.name === "noframes") this.#readNoframes(node);
    }
  }

  /** A title without an end tag has taken the whole document: what stands behind its line is read. Once. */
  #recoverTitle(): void {
    const title = this.#top();
    const text = title.children[0];
    if (title.name !== "title" || typeof text !== "string" || !text.includes("<")) return;
    if (this.#isInner) return;
    const end = text.indexOf("<");
    const rest = text.slice(end);
    title.children[0] = text.slice(0, end);
    this.#popTo(this.#tags.length - 1);
    new TreeBuilder(rest, this.#root).run();
  }

  #endRawText({ name, attributes, children }: MarkupElement): void {
    const text = typeof children[0] === "string" ? children[0] : "";
    if (name === "script") this.#dropsText = false;
    else if (name === "style") {
      if (!/print/i.test(attributes["media"] ?? "")) this.#styles.push(text);
    } else if (name === "title" && this.#openForeign === 0 && text.trim() !== "") {
      this.#title ??= text;
    }
  }

  /** Tokenizers take it as raw text; for a reader without frames it is HTML. Once: it does not nest. */
  #readNoframes(element: MarkupElement): void {
    const html = element.children[0];
    if (typeof html !== "string" || this.#isInner) return;
    element.children.length = 0;
    new TreeBuilder(html, element).run();
  }

  #popForeign(): void {
    const root = this.#tags.findIndex((tag) => tag.isForeign);
    if (root > 0) this.#popTo(root);
  }

  /** Whether the innermost foreign element holds HTML here. */
  #isIntegrated(): boolean {
    for (let at = this.#tags.length - 1; at > 0; at--) {
      const tag = this.#tags[at] ?? ROOT;
      if (tag.isIntegrationPoint) return true;
      if (tag.isForeign) return false;
    }
    return false;
  }

  #top(): MarkupElement {
    return this.#nodes[this.#nodes.length - 1] ?? this.#root;
  }

  #topTag(): Tag {
    return this.#tags[this.#tags.length - 1] ?? ROOT;
  }
}

function createElement(
  name: string,
  attributes: Attributes,
  parent: MarkupElement | null,
): MarkupElement {
  return { name, attributes, children: [], parent, textLength: 0, linkLength: 0, hidden: false };
}

export function isElement(node: MarkupNode | undefined): node is MarkupElement {
  return typeof node === "object";
}

/** All text below a node, as it stands. */
export function textOf(element: MarkupElement): string {
  const parts: string[] = [];
  const nodes: MarkupNode[] = [element];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (typeof node === "string") parts.push(node);
    else {
      for (let at = node.children.length - 1; at >= 0; at--) nodes.push(node.children[at] ?? "");
    }
  }
  return parts.join("");
}
