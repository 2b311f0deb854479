/** Fields of a form by what stands in them, or by what they ask for. */
import {
  type Attributes,
  isElement,
  type MarkupElement,
  type MarkupNode,
  textOf,
} from "./markup-tree.ts";

const MAX_OPTIONS = 12;

/** @param field  `input`, `select` or `textarea` */
export function fieldText({ name, attributes, children }: MarkupElement): string {
  if (name === "select") return optionsText(children);
  const label = labelOf(attributes);
  if (name === "textarea") {
    const [text] = children;
    return bracketed(typeof text === "string" && text.trim() !== "" ? text : label);
  }
  switch (attributes["type"]?.toLowerCase()) {
    case "hidden":
      return "";
    case "checkbox":
    case "radio":
      return attributes["checked"] === undefined ? "[ ]" : "[x]";
    case "image":
      return bracketed(attributes["alt"] || label);
    case "password":
      return bracketed(label);
    default:
      return bracketed(attributes["value"] || label);
  }
}

const WITH_TEXT = new Set(["label", "li", "td", "th", "p", "dd", "span"]);

/** A check box without a text beside it: style sheets use them to fold menus. */
export function isLoneSwitch({ name, attributes, parent }: MarkupElement): boolean {
  const isSwitch = name === "input" && /^(?:checkbox|radio)$/i.test(attributes["type"] ?? "");
  return isSwitch && !WITH_TEXT.has(parent?.name ?? "");
}

function labelOf(attributes: Attributes): string {
  return attributes["aria-label"] || attributes["placeholder"] || attributes["title"] || "";
}

function bracketed(text: string): string {
  return text.trim() === "" ? "" : `[${text.trim()}]`;
}

function optionsText(children: readonly MarkupNode[]): string {
  const options: string[] = [];
  for (const child of children) {
    if (!isElement(child)) continue;
    for (const option of child.name === "optgroup" ? child.children.filter(isElement) : [child]) {
      const text = textOf(option).trim();
      if (text === "") continue;
      options.push(option.attributes["selected"] === undefined ? text : `${text} (chosen)`);
    }
  }
  const more = options.length - MAX_OPTIONS;
  const shown = options.slice(0, MAX_OPTIONS).join("; ");
  return bracketed(more > 0 ? `${shown}; and ${more} more` : shown);
}
