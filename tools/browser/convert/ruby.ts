/** Ruby: base text together, readings in brackets behind it, so that a word stays a word. */
import { cleanText } from "../text/clean-text.ts";
import type { MarkupElement, MarkupNode } from "./markup-tree.ts";

export function rubyText(ruby: MarkupElement): string {
  const base: string[] = [];
  const readings: string[] = [];
  const nodes: { readonly node: MarkupNode; readonly isReading: boolean }[] = [];
  const push = (children: readonly MarkupNode[], isReading: boolean): void => {
    for (let at = children.length - 1; at >= 0; at--) {
      nodes.push({ node: children[at] ?? "", isReading });
    }
  };
  push(ruby.children, false);
  for (let next = nodes.pop(); next !== undefined; next = nodes.pop()) {
    const { node, isReading } = next;
    if (typeof node === "string") (isReading ? readings : base).push(node);
    // Brackets for programs that know no ruby.
    else if (node.name !== "rp" && !node.hidden) {
      push(node.children, isReading || node.name === "rt" || node.name === "rtc");
    }
  }
  const reading = shown(readings);
  return reading === "" ? shown(base) : `${shown(base)}(${reading})`;
}

function shown(parts: readonly string[]): string {
  return cleanText(parts.join("")).replace(/\s+/g, " ").trim();
}
