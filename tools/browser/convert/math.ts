/**
 * Mathematics as text. TeX is what the model writes and reads itself, so a formula that carries its TeX
 * is shown as that; MathML without it is written out in the same notation.
 */
import { isElement, type MarkupElement, type MarkupNode, textOf } from "./markup-tree.ts";

/** Characters of one formula. */
const MAX_FORMULA_CHARACTERS = 4000;
/** Deeper formulas are shown as the text of their parts. */
const MAX_DEPTH = 60;

export function mathText(math: MarkupElement): string {
  const tex = annotationOf(math) ?? math.attributes["alttext"];
  const text = tex === undefined || tex.trim() === "" ? linear(math, 0) : texBody(tex);
  return text.replace(/\s+/g, " ").trim().slice(0, MAX_FORMULA_CHARACTERS);
}

/** `{\displaystyle x}` says nothing that `x` does not. */
export function texBody(tex: string): string {
  const body = tex.trim();
  return /^\{\\(?:displaystyle|textstyle)\s*([\s\S]*)\}$/.exec(body)?.[1] ?? body;
}

function annotationOf(math: MarkupElement): string | undefined {
  const nodes: MarkupNode[] = [math];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (!isElement(node)) continue;
    if (node.name === "annotation" && /tex/i.test(node.attributes["encoding"] ?? ""))
      return textOf(node);
    for (let at = node.children.length - 1; at >= 0; at--) nodes.push(node.children[at] ?? "");
  }
  return undefined;
}

function linear(node: MarkupNode, depth: number): string {
  if (typeof node === "string") return node.trim();
  if (depth > MAX_DEPTH) return textOf(node).trim();
  const elements = node.children.filter(isElement);
  const part = (index: number): string => {
    const child = elements[index];
    return child === undefined ? "" : linear(child, depth + 1);
  };
  switch (node.name) {
    case "annotation":
    case "annotation-xml":
      return "";
    case "mfrac":
      return `${grouped(part(0))}/${grouped(part(1))}`;
    case "msqrt":
      return `√(${row(node, depth)})`;
    case "mroot":
      return `root(${part(0)}, ${part(1)})`;
    case "msup":
      return `${part(0)}^{${part(1)}}`;
    case "msub":
      return `${part(0)}_{${part(1)}}`;
    case "msubsup":
    case "munderover":
      return `${part(0)}_{${part(1)}}^{${part(2)}}`;
    case "munder":
      return `${part(0)}_{${part(1)}}`;
    case "mover":
      return `${part(0)}^{${part(1)}}`;
    case "mtable":
      return `[${elements.map((each) => linear(each, depth + 1)).join("; ")}]`;
    case "mtr":
      return elements.map((each) => linear(each, depth + 1)).join(", ");
    case "mo": {
      const operator = textOf(node).trim();
      return /^[=+\-−×·<>≤≥≠≈∈→⇒∧∨]$/.test(operator) ? ` ${operator} ` : operator;
    }
    case "mspace":
      return " ";
    case "mtext":
    case "ms":
      return textOf(node);
    default:
      return row(node, depth);
  }
}

function row(node: MarkupElement, depth: number): string {
  return node.children.map((child) => linear(child, depth + 1)).join("");
}

function grouped(text: string): string {
  return /^[\p{L}\p{N}.]*$/u.test(text) ? text : `(${text.trim()})`;
}
