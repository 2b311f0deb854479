/** How much text stands where: what is hidden, what is link text. */
import { isElement, type MarkupElement, textOf } from "./markup-tree.ts";
import type { Visibility } from "./visibility.ts";

/** Elements whose content is no text of the page. */
export const NOT_TEXT: ReadonlySet<string> = new Set(
  "script style title svg audio video head datalist noembed colgroup track source param math".split(
    " ",
  ),
);

export type Measurements = {
  /** Every visible element, before those inside of it. */
  readonly elements: readonly MarkupElement[];
  /** Characters that were left out as hidden. */
  readonly hiddenCharacters: number;
};

/** Fills in `textLength`, `linkLength` and `hidden` of every element. */
export function measure(root: MarkupElement, isVisible: Visibility): Measurements {
  const elements: MarkupElement[] = [];
  const open: MarkupElement[] = [root];
  let hiddenCharacters = 0;
  for (let element = open.pop(); element !== undefined; element = open.pop()) {
    if (NOT_TEXT.has(element.name) || isClosedTemplate(element)) continue;
    if (!isVisible(element)) {
      element.hidden = true;
      hiddenCharacters += lengthOf(textOf(element));
      continue;
    }
    elements.push(element);
    const { children } = element;
    for (let at = children.length - 1; at >= 0; at--) {
      const child = children[at];
      if (isElement(child)) open.push(child);
      else if (child !== undefined) element.textLength += lengthOf(child);
    }
  }
  // Parents stand before their children: backwards, every sum is complete when it is added.
  for (let at = elements.length - 1; at > 0; at--) {
    const element = elements[at];
    if (!element?.parent) continue;
    // Buttons do something else than the content, as links lead somewhere else.
    const isLink =
      (element.name === "a" && element.attributes["href"] !== undefined) ||
      element.name === "button";
    element.parent.textLength += element.textLength;
    element.parent.linkLength += isLink ? element.textLength : element.linkLength;
  }
  return { elements, hiddenCharacters };
}

/** A template is not shown, except where it is the shadow tree of its parent. */
export function isClosedTemplate({ name, attributes }: MarkupElement): boolean {
  return name === "template" && attributes["shadowrootmode"] === undefined;
}

/** Characters of a text without the blanks around it, by the units alone: it is asked of every text. */
function lengthOf(text: string): number {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= SPACE) start++;
  while (end > start && text.charCodeAt(end - 1) <= SPACE) end--;
  return end - start;
}

const SPACE = 0x20;
