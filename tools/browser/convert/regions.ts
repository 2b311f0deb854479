/**
 * What of a page is its content, and what stands around it on every page of a site: navigation, headers,
 * footers, consent dialogs, lists of other articles. Such parts are not left out: they are shown behind
 * the content, since the model may want to follow their links.
 *
 * The judgement is by what the markup says (elements, ARIA roles, names in classes and ids), by the share
 * of link text, by words that announce other pages, and by where the bulk of the text is.
 */
import { type MarkupElement, type MarkupNode, textOf } from "./markup-tree.ts";
import { NOT_TEXT } from "./measure.ts";
import { judgeNames } from "./part-names.ts";
import {
  announcesOtherPages,
  asksForOpinion,
  asksForScripts,
  isAdvertisementMark,
  isNotice,
  isSkipLink,
} from "./part-phrases.ts";

/** Shorter pages are shown as they are: there is nothing to look for. */
const MIN_PAGE_CHARACTERS = 100;
/** A `main` element with less text than this is the shell of something that a script fills in. */
const MIN_MAIN_CHARACTERS = 120;
/** With less text outside of links than this left, the links were the content. */
const MIN_LEFT_CHARACTERS = 60;
/** What holds more than this share of the text is no decoration under any name. */
const MAX_BOILERPLATE_SHARE = 0.5;
/** The container of the content holds at least this share of what is neither link nor boilerplate. */
const CONTAINER_SHARE = 0.7;
/** Characters of a part that are looked at for what it says of itself. */
const PHRASE_CHARACTERS = 80;
const MAX_NOTICE_CHARACTERS = 1200;
const MAX_OPINION_CHARACTERS = 200;
/** What stands around a form that wants an address: a promise. */
const MAX_PROMISE_CHARACTERS = 120;
/** Siblings among which a neighbour is looked for. */
const MAX_SIBLINGS = 200;
/** Shorter titles are names of sites. */
const MIN_TITLE_CHARACTERS = 15;

const ROLES = new Set([
  "navigation",
  "search",
  "banner",
  "contentinfo",
  "complementary",
  "dialog",
  "alertdialog",
  "menu",
  "menubar",
  "toolbar",
]);
const SECTIONING = new Set(["main", "article", "section"]);

export type Regions = {
  /** The outermost elements that are shown behind the content, in the order of the page. */
  readonly boilerplate: ReadonlySet<MarkupElement>;
};

/**
 * @param elements  all visible elements, measured, in the order of the page
 * @param title  what the document calls itself
 */
export function findRegions(elements: readonly MarkupElement[], title = ""): Regions {
  const root = elements[0];
  const none: Regions = { boilerplate: new Set() };
  if (root === undefined || root.textLength < MIN_PAGE_CHARACTERS) return none;
  const main = declaredMain(elements);
  const context: Context = {
    page: root.textLength,
    title,
    mainAncestors: new Set(main === null ? [] : ancestorsOf(main)),
    hasHeadingInMain: main !== null && hasTopHeading(main),
  };
  const found = new Set<MarkupElement>();
  // Parents stand before their children: what is inside of a part that was found is known by its parent.
  const covered = new Set<MarkupElement>();
  for (const element of elements) {
    if (element.parent === null) continue;
    if (covered.has(element.parent)) covered.add(element);
    else if (asksForAddress(element, context)) {
      found.add(withPromise(element));
      covered.add(element);
    } else if (isBoilerplate(element, context)) {
      found.add(element);
      covered.add(element);
    } else {
      const list = listBehindHeading(element, context);
      if (list !== null) {
        for (const part of [element, list]) {
          found.add(part);
          covered.add(part);
        }
      }
    }
  }
  const add = (element: MarkupElement): void => {
    if (!isInside(element, found)) found.add(element);
  };
  if (main !== null) {
    for (const element of besides(main)) {
      if (context.hasHeadingInMain || !hasTopHeading(element)) add(element);
    }
  } else {
    for (const element of decorationBeside(container(root, found), context)) add(element);
  }
  for (const element of linksBeforeHeading(elements, found, context)) add(element);
  const outermost = elements.filter(
    (element) => found.has(element) && !isInside(element.parent, found),
  );
  let left = root.textLength - root.linkLength;
  for (const { textLength, linkLength } of outermost) left -= textLength - linkLength;
  return left < MIN_LEFT_CHARACTERS ? none : { boilerplate: new Set(outermost) };
}

type Context = {
  /** Characters of its text. */
  readonly page: number;
  readonly title: string;
  readonly mainAncestors: ReadonlySet<MarkupElement>;
  /** Then a heading outside of it is the name of the site. */
  readonly hasHeadingInMain: boolean;
};

/** The one element that the page itself calls its content. */
function declaredMain(elements: readonly MarkupElement[]): MarkupElement | null {
  let best: MarkupElement | null = null;
  for (const element of elements) {
    const declared = element.name === "main" || element.attributes["role"] === "main";
    if (declared && element.textLength > (best?.textLength ?? MIN_MAIN_CHARACTERS)) best = element;
  }
  return best;
}

function isBoilerplate(element: MarkupElement, { page, mainAncestors }: Context): boolean {
  const { name, attributes, textLength, linkLength } = element;
  if (mainAncestors.has(element) || name === "main" || name === "article") return false;
  const share = textLength / page;
  if (share > MAX_BOILERPLATE_SHARE) return false;
  const linked = textLength === 0 ? 0 : linkLength / textLength;
  if (name === "nav" || name === "dialog") return true;
  const role = attributes["role"];
  if (role !== undefined && ROLES.has(role)) return role !== "banner" || !hasTopHeading(element);
  if (name === "noscript")
    return element.textLength < MAX_NOTICE_CHARACTERS && asksForScripts(textOf(element));
  if (name === "a") return attributes["href"]?.startsWith("#") === true && isSkip(element);
  if (INLINE.has(name)) return false;
  const verdict = judgeNames(attributes);
  if (verdict === "content") return false;
  if (verdict === "always" && share < 0.35) return true;
  if (verdict === "footer" && share < 0.3) return true;
  if (verdict === "sidebar" && share < 0.3 && !isRemark(element, linked)) return true;
  if (verdict === "mostly" && (linked > 0.5 || (share < 0.15 && linked > 0.2))) return true;
  if (name === "footer") return linked > 0.5 || !isInSection(element);
  if (name === "aside") return linked > 0.4 || !(isInSection(element) || isInFlow(element));
  if (name === "header") {
    return (linked > 0.3 || !hasTopHeading(element)) && !isInSection(element);
  }
  return share < 0.3 && saysSo(element, linked);
}

/** A box in the running text, as handbooks have them. */
function isRemark(element: MarkupElement, linked: number): boolean {
  return linked < 0.4 && element.name === "aside" && isInSection(element);
}

/** It stands between paragraphs. */
function isInFlow({ parent }: MarkupElement): boolean {
  const siblings = parent?.children.slice(0, MAX_SIBLINGS) ?? [];
  return siblings.some((child) => typeof child === "object" && child.name === "p");
}

/** The part begins with words that announce something else than the content. */
function saysSo(element: MarkupElement, linked: number): boolean {
  if (element.textLength === 0) return false;
  if (element.textLength < 20 && isAdvertisementMark(textOf(element))) return true;
  const isAsking = linked < 0.25 && element.name !== "form";
  if (isAsking && element.textLength > MAX_OPINION_CHARACTERS) return false;
  const text = firstText(element);
  const says = isAsking ? asksForOpinion(text) : announcesOtherPages(text) || asksForOpinion(text);
  return says && !hasTopHeading(element);
}

/** A heading that announces other pages, with a list of links behind it. */
function listBehindHeading(element: MarkupElement, { page }: Context): MarkupElement | null {
  const { name, parent } = element;
  if (
    name.length !== 2 ||
    !/^h[2-6]$/.test(name) ||
    element.textLength > PHRASE_CHARACTERS ||
    parent === null
  )
    return null;
  if (!announcesOtherPages(textOf(element))) return null;
  const siblings = parent.children;
  if (siblings.length > MAX_SIBLINGS) return null;
  const next = siblings
    .slice(siblings.indexOf(element) + 1)
    .find((child): child is MarkupElement => typeof child === "object" && child.textLength > 0);
  const isList = next !== undefined && next.linkLength > 0.5 * next.textLength;
  return isList && next.textLength < 0.3 * page ? next : null;
}

/** A small form that wants an address for mail. */
function asksForAddress(element: MarkupElement, { page }: Context): boolean {
  if (element.name !== "form" || element.textLength > 0.15 * page) return false;
  let asks = false;
  const open: MarkupElement[] = [element];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.name === "textarea" || at.name === "select") return false;
    if (at.name === "input" && at.attributes["type"] === "email") asks = true;
    for (const child of at.children) if (typeof child === "object") open.push(child);
  }
  return asks;
}

/** The form, or the outermost part that holds little else. */
function withPromise(form: MarkupElement): MarkupElement {
  let part = form;
  for (let levels = 0; levels < 3 && part.parent !== null; levels++) {
    const { parent } = part;
    const isMore = parent.textLength - form.textLength > MAX_PROMISE_CHARACTERS;
    if (isMore || !/^(?:div|section|aside)$/.test(parent.name)) break;
    if (hasTopHeading(parent, MAX_SIBLINGS)) break;
    part = parent;
  }
  return part;
}

function isSkip(element: MarkupElement): boolean {
  return element.textLength < PHRASE_CHARACTERS && isSkipLink(textOf(element));
}

/** The first text inside of an element that is seen. */
function firstText(element: MarkupElement): string {
  const open: MarkupNode[] = [element];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node === "string") {
      const text = node.trimStart();
      if (text !== "") return text.slice(0, PHRASE_CHARACTERS);
    } else if (!node.hidden && !NOT_TEXT.has(node.name)) {
      for (let at = node.children.length - 1; at >= 0; at--) open.push(node.children[at] ?? "");
    }
  }
  return "";
}

/** They are parts of a text, or of a list or a table. */
const INLINE = new Set(
  "a abbr b body cite code dd dt em h1 h2 h3 h4 h5 h6 i label li p pre q s small span strong sub sup table tbody td th thead time tr u".split(
    " ",
  ),
);

function isInSection(element: MarkupElement): boolean {
  for (let at = element.parent; at !== null; at = at.parent)
    if (SECTIONING.has(at.name)) return true;
  return false;
}

/** @param limit  elements that are looked at; what has more counts as having one */
function hasTopHeading(element: MarkupElement, limit = Number.POSITIVE_INFINITY): boolean {
  const open: MarkupElement[] = [element];
  let seen = 0;
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.name === "h1" || at.children.length > limit || seen++ > limit) return true;
    for (const child of at.children) if (typeof child === "object") open.push(child);
  }
  return false;
}

function isInside(element: MarkupElement | null, set: ReadonlySet<MarkupElement>): boolean {
  if (set.size === 0) return false;
  for (let at = element; at !== null; at = at.parent) if (set.has(at)) return true;
  return false;
}

function ancestorsOf(element: MarkupElement): MarkupElement[] {
  const ancestors: MarkupElement[] = [];
  for (let at: MarkupElement | null = element; at !== null; at = at.parent) ancestors.push(at);
  return ancestors;
}

/** Elements with text on the way from the root to `element`, beside it. */
function* besides(element: MarkupElement): Generator<MarkupElement> {
  for (const ancestor of ancestorsOf(element).slice(1).reverse()) {
    for (const child of ancestor.children) {
      if (typeof child !== "object" || child.hidden || child.textLength === 0) continue;
      if (child === element || isAncestor(child, element)) continue;
      yield child;
    }
  }
}

function isAncestor(candidate: MarkupElement, of: MarkupElement): boolean {
  for (let at: MarkupElement | null = of; at !== null; at = at.parent)
    if (at === candidate) return true;
  return false;
}

/** The smallest element that still holds the bulk of the text that is neither link nor boilerplate. */
function container(root: MarkupElement, boilerplate: ReadonlySet<MarkupElement>): MarkupElement {
  const content = (element: MarkupElement): number => {
    if (boilerplate.has(element)) return 0;
    return element.textLength - element.linkLength;
  };
  let at = root;
  for (;;) {
    const needed = content(at) * CONTAINER_SHARE;
    const next = at.children.find(
      (child): child is MarkupElement =>
        typeof child === "object" &&
        !child.hidden &&
        !INLINE.has(child.name) &&
        content(child) >= needed &&
        content(child) > 0,
    );
    // Rows and cells of a layout table are looked into; a table row by row is no container.
    if (next === undefined) {
      const table = at.children.find(
        (child): child is MarkupElement =>
          typeof child === "object" &&
          /^(?:table|tbody|tr|td)$/.test(child.name) &&
          content(child) >= needed &&
          content(child) > 0,
      );
      if (table === undefined) return at;
      at = table;
    } else at = next;
  }
}

/** Lists of links, lines of the owner and questions for consent on the way to the container of the content. */
function* decorationBeside(
  element: MarkupElement,
  { page, title }: Context,
): Generator<MarkupElement> {
  const path = ancestorsOf(element);
  for (const beside of besides(element)) {
    if (beside.textLength > page * 0.4 || hasTopHeading(beside)) continue;
    // Of the same kind as what holds the content: other posts of a thread.
    if (path.some((each) => each.parent === beside.parent && isOfSameKind(each, beside))) continue;
    if (holdsTitle(beside, title)) continue;
    const isList = beside.linkLength / beside.textLength > 0.5 && countLinks(beside) >= 3;
    if (isList || (beside.textLength < MAX_NOTICE_CHARACTERS && isNotice(textOf(beside)))) {
      yield beside;
    }
  }
}

function isOfSameKind(one: MarkupElement, other: MarkupElement): boolean {
  const { class: classes = "" } = one.attributes;
  return classes !== "" && one.name === other.name && classes === other.attributes["class"];
}

/** A text of the part begins the title of the document. */
function holdsTitle(element: MarkupElement, title: string): boolean {
  const open: MarkupNode[] = [element];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node === "string") {
      const text = node.trim();
      if (text.length >= MIN_TITLE_CHARACTERS && title.trimStart().startsWith(text)) return true;
    } else if (!NOT_TEXT.has(node.name)) for (const child of node.children) open.push(child);
  }
  return false;
}

/** What stands in front of the heading of the page and has links in it. */
function* linksBeforeHeading(
  elements: readonly MarkupElement[],
  found: ReadonlySet<MarkupElement>,
  { page }: Context,
): Generator<MarkupElement> {
  const heading = elements.find(
    (element) => element.name === "h1" && element.textLength > 0 && !isInside(element, found),
  );
  if (heading === undefined) return;
  const path = new Set(ancestorsOf(heading));
  for (const ancestor of ancestorsOf(heading).slice(1)) {
    for (const child of ancestor.children) {
      if (typeof child !== "object") continue;
      if (path.has(child)) break;
      // The package of a class, the section of a newspaper.
      if (child.parent === heading.parent && countLinks(child) < 2) continue;
      const isSmall = child.textLength > 0 && child.textLength < 0.15 * page;
      if (isSmall && !child.hidden && child.linkLength > 0.3 * child.textLength) yield child;
    }
  }
}

function countLinks(element: MarkupElement): number {
  let links = 0;
  const open: MarkupElement[] = [element];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.name === "a") links++;
    for (const child of at.children) if (typeof child === "object") open.push(child);
  }
  return links;
}
