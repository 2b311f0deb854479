/**
 * A graph of types as text: TypeScript-like, in the layout of the reference implementation, which is what
 * gpt-oss was trained on. What TypeScript cannot say follows in `//` comments: limits as `keyword: JSON`,
 * those of a list's items as `items.keyword`, of a map's keys and values as `keys.` and `values.`.
 */
import { jsonLine, oneLine } from "./json-text.ts";
import {
  jsonTypesOf,
  type Notes,
  type Rule,
  type Shape,
  type TypeNode,
  type TypeUse,
} from "./type-graph.ts";

import { namesOf } from "./type-names.ts";

/** Prints a type with the comments that belong to it. */
export function printType(root: TypeUse): string {
  return new TypePrinter(root).print();
}

class TypePrinter {
  readonly #root: TypeUse;
  /** Types that are printed once and then referred to by name. */
  readonly #names: ReadonlyMap<TypeNode, string>;
  readonly #printed = new Set<TypeNode>();

  constructor(root: TypeUse) {
    this.#root = root;
    this.#names = namesOf(root.node);
  }

  print(): string {
    const { node, notes } = this.#root;
    const { title: _, ...told } = notes;
    const comments = [
      ...this.#noteLines(told, ""),
      ...this.#itemDescriptions(this.#root, ""),
      ...joined(this.#marks(this.#root, "")),
    ];
    const lines = comments.map((comment) => `${comment}\n`).join("");
    if (!this.#isUnionBlock(node)) return lines + this.#text(node, "");
    const name = this.#startNamed(node);
    const start = lines === "" || name !== "" ? `${name}\n` : "";
    return `${lines}${start}${this.#variants(node, "")}`.trimEnd();
  }

  /** The type as text; where it has several lines, the first stands behind what is there already. */
  #text(node: TypeNode, indent: string): string {
    if (this.#printed.has(node)) return this.#names.get(node) ?? "any";
    if (this.#isUnionBlock(node)) {
      return `(${this.#startNamed(node)}\n${this.#variants(node, indent)}${indent})`;
    }
    const { shape } = node;
    if (shape === undefined) return "any";
    switch (shape.kind) {
      case "literals":
        return shape.values.map(jsonLine).join(" | ");
      case "array":
        return this.#arrayText(shape.items.node, indent);
      case "tuple":
        return this.#tupleText(shape, indent);
      case "object":
        return this.#objectText(node, shape, indent);
      case "union":
        return shape.variants.map((variant) => this.#text(variant.node, indent)).join(" | ");
      default:
        return shape.kind;
    }
  }

  #arrayText(items: TypeNode, indent: string): string {
    return isAny(items) ? "Array<any>" : `${this.#operand(items, indent)}[]`;
  }

  #tupleText({ items, required, rest }: Extract<Shape, { kind: "tuple" }>, indent: string): string {
    const places = items.map(({ node }, at) =>
      at < required ? this.#text(node, indent) : `${this.#operand(node, indent)}?`,
    );
    if (rest !== null) places.push(`...${this.#arrayText(rest.node, indent)}`);
    return `[${places.join(", ")}]`;
  }

  /** A type as `[]` and `?` take it: a choice in parentheses. */
  #operand(node: TypeNode, indent: string): string {
    const isBare = this.#printed.has(node) || this.#isUnionBlock(node) || !isChoice(node);
    const text = this.#text(node, indent);
    return isBare ? text : `(${text})`;
  }

  #objectText(
    node: TypeNode,
    { properties, free, isClosed }: Extract<Shape, { kind: "object" }>,
    indent: string,
  ): string {
    if (!this.#isObjectBlock(node)) {
      const [only] = free;
      if (only === undefined) return isClosed ? "{}" : "object";
      if (isAnyKey(only.keys) && isAny(only.values.node)) return "object";
      return `{ [key: ${this.#text(only.keys, indent)}]: ${this.#text(only.values.node, indent)} }`;
    }
    const label = this.#startNamed(node);
    const lines = properties.map(({ name, isRequired, type }) =>
      this.#property(isRequired ? keyText(name) : `${keyText(name)}?`, type, indent, name),
    );
    for (const { keys, values } of free) {
      const keyMarks = this.#marks({ node: keys, notes: {} }, "key.");
      lines.push(
        this.#property(`[key: ${this.#text(keys, indent)}]`, values, indent, "", keyMarks),
      );
    }
    return `{${label}\n${lines.join("")}${indent}}`;
  }

  /**
   * A property with its comments.
   * @param title the name again: a title that repeats it is left out
   */
  #property(
    key: string,
    type: TypeUse,
    indent: string,
    title: string,
    marks: readonly string[] = [],
  ): string {
    const { node } = type;
    const above = [...this.#noteLines(type.notes, title), ...this.#itemDescriptions(type, "")];
    const all = [...this.#marks(type, ""), ...marks];
    const inline = this.#isInline(node);
    if (!inline) above.push(...joined(all));
    const comments = above.map((line) => `${indent}${line}\n`).join("");
    if (this.#isUnionBlock(node)) {
      const variants = this.#startNamed(node);
      return `${comments}${indent}${key}:${variants}\n${this.#variants(node, indent)}${indent},\n`;
    }
    const text = this.#text(node, `${indent}    `);
    return `${comments}${indent}${key}: ${text},${inline ? trailing(all.join(", ")) : ""}\n`;
  }

  /** Title, description and examples, each line a comment. */
  #noteLines({ title, description, examples = [] }: Notes, name: string): string[] {
    const lines: string[] = [];
    if (title !== undefined && !isEcho(title, name) && title !== description) {
      lines.push(`// ${oneLine(title)}`);
      if (description !== undefined || examples.length > 0) lines.push("//");
    }
    if (description !== undefined) lines.push(`// ${oneLine(description)}`);
    if (examples.length > 0) {
      lines.push("// Examples:", ...examples.map((example) => `// - ${jsonLine(example)}`));
    }
    return lines;
  }

  /** The variants of a union, each on its own lines. */
  #variants(node: TypeNode, indent: string): string {
    const variants = node.shape?.kind === "union" ? node.shape.variants : [{ node, notes: {} }];
    return variants.map((variant) => this.#variant(variant, indent)).join("");
  }

  #variant(variant: TypeUse, indent: string): string {
    const { node, notes } = variant;
    const { title, description = title } = notes;
    const marks = [...exampleMarks(notes, ""), ...this.#marks(variant, "")];
    const said = [
      ...(description === undefined ? [] : [`// ${oneLine(description)}`]),
      ...this.#itemDescriptions(variant, ""),
      ...joined(marks),
    ];
    const isInline = this.#isInline(node);
    const above = isInline ? "" : said.map((comment) => `${indent} ${comment}\n`).join("");
    const behind = said.map((comment) => comment.slice(3)).join("; ");
    const text = this.#text(node, `${indent}   `);
    return `${above}${indent} | ${text}${isInline ? trailing(behind) : ""}\n`;
  }

  /** Descriptions of what a list or a map holds, which has no line of its own. */
  #itemDescriptions({ node }: TypeUse, path: string): string[] {
    return this.#parts(node).flatMap(({ type, step }) => {
      const { description } = type.notes;
      const own = description === undefined ? [] : [`// ${path}${step}: ${oneLine(description)}`];
      return [...own, ...this.#itemDescriptions(type, `${path}${step}.`)];
    });
  }

  /** What a comment says about a type beside its notes: default and rules, also of what it holds. */
  #marks({ node, notes }: TypeUse, path: string): string[] {
    const marks = [...defaultMarks(node, notes, path)];
    if (notes.isDeprecated === true) marks.push(`${path}deprecated`);
    if (this.#printed.has(node)) return marks;
    const { shape } = node;
    marks.push(...node.rules.map((rule) => `${path}${ruleText(rule)}`));
    if (shape?.kind === "union") {
      if (shape.isExclusive) marks.push(`${path}exactly one of these`);
      if (!this.#isUnionBlock(node)) {
        for (const variant of shape.variants) marks.push(...this.#marks(variant, path));
      }
    }
    for (const { type, step } of this.#parts(node)) {
      marks.push(...exampleMarks(type.notes, `${path}${step}.`));
      marks.push(...this.#marks(type, `${path}${step}.`));
    }
    return marks;
  }

  /** What a type holds without a line of its own, with the word for its place. */
  #parts(node: TypeNode): readonly { readonly type: TypeUse; readonly step: string }[] {
    const { shape } = node;
    if (this.#printed.has(node)) return [];
    switch (shape?.kind) {
      case "array":
        return [{ type: shape.items, step: "items" }];
      case "tuple": {
        const places = shape.items.map((type, at) => ({ type, step: `[${at}]` }));
        return shape.rest === null ? places : [...places, { type: shape.rest, step: "items" }];
      }
      case "object": {
        const [only] = shape.free;
        if (only === undefined || this.#isObjectBlock(node)) return [];
        const keys = { node: only.keys, notes: {} };
        return [
          { type: keys, step: "keys" },
          { type: only.values, step: "values" },
        ];
      }
      default:
        return [];
    }
  }

  /** Whether the type is printed on one line, with all that is to be said about it behind it. */
  #isInline(node: TypeNode): boolean {
    if (this.#printed.has(node)) return true;
    if (this.#isUnionBlock(node)) return false;
    const { shape } = node;
    switch (shape?.kind) {
      case "array":
        return this.#isInline(shape.items.node);
      case "tuple":
        return this.#parts(node).every(({ type }) => this.#isInline(type.node));
      case "object":
        return !this.#isObjectBlock(node);
      case "union":
        return shape.variants.every((variant) => this.#isInline(variant.node));
      default:
        return true;
    }
  }
  /** Whether an object is printed over several lines. */
  #isObjectBlock(node: TypeNode): boolean {
    const { shape } = node;
    if (shape?.kind !== "object" || this.#printed.has(node)) return false;
    const { properties, free } = shape;
    if (this.#names.has(node) || properties.length > 0 || free.length > 1) return true;
    return free.some(({ values }) => !this.#isInline(values.node));
  }

  /** Whether each variant of a union is printed on lines of its own. */
  #isUnionBlock(node: TypeNode): boolean {
    const { shape } = node;
    if (shape?.kind !== "union" || this.#printed.has(node)) return false;
    const { variants, isExclusive } = shape;
    if (this.#names.has(node) || isExclusive) return true;
    return variants.some(
      (variant) =>
        Object.keys(variant.notes).length > 0 ||
        !this.#isInline(variant.node) ||
        (this.#marks(variant, "").length > 0 && !isOnlyOfItsType(variant, variants)),
    );
  }

  /** What stands behind the opening of a type that has a name; from here on the name is enough. */
  #startNamed(node: TypeNode): string {
    const name = this.#names.get(node);
    if (name === undefined) return "";
    this.#printed.add(node);
    return ` // type ${name}`;
  }
}

/** Rules that are about values of any type. */
const UNTYPED_RULES: ReadonlySet<string> = new Set(
  "not anyOf oneOf if then else dependentSchemas".split(" "),
);

/** Whether rules that stand behind the whole union can only be meant for this variant. */
function isOnlyOfItsType(variant: TypeUse, variants: readonly TypeUse[]): boolean {
  const types = jsonTypesOf(variant.node);
  if (types === null || variant.node.rules.some(({ keyword }) => UNTYPED_RULES.has(keyword))) {
    return false;
  }
  return variants.every((other) => {
    const others = other === variant ? new Set<string>() : jsonTypesOf(other.node);
    return others !== null && [...types].every((type) => !others.has(type));
  });
}

/** Whether the type is written with `|` between its parts. */
function isChoice({ shape }: TypeNode): boolean {
  if (shape?.kind === "literals") return shape.values.length > 1;
  return shape?.kind === "union" && shape.variants.length > 1;
}

function isAny({ shape, rules }: TypeNode): boolean {
  return shape?.kind === "any" && rules.length === 0;
}

function isAnyKey({ shape, rules }: TypeNode): boolean {
  return shape?.kind === "string" && rules.length === 0;
}

/** pydantic titles every field with its own name: `user_id` → "User Id". That says nothing. */
function isEcho(title: string, name: string): boolean {
  const plain = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  return plain(title) === plain(name);
}

/** A key as it is, where nothing of it can be taken for a part of the declaration. */
function keyText(name: string): string {
  return /^[\p{L}\p{M}\p{N}_$@#.-]+$/u.test(name) ? name : jsonLine(name);
}

/** The default; a value of a choice without its quotes, as the reference has it. */
function defaultMarks({ shape }: TypeNode, { default: value }: Notes, path: string): string[] {
  if (value === undefined) return [];
  const isWord = typeof value === "string" && shape?.kind === "literals" && /^[\w.-]+$/.test(value);
  return [`${path}default: ${isWord ? value : jsonLine(value)}`];
}

function exampleMarks({ examples }: Notes, path: string): string[] {
  return examples === undefined ? [] : [`${path}examples: ${jsonLine(examples)}`];
}

function ruleText({ keyword, value }: Rule): string {
  return value === undefined ? keyword : `${keyword}: ${jsonLine(value)}`;
}

/** Marks as one comment; none without marks. */
function joined(marks: readonly string[]): string[] {
  return marks.length === 0 ? [] : [`// ${marks.join(", ")}`];
}

function trailing(comment: string): string {
  return comment === "" ? "" : ` // ${comment}`;
}
