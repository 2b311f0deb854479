/**
 * What authors call the parts of a page that stand around its content: names in classes and ids, marks
 * for tests and components, labels for screen readers.
 */
import type { Attributes } from "./markup-tree.ts";

/**
 * `always`: decoration wherever it stands. `footer`, `sidebar`: decoration where it is a small part of the
 * page. `mostly`: decoration where it is small and has links, or is mostly links.
 */
export type NameVerdict = "always" | "footer" | "sidebar" | "mostly" | "content" | "none";

/** A name as a whole word of a compound: `site-footer`, `footer__inner`. */
const word = (list: string): RegExp => new RegExp(`(?:^|[\\s_-])(?:${list})(?=$|[\\s_-])`, "i");

/** A name by itself: builders of sites put `widget` into the compounds of everything. */
const exactly = (list: string): RegExp => new RegExp(`(?:^|\\s)(?:${list})(?=$|\\s)`, "i");

/** Parts of the running text that other names would hide: remarks, quotes. */
const CONTENT = word(
  "hatnote|dablink|quote|pull-?quote|blockquote|admonition|callout|notecard|footnotes?|infobox|disambig",
);

const ALWAYS = word(
  "cookies?|cookie-?(?:banner|notice|consent|bar|wall)|consent|gdpr|ccpa|onetrust\\S*|skip-?(?:link|nav|to-content)?s?|sr-only-focusable|" +
    "breadcrumbs?|breadcrumb-?\\w*|share|sharing|social|socials|share-?(?:bar|buttons?|links?|tools)|newsletter(?:-?\\w+)?|subscribe|subscription-?\\w*|" +
    "advert(?:s|isement|ising)?|ads?|ad-?(?:slot|unit|banner|container|wrapper)|sponsored|promo(?:tion)?s?|paywall-?\\w*|" +
    "pagination|pager|page-?nav(?:igation)?|prev-?next|post-?nav(?:igation)?|edit-?(?:link|page|this-page)|print-?only|noprint|mw-editsection|" +
    "comment-?respond|reply-?form|comment-?form|post-?form|mw-portlet|interlanguage-?\\w*|most-?(?:read|popular|viewed|shared)|" +
    "related-?(?:posts|articles|stories|products|links|topics|content|news)|also-?like|you-?may-?(?:also-?)?like|back-?to-?top|scroll-?to-?top|printfooter",
);
const FOOTER = word("footer|site-?info|colophon");
const SIDEBAR = word("sidebar|side-?bar|right-?rail|left-?rail");
const MOSTLY = word(
  "nav|navbar|navigation|navbox|menu|menubar|submenu|site-?menu|main-?menu|sidenav|side-?nav|" +
    "masthead|topbar|top-?bar|site-?header|page-?header|app-?bar|toolbar|related|related-?\\w+|recommend(?:ed|ations?)|" +
    "read-?more|more-?(?:stories|articles|news|from)|trending|popular|tags?|tag-?(?:list|cloud)|toc|table-?of-?contents|" +
    "on-?this-?page|outline|widget-?area|search-?(?:box|form|bar)|searchbox|modal|popup|overlay|drawer|offcanvas|" +
    "copyright|legal|language-?(?:switch\\w*|select\\w*|list)|login|signin|sign-?in|signup|sign-?up|signed-?out|catlinks|author-?bio|feedback|helpful|call-?to-?action|cta|banner",
);
const MOSTLY_EXACTLY = exactly("widgets?");

/** Names of the state of a whole page stand on its outermost elements, and are many. */
const MAX_NAMES_CHARACTERS = 300;
const MAX_LABEL_CHARACTERS = 60;

/** Names whose verdict is remembered: the same few stand on most elements of a site. */
const MAX_KNOWN = 5000;
const known = new Map<string, NameVerdict>();

export function judgeNames(attributes: Attributes): NameVerdict {
  const names = namesOf(attributes);
  if (names.length < 2 || names.length > MAX_NAMES_CHARACTERS) return "none";
  let verdict = known.get(names);
  if (verdict === undefined) {
    verdict = verdictOf(names);
    if (known.size < MAX_KNOWN) known.set(names, verdict);
  }
  return verdict;
}

function namesOf(attributes: Attributes): string {
  const { class: classes, id, "data-testid": test, "data-component": component } = attributes;
  const label = attributes["aria-label"];
  let names = classes ?? "";
  if (id !== undefined) names += ` ${id}`;
  if (test !== undefined) names += ` ${test}`;
  if (component !== undefined) names += ` ${component}`;
  if (label !== undefined && label.length <= MAX_LABEL_CHARACTERS) names += ` ${label}`;
  return names;
}

function verdictOf(names: string): NameVerdict {
  const parted = names.replace(/([a-z])(?=[A-Z])/g, "$1-").replace(/navigation-not-\w+/g, "");
  if (CONTENT.test(parted)) return "content";
  if (ALWAYS.test(parted)) return "always";
  if (FOOTER.test(parted)) return "footer";
  if (SIDEBAR.test(parted)) return "sidebar";
  return MOSTLY.test(parted) || MOSTLY_EXACTLY.test(names) ? "mostly" : "none";
}
