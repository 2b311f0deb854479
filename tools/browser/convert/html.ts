/**
 * HTML into a page: the tree, what of it a reader sees, what of that is the content, and then the text.
 */
import { type PageContent, urlHeading } from "../page.ts";
import { chooseTitle, countSmuggled } from "../text/clean-text.ts";
import { HtmlWalk } from "./html-walk.ts";
import { createLinkResolver } from "./link-resolver.ts";
import {
  isElement,
  type MarkupElement,
  type MarkupTree,
  parseHtml,
  textOf,
} from "./markup-tree.ts";
import { measure } from "./measure.ts";
import { findRegions } from "./regions.ts";
import { composeShadowTrees } from "./shadow-trees.ts";
import { visibilityOf } from "./visibility.ts";

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

/** What begins the parts that are not the content. */
const OTHER_PARTS = "[Navigation and other parts of the page:]";
const HIDDEN_PARTS = "[Text that is hidden until a script shows it:]";
/** A page that hides so much, and more than this share of its text, shows it by a script. */
const MOSTLY_HIDDEN = 0.8;
/** It hides it as a whole: in one element at least this share of what is hidden. */
const HIDDEN_AS_A_WHOLE = 0.6;
const MIN_HIDDEN_CHARACTERS = 300;

export function htmlToPage(source: HtmlSource): PageContent {
  const tree = parseHtml(source.html);
  if (tree.hasShadowTrees) composeShadowTrees(tree.root);
  const { root } = tree;
  const { elements, hiddenCharacters } = measure(root, visibilityOf(tree));
  const { boilerplate } = findRegions(elements, tree.title);
  const walk = new HtmlWalk(createLinkResolver(source.url, tree.base));
  walk.run([root], boilerplate);
  const heading = urlHeading(source.url);
  const mainEnd = walk.builder.length;
  if (boilerplate.size > 0) {
    walk.note(OTHER_PARTS);
    walk.run([...boilerplate], new Set());
  }
  const mostlyHidden =
    hiddenCharacters >= MIN_HIDDEN_CHARACTERS &&
    hiddenCharacters > MOSTLY_HIDDEN * (hiddenCharacters + root.textLength);
  const wanted = HIDDEN_AS_A_WHOLE * hiddenCharacters;
  const hidden = mostlyHidden
    ? elementsHidden(root).filter((element) => textOf(element).trim().length >= wanted)
    : [];
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
