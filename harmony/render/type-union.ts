/** Putting types together: `A | B`, in the shortest form that says the same. */
import { jsonText } from "./json-text.ts";
import {
  jsonTypesOf,
  type Notes,
  type Rule,
  type Shape,
  type TypeNode,
  type TypeUse,
} from "./type-graph.ts";

/** Types are told apart by what they hold down to this depth: they may be recursive. */
const MAX_DEPTH = 3;

/** What a node is made of. */
export type Built = Pick<TypeNode, "rules" | "notes"> & { readonly shape: Shape };

export function built(shape: Shape, rules: readonly Rule[] = [], notes: Notes = {}): Built {
  return { shape, rules, notes };
}

export function withRules(of: Built, rules: readonly Rule[]): Built {
  return rules.length === 0 ? of : { ...of, rules: [...of.rules, ...rules] };
}

export function nodeOf(of: Built): TypeNode {
  return { ...of, name: null, isRecursive: false };
}

export function plain(kind: "any" | "never" | "string"): TypeNode {
  return nodeOf(built({ kind }));
}

/**
 * What one of the variants admits.
 * @param isExclusive a value must not be of several variants
 */
export function unionOf(given: readonly TypeUse[], isExclusive: boolean = false): Built {
  const possible = given.filter(({ node }) => node.shape?.kind !== "never");
  // Where a value must not be of two variants, each has to be seen as it is.
  const overlap = isExclusive && !areDisjoint(possible);
  const variants = overlap ? possible : merged(possible);
  const [first, ...others] = variants;
  if (first === undefined) return built({ kind: "never" });
  if (others.length === 0 && first.node.shape !== undefined) {
    return { ...first.node, shape: first.node.shape, notes: first.notes };
  }
  if (!overlap && variants.some(isAnything)) return built({ kind: "any" });
  // `X | null`: what is said about X is said about the whole.
  const values = variants.filter(({ node }) => node.shape?.kind !== "null");
  const [value] = values;
  if (values.length !== 1 || value === undefined) {
    return built({ kind: "union", variants, isExclusive: overlap });
  }
  const bare = variants.map(({ node }) => ({ node, notes: {} }));
  return built({ kind: "union", variants: bare, isExclusive: overlap }, [], value.notes);
}

function isAnything({ node }: TypeUse): boolean {
  return node.shape?.kind === "any" && node.rules.length === 0;
}

/** Without what is there already, and with unions inside of the union taken apart. */
function merged(given: readonly TypeUse[]): TypeUse[] {
  const variants: TypeUse[] = [];
  const add = (use: TypeUse): void => {
    const { node, notes } = use;
    const { shape } = node;
    const isPlain = Object.keys(notes).length === 0;
    if (shape?.kind === "union" && !shape.isExclusive && node.rules.length === 0 && isPlain) {
      for (const variant of shape.variants) add(variant);
      return;
    }
    if (isPlain && variants.some((other) => isSame(other, use))) return;
    if (isPlain && shape?.kind === "literals" && node.rules.length === 0) {
      const at = variants.findIndex(isPlainLiterals);
      const known = variants[at]?.node.shape;
      if (known?.kind === "literals") {
        const values = new Map(
          [...known.values, ...shape.values].map((value) => [jsonText(value), value]),
        );
        variants[at] = {
          node: nodeOf(built({ kind: "literals", values: [...values.values()] })),
          notes: {},
        };
        return;
      }
    }
    variants.push(use);
  };
  for (const use of given) add(use);
  return variants;
}

function isPlainLiterals({ node, notes }: TypeUse): boolean {
  return (
    node.shape?.kind === "literals" && node.rules.length === 0 && Object.keys(notes).length === 0
  );
}

/** The same type without notes: the same node, or the same plain type with the same rules. */
function isSame(a: TypeUse, b: TypeUse): boolean {
  if (Object.keys(a.notes).length > 0 || Object.keys(b.notes).length > 0) return false;
  if (a.node === b.node) return true;
  const kind = a.node.shape?.kind;
  return (
    (kind === "string" || kind === "number" || kind === "boolean" || kind === "null") &&
    kind === b.node.shape?.kind &&
    jsonText(a.node.rules) === jsonText(b.node.rules)
  );
}

/** Whether it can be seen that no value is of two of the variants. */
function areDisjoint(variants: readonly TypeUse[]): boolean {
  return variants.every((one, at) =>
    variants.slice(at + 1).every((other) => isDisjoint(one.node, other.node)),
  );
}

function isDisjoint(a: TypeNode, b: TypeNode, depth: number = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  const [left, right] = [jsonTypesOf(a), jsonTypesOf(b)];
  if (left === null || right === null) return false;
  if ([...left].every((type) => !right.has(type))) return true;
  if (a.shape?.kind === "literals" && b.shape?.kind === "literals") {
    const values = new Set(a.shape.values.map(jsonText));
    return b.shape.values.every((value) => !values.has(jsonText(value)));
  }
  if (a.shape?.kind !== "object" || b.shape?.kind !== "object") return false;
  return isToldApart(a.shape, b.shape, depth) || isToldApart(b.shape, a.shape, depth);
}

type ObjectShape = Extract<Shape, { kind: "object" }>;

/** Whether a property that every value of `a` has keeps it from being one of `b`. */
function isToldApart(a: ObjectShape, b: ObjectShape, depth: number): boolean {
  return a.properties.some(({ name, isRequired, type }) => {
    if (!isRequired) return false;
    const other = b.properties.find((property) => property.name === name);
    if (other !== undefined) return isDisjoint(type.node, other.type.node, depth + 1);
    return b.isClosed && b.free.length === 0;
  });
}
