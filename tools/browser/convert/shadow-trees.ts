/**
 * Declarative shadow trees: a reader sees the tree in the template, and in its slots what stands in the
 * element itself. Landmarks (`main`, `nav`) are then where they are on the screen.
 *
 * Source: WHATWG DOM, 4.2.2 "Shadow tree"; HTML Living Standard, 4.12.3 "The template element".
 */
import { isElement, type MarkupElement, type MarkupNode } from "./markup-tree.ts";

/** Elements with a shadow tree that are composed, and how deep they may stand in each other. */
const MAX_HOSTS = 2000;
const MAX_NESTED_HOSTS = 8;
/** Slots deeper in a template stay empty: a tree must not grow without bound. */
const MAX_SLOT_DEPTH = 32;

function isShadowTree(node: MarkupNode | undefined): node is MarkupElement {
  return (
    isElement(node) && node.name === "template" && node.attributes["shadowrootmode"] !== undefined
  );
}

/** Puts the children of every host into the slots of its shadow tree. What has no slot stays behind it. */
export function composeShadowTrees(root: MarkupElement): void {
  let hosts = 0;
  const open: { readonly element: MarkupElement; readonly nested: number }[] = [
    { element: root, nested: 0 },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { element } = next;
    let { nested } = next;
    if (nested < MAX_NESTED_HOSTS && hosts < MAX_HOSTS && element.children.some(isShadowTree)) {
      compose(element);
      hosts++;
      nested++;
    }
    for (const child of element.children)
      if (isElement(child)) open.push({ element: child, nested });
  }
}

function compose(host: MarkupElement): void {
  const template = host.children.find(isShadowTree);
  if (template === undefined) return;
  const light = host.children.filter((child) => child !== template);
  const slots = slotsOf(template);
  const rest: MarkupNode[] = [];
  const assigned = new Map<string, MarkupNode[]>();
  for (const node of light) {
    const name = isElement(node) ? (node.attributes["slot"] ?? "") : "";
    const nodes = slots.has(name) ? (assigned.get(name) ?? []) : rest;
    nodes.push(node);
    if (nodes !== rest) assigned.set(name, nodes);
  }
  for (const [name, nodes] of assigned) {
    const slot = slots.get(name);
    const isBlank = nodes.every((node) => !isElement(node) && node.trim() === "");
    // Without anything for it, a slot shows its own content.
    if (slot !== undefined && !isBlank) adopt(slot, nodes);
  }
  adopt(host, [...template.children, ...rest]);
}

/** By name, of each the first. */
function slotsOf(template: MarkupElement): ReadonlyMap<string, MarkupElement> {
  const slots = new Map<string, MarkupElement>();
  const open: { readonly node: MarkupNode; readonly depth: number }[] = [
    { node: template, depth: 0 },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, depth } = next;
    if (!isElement(node) || depth > MAX_SLOT_DEPTH || (isShadowTree(node) && depth > 0)) continue;
    const name = node.attributes["name"] ?? "";
    if (node.name === "slot" && !slots.has(name)) slots.set(name, node);
    for (let at = node.children.length - 1; at >= 0; at--) {
      open.push({ node: node.children[at] ?? "", depth: depth + 1 });
    }
  }
  return slots;
}

function adopt(parent: MarkupElement, nodes: readonly MarkupNode[]): void {
  parent.children.length = 0;
  for (const node of nodes) {
    parent.children.push(node);
    if (isElement(node)) node.parent = parent;
  }
}
