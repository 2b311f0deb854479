/**
 * HTML into a tree, in time linear in its length. The tokens come from htmlparser2; how they nest is
 * decided here by the rules of the HTML standard that matter for a text: which tags close others, what a
 * closing tag reaches. Elements deeper than a bound have no node of their own, so that neither nesting
 * nor the closing tags of a hostile page cost more than a constant each.
 *
 * Source: HTML Living Standard, 13.2.6 "Tree construction".
 */
import { Tokenizer } from "htmlparser2";

export type Attributes = { readonly [name: string]: string | undefined };

export type MarkupNode = MarkupElement | string;

export type MarkupElement = {
  readonly name: string;
  readonly attributes: Attributes;
  readonly children: MarkupNode[];
  readonly parent: MarkupElement | null;
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

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));

const VOID = words(
  "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr",
);

/** Start tags that end an open paragraph. */
const CLOSES_PARAGRAPH = words(
  "address article aside blockquote center details dialog dir div dl dd dt fieldset figcaption figure " +
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre search " +
    "section summary table ul xmp",
);

/** No closing tag inside reaches beyond one of these, and no start tag inside ends what is outside. */
const BOUNDARIES = words("td th caption table template object svg math root");

/** Start tag → the open elements that it ends, and what bounds the search for them. */
const CLOSES: Readonly<
  Record<string, { readonly ends: ReadonlySet<string>; readonly within: ReadonlySet<string> }>
> = {
  li: { ends: words("li"), within: words("ul ol menu dir table td th blockquote root") },
  dt: { ends: words("dt dd"), within: words("dl table td th root") },
  dd: { ends: words("dt dd"), within: words("dl table td th root") },
  option: { ends: words("option"), within: words("select datalist optgroup root") },
  optgroup: { ends: words("option optgroup"), within: words("select root") },
  tr: { ends: words("tr td th caption"), within: words("table template root") },
  td: { ends: words("td th caption"), within: words("tr table template root") },
  th: { ends: words("td th caption"), within: words("tr table template root") },
  thead: {
    ends: words("tr td th thead tbody tfoot caption colgroup"),
    within: words("table root"),
  },
  tbody: {
    ends: words("tr td th thead tbody tfoot caption colgroup"),
    within: words("table root"),
  },
  tfoot: {
    ends: words("tr td th thead tbody tfoot caption colgroup"),
    within: words("table root"),
  },
  rt: { ends: words("rt rp rb"), within: words("ruby root") },
  rp: { ends: words("rt rp rb"), within: words("ruby root") },
  rb: { ends: words("rt rp rb rtc"), within: words("ruby root") },
  rtc: { ends: words("rt rp rb rtc"), within: words("ruby root") },
  a: { ends: words("a"), within: words("td th table p li div section article root") },
  button: { ends: words("button"), within: words("td th table form root") },
};

/** Parts of a table: their closing tags reach to the table, through cells. */
const TABLE_PARTS = words("tr td th thead tbody tfoot caption colgroup");

/** HTML tags that end an `svg` or `math` that was not closed. */
const BREAKS_OUT = words(
  "blockquote center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 hr i img li menu nobr ol p pre ruby " +
    "section article span strong table ul b",
);
/** Where HTML may stand inside of SVG or MathML. */
const INTEGRATION_POINTS = words(
  "foreignobject desc title annotation-xml mtext mi mo mn ms annotation",
);

/** Document structure that has no text of its own: its tags are looked through. */
const LOOKED_THROUGH = words("html head body frameset");

/** Contents that are no HTML but are looked at. */
const KEPT_SCRIPTS = /^(?:math\/tex|application\/ld\+json)/i;

/** Attributes that say something about the text. */
const KEPT_ATTRIBUTES = words(
  "abbr align alt alttext aria-controls aria-hidden aria-label bgcolor checked class cite color colspan " +
    "content controls data-bs-target data-line-number data-target datetime display encoding face for height hidden href " +
    "id itemprop label lang longdesc media multiple name open placeholder property rel role rowspan " +
    "scope selected shadowrootmode size src srcdoc start style title type value width xml:base",
);

type Open = {
  readonly name: string;
  /** Where children go: the element itself, or its parent where it has no node. */
  readonly node: MarkupElement;
};

export function parseHtml(html: string): MarkupTree {
  return new TreeBuilder(html).run();
}

class TreeBuilder {
  readonly #html: string;
  readonly #root: MarkupElement;
  readonly #stack: Open[] = [];
  readonly #openCount = new Map<string, number>();
  readonly #referred = new Set<string>();
  #elements = 0;
  #flattened = false;
  #title: string | undefined;
  #base: string | undefined;

  #tag = "";
  #attributes: { [name: string]: string | undefined } | null = null;
  #attributeCount = 0;
  #attribute = "";
  #value = "";
  /** What to do with text: append it, or drop what no reader sees (scripts, styles). */
  #dropsText = false;

  /** @param container  the element whose raw text `html` is; its children go there */
  constructor(html: string, container?: MarkupElement) {
    this.#html = html;
    this.#root = container ?? createElement("root", NO_ATTRIBUTES, null);
    this.#stack.push({ name: "root", node: this.#root });
  }

  run(): MarkupTree {
    const html = this.#html;
    const tokenizer = new Tokenizer(
      { xmlMode: false, decodeEntities: true },
      {
        ontext: (start, end) => this.#text(html.slice(start, end)),
        ontextentity: (codepoint) => this.#text(String.fromCodePoint(codepoint)),
        onopentagname: (start, end) => {
          this.#tag = html.slice(start, end).toLowerCase();
          this.#attributes = null;
          this.#attributeCount = 0;
        },
        onattribname: (start, end) => {
          // Most names are short; a hostile one is not worth its copy.
          this.#attribute = end - start > 40 ? "" : html.slice(start, end).toLowerCase();
          this.#value = "";
        },
        onattribdata: (start, end) => {
          if (this.#value.length < MAX_ATTRIBUTE_CHARACTERS) this.#value += html.slice(start, end);
        },
        onattribentity: (codepoint) => {
          this.#value += String.fromCodePoint(codepoint);
        },
        onattribend: () => this.#endAttribute(),
        onopentagend: () => this.#open(false),
        onselfclosingtag: () => this.#open(true),
        onclosetag: (start, end) => this.#close(html.slice(start, end).toLowerCase()),
        oncdata: (start, end, offset) => this.#text(html.slice(start, end - offset)),
        oncomment: () => {},
        ondeclaration: () => {},
        onprocessinginstruction: () => {},
        onend: () => {},
        isInForeignContext: () => this.#isForeign(),
      },
    );
    tokenizer.write(html);
    tokenizer.end();
    return {
      root: this.#root,
      title: this.#title,
      base: this.#base,
      referred: this.#referred,
      flattened: this.#flattened,
    };
  }

  #endAttribute(): void {
    if (!KEPT_ATTRIBUTES.has(this.#attribute) || this.#attributeCount >= MAX_ATTRIBUTES) return;
    this.#attributes ??= {};
    if (this.#attributes[this.#attribute] !== undefined) return;
    this.#attributes[this.#attribute] = this.#value.slice(0, MAX_ATTRIBUTE_CHARACTERS);
    this.#attributeCount++;
  }

  #text(text: string): void {
    if (this.#dropsText || text === "") return;
    const { children } = this.#top().node;
    const last = children.length - 1;
    if (typeof children[last] === "string") children[last] += text;
    else children.push(text);
  }

  #open(selfClosing: boolean): void {
    const name = this.#tag === "image" ? "img" : this.#tag;
    const attributes: Attributes = this.#attributes ?? NO_ATTRIBUTES;
    this.#noteReferences(attributes);
    if (name === "base") this.#base ??= attributes["href"];
    if (LOOKED_THROUGH.has(name)) return;
    const foreign = this.#foreignRoot();
    if (foreign >= 0 && BREAKS_OUT.has(name) && !this.#isIntegrated(foreign)) this.#popTo(foreign);
    if (CLOSES_PARAGRAPH.has(name) && this.#count("p") > 0) this.#closeWithin("p", BOUNDARIES);
    this.#closeOthers(name);
    if (HEADINGS.has(name) && HEADINGS.has(this.#top().name)) this.#popTo(this.#stack.length - 1);
    const parent = this.#top().node;
    const closed = VOID.has(name) || (selfClosing && foreign >= 0);
    const atBound = this.#stack.length >= MAX_DEPTH || this.#elements >= MAX_ELEMENTS;
    if (atBound && !closed && !isRawText(name)) {
      this.#flattened = true;
      return;
    }
    if (this.#elements >= MAX_ELEMENTS && closed && name !== "br") return;
    const node = createElement(name, attributes, parent);
    parent.children.push(node);
    this.#elements++;
    if (closed) return;
    this.#stack.push({ name, node });
    this.#openCount.set(name, this.#count(name) + 1);
    if (name === "style" || name === "script") {
      this.#dropsText = name === "script" && !KEPT_SCRIPTS.test(attributes["type"] ?? "");
    }
  }

  #close(name: string): void {
    if (name === "br") {
      this.#tag = "br";
      this.#attributes = null;
      this.#open(false);
      return;
    }
    if (name === "script" || name === "style") this.#dropsText = false;
    if (this.#count(name) === 0) return;
    if (TABLE_PARTS.has(name)) this.#closeWithin(name, TABLE_BOUNDARIES);
    else if (BOUNDARIES.has(name)) this.#closeWithin(name, ROOT);
    else if (HEADINGS.has(name)) this.#closeHeading();
    else this.#closeWithin(name, BOUNDARIES);
  }

  /** A heading is closed by the end tag of any heading. */
  #closeHeading(): void {
    for (let at = this.#stack.length - 1; at > 0; at--) {
      const open = this.#stack[at]?.name ?? "root";
      if (HEADINGS.has(open)) this.#popTo(at);
      if (HEADINGS.has(open) || BOUNDARIES.has(open)) return;
    }
  }

  #closeOthers(name: string): void {
    const rule = CLOSES[name];
    if (rule === undefined) return;
    let lowest = -1;
    for (let at = this.#stack.length - 1; at > 0; at--) {
      const open = this.#stack[at]?.name ?? "root";
      if (rule.ends.has(open)) lowest = at;
      else if (rule.within.has(open)) break;
    }
    if (lowest > 0) this.#popTo(lowest);
  }

  /** Ends the innermost open element of a name, unless a boundary lies between. */
  #closeWithin(name: string, boundaries: ReadonlySet<string>): void {
    for (let at = this.#stack.length - 1; at > 0; at--) {
      const open = this.#stack[at]?.name ?? "root";
      if (open === name) this.#popTo(at);
      if (open === name || boundaries.has(open)) return;
    }
  }

  /** Ends the element at `index` of the stack and all inside it. */
  #popTo(index: number): void {
    while (this.#stack.length > index) {
      const ended = this.#stack.pop();
      if (ended === undefined) return;
      this.#openCount.set(ended.name, this.#count(ended.name) - 1);
      if (ended.name === "noframes") this.#readNoframes(ended.node);
      if (ended.name === "title" && this.#title === undefined && this.#foreignRoot() < 0) {
        const text = ended.node.children[0];
        if (typeof text === "string" && text.trim() !== "") this.#title = text;
      }
    }
  }

  /** Tokenizers take it as raw text; for a reader without frames it is HTML. Once: it does not nest. */
  #readNoframes(element: MarkupElement): void {
    const html = element.children[0];
    if (typeof html !== "string" || this.#root.name === "noframes") return;
    element.children.length = 0;
    new TreeBuilder(html, element).run();
  }

  #noteReferences(attributes: Attributes): void {
    if (attributes === NO_ATTRIBUTES || this.#referred.size >= MAX_REFERRED) return;
    for (const name of ["href", "data-target", "data-bs-target"]) {
      const value = attributes[name];
      if (value?.startsWith("#") && value.length > 1) this.#referred.add(value.slice(1));
    }
    for (const id of attributes["aria-controls"]?.split(/\s+/) ?? []) this.#referred.add(id);
  }

  #top(): Open {
    return this.#stack[this.#stack.length - 1] ?? { name: "root", node: this.#root };
  }

  #count(name: string): number {
    return this.#openCount.get(name) ?? 0;
  }

  /** Index of the `svg` or `math` that is open, or -1. */
  #foreignRoot(): number {
    if (this.#count("svg") === 0 && this.#count("math") === 0) return -1;
    return this.#stack.findIndex(({ name }) => name === "svg" || name === "math");
  }

  #isForeign(): boolean {
    const root = this.#foreignRoot();
    return root >= 0 && !this.#isIntegrated(root);
  }

  #isIntegrated(root: number): boolean {
    return this.#stack.some(({ name }, at) => at > root && INTEGRATION_POINTS.has(name));
  }
}

const HEADINGS = words("h1 h2 h3 h4 h5 h6");

const TABLE_BOUNDARIES = words("table template root");
const ROOT = words("root");

/** Without a node the text of these would become text of the page. */
function isRawText(name: string): boolean {
  return (
    name === "script" ||
    name === "style" ||
    name === "title" ||
    name === "iframe" ||
    name === "textarea"
  );
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
    else for (let at = node.children.length - 1; at >= 0; at--) nodes.push(node.children[at] ?? "");
  }
  return parts.join("");
}
