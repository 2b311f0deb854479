/**
 * What the HTML standard says of tags, as far as it matters for how elements nest. One record a tag, so
 * that the tree builder looks a name up once.
 *
 * Source: HTML Living Standard, 13.2.6 "Tree construction".
 */

/** The open elements that a start tag ends, and what bounds the search for them. */
export type ClosingRule = {
  readonly ends: ReadonlySet<string>;
  readonly within: ReadonlySet<string>;
};

export type Tag = {
  /** Lower case. */
  readonly name: string;
  /** It has no content and no end tag. */
  readonly isVoid: boolean;
  /** Its start tag ends an open paragraph. */
  readonly closesParagraph: boolean;
  readonly isHeading: boolean;
  /** No end tag inside of it reaches beyond it, and no start tag inside ends what is outside. */
  readonly isBoundary: boolean;
  /** A part of a table: its end tag reaches to the table, through cells. */
  readonly isTablePart: boolean;
  /** It ends an `svg` or `math` that was not closed. */
  readonly breaksOut: boolean;
  /** HTML may stand inside of it, in SVG or MathML. */
  readonly isIntegrationPoint: boolean;
  /** Document structure without a text of its own: its tags are looked through. */
  readonly isLookedThrough: boolean;
  /** Its content is no markup: without an element it would become text of the page. */
  readonly isRawText: boolean;
  readonly isForeign: boolean;
  readonly closes: ClosingRule | undefined;
};

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));

const VOID = words(
  "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr",
);
const CLOSES_PARAGRAPH = words(
  "address article aside blockquote center details dialog dir div dl dd dt fieldset figcaption figure " +
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p plaintext pre search " +
    "section summary table ul xmp",
);
const HEADINGS = words("h1 h2 h3 h4 h5 h6");
const BOUNDARIES = words("td th caption table template object svg math root");
const TABLE_PARTS = words("tr td th thead tbody tfoot caption colgroup");
const BREAKS_OUT = words(
  "b blockquote center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 hr i img li menu nobr ol p pre ruby " +
    "section article span strong table ul",
);
const INTEGRATION_POINTS = words(
  "foreignobject desc title annotation-xml mtext mi mo mn ms annotation",
);
const LOOKED_THROUGH = words("html head body frameset");
const RAW_TEXT = words("script style title iframe textarea");

const rule = (ends: string, within: string): ClosingRule => ({
  ends: words(ends),
  within: words(within),
});
const CELL = rule("td th caption", "tr table template root");
const ROW_GROUP = rule("tr td th thead tbody tfoot caption colgroup", "table root");
const RUBY_TEXT = rule("rt rp rb", "ruby root");
const RUBY_BASE = rule("rt rp rb rtc", "ruby root");
const DEFINITION = rule("dt dd", "dl table td th root");

const CLOSES: ReadonlyMap<string, ClosingRule> = new Map([
  ["li", rule("li", "ul ol menu dir table td th blockquote root")],
  ["dt", DEFINITION],
  ["dd", DEFINITION],
  ["option", rule("option", "select datalist optgroup root")],
  ["optgroup", rule("option optgroup", "select root")],
  ["tr", rule("tr td th caption", "table template root")],
  ["td", CELL],
  ["th", CELL],
  ["thead", ROW_GROUP],
  ["tbody", ROW_GROUP],
  ["tfoot", ROW_GROUP],
  ["rt", RUBY_TEXT],
  ["rp", RUBY_TEXT],
  ["rb", RUBY_BASE],
  ["rtc", RUBY_BASE],
  ["a", rule("a", "td th table p li div section article root")],
  ["button", rule("button", "td th table form root")],
]);

/** Spellings that are remembered; a hostile page has more. */
const MAX_KNOWN = 2000;
const known = new Map<string, Tag>();

/** The record of a tag, as it is spelled in the document. */
export function tagOf(spelling: string): Tag {
  const found = known.get(spelling);
  if (found !== undefined) return found;
  const lower = spelling.toLowerCase();
  const name = interned(lower === "image" ? "img" : lower);
  const tag: Tag = {
    name,
    isVoid: VOID.has(name),
    closesParagraph: CLOSES_PARAGRAPH.has(name),
    isHeading: HEADINGS.has(name),
    isBoundary: BOUNDARIES.has(name),
    isTablePart: TABLE_PARTS.has(name),
    breaksOut: BREAKS_OUT.has(name),
    isIntegrationPoint: INTEGRATION_POINTS.has(name),
    isLookedThrough: LOOKED_THROUGH.has(name),
    isRawText: RAW_TEXT.has(name),
    isForeign: name === "svg" || name === "math",
    closes: CLOSES.get(name),
  };
  if (known.size < MAX_KNOWN) known.set(spelling, tag);
  return tag;
}

/**
 * The same name as a key of an object. Engines keep one copy of each key, so that comparing two of them
 * compares addresses: the names of elements are compared more often than anything else here.
 */
function interned(name: string): string {
  return Object.keys({ [name]: 0 })[0] ?? name;
}

/** Attributes that say something about the text, by the spellings that are common. */
const ATTRIBUTES: ReadonlyMap<string, string> = new Map(
  (
    "alt alttext aria-controls aria-hidden aria-label bgcolor checked class color colspan content " +
    "data data-bs-target data-code-marker data-component data-target data-testid display encoding height hidden href id label media name placeholder " +
    "property rel role rowspan selected shadowrootmode slot src start style title type value width"
  )
    .split(" ")
    .flatMap((name) => [
      [name, name],
      [name.toUpperCase(), name],
    ]),
);
const MAX_NAME_CHARACTERS = 20;

/** The name under which an attribute is kept, or undefined: it says nothing here. */
export function attributeOf(spelling: string): string | undefined {
  const found = ATTRIBUTES.get(spelling);
  if (found !== undefined || spelling.length > MAX_NAME_CHARACTERS) return found;
  return /[A-Z]/.test(spelling) ? ATTRIBUTES.get(spelling.toLowerCase()) : undefined;
}
