/**
 * What of a page is its content, and what stands around it on every page of a site: navigation, headers,
 * footers, consent dialogs, lists of other articles. Such parts are not left out: they are shown behind
 * the content, since the model may want to follow their links.
 *
 * The judgement is by what the markup says (elements, ARIA roles, names in classes and ids), by the share
 * of link text, and by where the bulk of the text is.
 */
import type { MarkupElement } from "./markup-tree.ts";

/** Shorter pages are shown as they are: there is nothing to look for. */
const MIN_PAGE_CHARACTERS = 250;
/** A `main` element with less text than this is the shell of something that a script fills in. */
const MIN_MAIN_CHARACTERS = 120;
/** What holds more than this share of the text is no decoration under any name. */
const MAX_BOILERPLATE_SHARE = 0.5;
/** The container of the content holds at least this share of what is neither link nor boilerplate. */
const CONTAINER_SHARE = 0.7;

const word = (list: string): RegExp => new RegExp(`(?:^|[\\s_-])(?:${list})(?=$|[\\s_-])`, "i");

/** Names of parts that are decoration wherever they stand and however much text they hold. */
const ALWAYS = word(
  "cookies?|cookie-?(?:banner|notice|consent|bar|wall)|consent|gdpr|ccpa|onetrust\\S*|skip-?(?:link|nav|to-content)?s?|sr-only-focusable|" +
    "breadcrumbs?|share|sharing|social|socials|share-?(?:bar|buttons?|links?)|newsletter(?:-?\\w+)?|subscribe|subscription-?\\w*|" +
    "advert(?:s|isement)?|ads?|ad-?(?:slot|unit|banner|container)|sponsored|promo(?:tion)?s?|paywall-?\\w*|" +
    "pagination|pager|page-?nav(?:igation)?|prev-?next|post-?nav(?:igation)?|edit-?(?:link|page|this-page)|print-?only|noprint|mw-editsection",
);
/** Names of parts that are decoration when they are small or mostly links. */
const MOSTLY = word(
  "nav|navbar|navigation|navbox|menu|menubar|submenu|site-?menu|main-?menu|sidebar|side-?bar|sidenav|side-?nav|footer|site-?footer|page-?footer|" +
    "masthead|topbar|top-?bar|site-?header|page-?header|app-?bar|toolbar|related|related-?\\w+|recommend(?:ed|ations?)|" +
    "read-?more|more-?(?:stories|articles|news|from)|also-?like|trending|popular|most-?(?:read|popular)|tags?|tag-?(?:list|cloud)|toc|table-?of-?contents|" +
    "on-?this-?page|outline|widgets?|widget-?area|search-?(?:box|form|bar)|searchbox|modal|popup|overlay|drawer|offcanvas|" +
    "copyright|legal|language-?(?:switch\\w*|select\\w*|list)|login|signin|sign-?in|signup|sign-?up|catlinks|author-?bio|feedback|helpful|call-?to-?action|cta|banner",
);
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

/** @param elements  all visible elements, measured, in the order of the page */
export function findRegions(elements: readonly MarkupElement[]): Regions {
  const root = elements[0];
  const none: Regions = { boilerplate: new Set() };
  if (root === undefined || root.textLength < MIN_PAGE_CHARACTERS) return none;
  const main = declaredMain(elements);
  const context: Context = {
    page: root.textLength,
    mainAncestors: new Set(main === null ? [] : ancestorsOf(main)),
    names: new NameJudge(),
  };
  const found = new Set<MarkupElement>();
  // Parents stand before their children: what is inside of a part that was found is known by its parent.
  const covered = new Set<MarkupElement>();
  for (const element of elements) {
    if (element.parent === null) continue;
    if (covered.has(element.parent)) covered.add(element);
    else if (isBoilerplate(element, context)) {
      found.add(element);
      covered.add(element);
    }
  }
  if (main !== null) {
    for (const element of besides(main)) {
      if (!isInside(element, found) && !hasTopHeading(element)) found.add(element);
    }
  } else {
    for (const element of linkListsBeside(container(root, found))) {
      if (!isInside(element, found) && element.textLength < context.page * 0.4) found.add(element);
    }
  }
  const outermost = elements.filter(
    (element) => found.has(element) && !isInside(element.parent, found),
  );
  const moved = outermost.reduce((sum, { textLength }) => sum + textLength, 0);
  // A page whose links are its content.
  return root.textLength - moved < MIN_MAIN_CHARACTERS ? none : { boilerplate: new Set(outermost) };
}

type Context = {
  readonly page: number;
  readonly mainAncestors: ReadonlySet<MarkupElement>;
  readonly names: NameJudge;
};

/** What the names of an element say; the same few stand on most elements of a page. */
class NameJudge {
  readonly #known = new Map<string, "always" | "mostly" | "no">();

  judge(names: string): "always" | "mostly" | "no" {
    // Names of the whole page's state stand on its outermost elements, and are many.
    if (names.length > 300) return "no";
    let verdict = this.#known.get(names);
    if (verdict === undefined) {
      verdict = ALWAYS.test(names) ? "always" : MOSTLY.test(names) ? "mostly" : "no";
      this.#known.set(names, verdict);
    }
    return verdict;
  }
}

/** The one element that the page itself calls its content. */
function declaredMain(elements: readonly MarkupElement[]): MarkupElement | null {
  let best: MarkupElement | null = null;
  for (const element of elements) {
    const declared = element.name === "main" || element.attributes["role"] === "main";
    if (declared && element.textLength > (best?.textLength ?? MIN_MAIN_CHARACTERS)) best = element;
  }
  return best;
}

function isBoilerplate(element: MarkupElement, { page, mainAncestors, names }: Context): boolean {
  const { name, attributes, textLength, linkLength } = element;
  if (mainAncestors.has(element) || name === "main" || name === "article") return false;
  const share = textLength / page;
  if (share > MAX_BOILERPLATE_SHARE) return false;
  const linked = textLength === 0 ? 0 : linkLength / textLength;
  if (name === "nav" || name === "dialog") return true;
  const role = attributes["role"];
  if (role !== undefined && ROLES.has(role)) return role !== "banner" || !hasTopHeading(element);
  if (name === "footer") return linked > 0.5 || !isInSection(element);
  if (name === "aside") return linked > 0.4 || !isInSection(element);
  if (name === "header") {
    return (linked > 0.3 || !hasTopHeading(element)) && !isInSection(element);
  }
  const { class: classes = "", id = "" } = attributes;
  if (INLINE.has(name) || classes.length + id.length < 2) return false;
  const verdict = names.judge(`${classes} ${id}`);
  if (verdict === "always") return share < 0.35;
  return verdict === "mostly" && (linked > 0.5 || (share < 0.15 && linked > 0.2));
}

const INLINE = new Set(
  "a span code em strong b i abbr time h1 h2 h3 h4 h5 h6 p td th tr table pre body li dt dd label".split(
    " ",
  ),
);

function isInSection(element: MarkupElement): boolean {
  for (let at = element.parent; at !== null; at = at.parent)
    if (SECTIONING.has(at.name)) return true;
  return false;
}

function hasTopHeading(element: MarkupElement): boolean {
  const open: MarkupElement[] = [element];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.name === "h1") return true;
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

/** Lists of links on the way to the container of the content. */
function* linkListsBeside(element: MarkupElement): Generator<MarkupElement> {
  for (const beside of besides(element)) {
    const isList = beside.linkLength / beside.textLength > 0.6 && countLinks(beside) >= 3;
    if (isList && !hasTopHeading(beside)) yield beside;
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
