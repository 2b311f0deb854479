/** How elements stand on the screen, as far as it matters for their text. */
import {
  type Attributes,
  isElement,
  type MarkupElement,
  type MarkupNode,
  textOf,
} from "./markup-tree.ts";

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));

/** They begin and end a line. */
export const BLOCKS: ReadonlySet<string> = words(
  "address article aside center dd details dialog dir div dl dt fieldset figcaption figure footer form " +
    "header hgroup legend main menu nav optgroup search section summary tbody tfoot thead tr caption",
);
/** They stand apart by a blank line. */
export const PARAGRAPHS: ReadonlySet<string> = words(
  "p dl table pre blockquote h1 h2 h3 h4 h5 h6 figure listing xmp plaintext fieldset",
);
const LISTS = words("ul ol menu dir li");
/** They stand in the line, and a reader sees a gap beside them. */
export const SPACED: ReadonlySet<string> = words("button label option output meter progress");

export function isBlock(name: string): boolean {
  return BLOCKS.has(name) || PARAGRAPHS.has(name) || LISTS.has(name);
}

export function isList(element: MarkupElement | null): boolean {
  return element !== null && element.name !== "li" && LISTS.has(element.name);
}

export function isStyledBlock({ style }: Attributes): boolean {
  return (
    style !== undefined &&
    /(?:^|;)\s*display\s*:\s*(?:block|flex|grid|table|list-item)/i.test(style.slice(0, 500))
  );
}

export function holdsBlocks(element: MarkupElement): boolean {
  return element.children.some(
    (child) => isElement(child) && (child.name === "br" || isBlock(child.name)),
  );
}

/** Siblings among which a neighbour is looked for. */
const MAX_SIBLINGS = 500;

/**
 * Whether an element touches a letter, an opening bracket or another part of a word: marks around it would
 * stand in the middle of what a reader reads as one word, such as the signature of a function.
 */
export function isPartOfWord(element: MarkupElement): boolean {
  const siblings = element.parent?.children ?? [];
  if (siblings.length > MAX_SIBLINGS) return false;
  const at = siblings.indexOf(element);
  return (
    touches(siblings[at - 1], /[\p{L}\p{N}_(.]$/u) || touches(siblings[at + 1], /^[\p{L}\p{N}_(]/u)
  );
}

function touches(node: MarkupNode | undefined, pattern: RegExp): boolean {
  if (!isElement(node)) return node !== undefined && pattern.test(node);
  if (node.name === "code" || node.name === "tt") return true;
  return node.name === "span" && pattern.test(textOf(node));
}

/** Whether it is the first element of its parent. */
export function isFirst(element: MarkupElement): boolean {
  return element.parent?.children.find(isElement) === element;
}

export function isLink(node: MarkupNode | undefined): boolean {
  return isElement(node) && node.name === "a";
}

/** A date right beside another element: style sheets set the two apart. */
export function isDateBeside(node: MarkupNode, before: MarkupNode | undefined): boolean {
  return isElement(node) && isElement(before) && (node.name === "time" || before.name === "time");
}

/** A paragraph that begins or ends an item of a list needs no blank line there. */
export function isTight({ name, parent }: MarkupElement, end: "first" | "last"): boolean {
  if (name !== "p" || (parent?.name !== "li" && parent?.name !== "dd")) return false;
  const children = someChildren(parent, 3);
  const child = end === "first" ? children[0] : children.at(-1);
  return children.length <= 2 && isElement(child) && child.name === "p";
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

/** Marks beside a heading that link to it or let it be changed, and formulas that are written once more as signs at places. */
export function isDecoration({ name, attributes, children }: MarkupElement): boolean {
  if (attributes["class"] === "mw-editsection") return true;
  if (name === "button") return children.length === 1 && isCopyLabel(children[0]);
  if (name === "a" && attributes["href"]?.startsWith("#")) {
    if (children.length > 2 || children.some((child) => isElement(child) && child.name === "img"))
      return false;
    return children.every((child) =>
      /^[\s¶#§∞🔗^↑↩]*$/u.test(isElement(child) ? textOf(child) : child),
    );
  }
  // KaTeX and MathJax: the formula itself stands beside as MathML.
  return (
    attributes["aria-hidden"] === "true" &&
    /\b(?:katex-html|mjx-|MathJax)/.test(attributes["class"] ?? "")
  );
}

/** What a button beside a program text says. */
function isCopyLabel(node: MarkupNode | undefined): boolean {
  return typeof node === "string" && /^\s*cop(?:y|ied)(?: code| to clipboard)?!?\s*$/i.test(node);
}

/**
 * What stands there for readers without scripts, and repeats the picture in front of it that a script
 * loads when it is scrolled to.
 */
export function isRepeatedPicture(element: MarkupElement): boolean {
  const { children, parent } = element;
  const pictures = children.filter(isElement);
  if (pictures.length === 0 || pictures.some(({ name }) => name !== "img" && name !== "picture"))
    return false;
  const siblings = parent?.children ?? [];
  if (siblings.length > MAX_SIBLINGS) return false;
  const before = siblings.slice(0, siblings.indexOf(element)).findLast(isElement);
  return before?.name === "img" || before?.name === "picture";
}

/** Line ends count in it, as in `pre`. */
export function isStyledPreformatted({ attributes, children }: MarkupElement): boolean {
  const { style } = attributes;
  return (
    style !== undefined &&
    /white-space(?:-collapse)?\s*:\s*(?:pre|break-spaces)/i.test(style.slice(0, 500)) &&
    children.some((child) => typeof child === "string" && child.trim().includes("\n"))
  );
}

/** Pictures of one pixel are there to count visitors. */
export function isPixel({ width, height }: Attributes): boolean {
  const one = /^[01](?:px)?$/;
  return one.test(width ?? "") && one.test(height ?? "");
}

export function startOf({ start }: Attributes): number {
  const number = Number.parseInt(start ?? "1", 10);
  return Number.isSafeInteger(number) ? number : 1;
}
