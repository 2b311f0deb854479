/** Pages of results that a search service writes for people: elements by name and class, and their texts. */
import {
  isElement,
  type MarkupElement,
  type MarkupNode,
  parseHtml,
  textOf,
} from "../convert/markup-tree.ts";

export type Element = MarkupElement;

export function parse(html: string): Element {
  return parseHtml(html).root;
}

/** Elements below one, in the order of the page, that have this name (or any) and all of these classes. */
export function* elements(
  root: Element,
  name: string | null,
  ...classes: readonly string[]
): Generator<Element> {
  const open: MarkupNode[] = [...root.children].reverse();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (!isElement(node)) continue;
    if ((name === null || node.name === name) && classes.every((each) => hasClass(node, each))) {
      yield node;
    }
    for (let last = node.children.length - 1; last >= 0; last--)
      open.push(node.children[last] ?? "");
  }
}

export function first(
  root: Element | undefined,
  name: string | null,
  ...classes: readonly string[]
): Element | undefined {
  return root && elements(root, name, ...classes).next().value;
}

export function hasClass(element: Element, name: string): boolean {
  return (element.attributes["class"] ?? "").split(/\s+/).includes(name);
}

/** The text of an element on one line; empty where there is none. */
export function line(element: Element | undefined): string {
  return element === undefined ? "" : textOf(element).replace(/\s+/g, " ").trim();
}

/** The text of a snippet in which matches are marked with tags, and signs are entities. */
export function plainText(html: string): string {
  return /[<&]/.test(html) ? line(parse(html)) : html;
}
