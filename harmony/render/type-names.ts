/**
 * Which types of a graph are printed once and referred to by name after that: recursive ones, since they
 * have no end otherwise, and, in a signature that would be long, those that are used several times.
 */

import type { TypeNode, TypeUse } from "./type-graph.ts";
import { built, nodeOf } from "./type-union.ts";

/** A signature with fewer types, each as often as it is used, is printed in full. */
const MAX_UNSHARED_TYPES = 400;
/** Smaller types are shown again wherever they are used. */
const MIN_SHARED_TYPES = 4;

/** Words that mean a type already. */
const TYPE_WORDS: readonly string[] =
  "any never string number boolean null object Array true false".split(" ");

export function namesOf(root: TypeNode): ReadonlyMap<TypeNode, string> {
  const uses = countUses(root);
  const sizes = sizesOf(root);
  const isLong = (sizes.get(root) ?? 0) > MAX_UNSHARED_TYPES;
  const taken = new Set(TYPE_WORDS);
  const names = new Map<TypeNode, string>();
  for (const [node, count] of uses) {
    const isShared =
      isLong &&
      count > 1 &&
      (sizes.get(node) ?? 0) >= MIN_SHARED_TYPES &&
      (node.shape?.kind === "object" || node.shape?.kind === "union");
    if (!node.isRecursive && !isShared) continue;
    names.set(node, unused(node.name ?? "Self", taken));
    wrapForName(node);
  }
  return names;
}

/** Only objects and unions have a line that a name can stand on. */
function wrapForName(node: TypeNode): void {
  const { shape, rules } = node;
  if (shape === undefined || shape.kind === "object" || shape.kind === "union") return;
  const inner = nodeOf(built(shape, rules));
  node.shape = { kind: "union", variants: [{ node: inner, notes: {} }], isExclusive: false };
  node.rules = [];
}

function unused(name: string, taken: Set<string>): string {
  let candidate = name;
  for (let n = 2; taken.has(candidate); n++) candidate = `${name}_${n}`;
  taken.add(candidate);
  return candidate;
}

/** All types of the graph in the order in which they are printed, with how often each is used. */
function countUses(root: TypeNode): ReadonlyMap<TypeNode, number> {
  const counts = new Map<TypeNode, number>();
  const visit = (node: TypeNode): void => {
    const count = counts.get(node) ?? 0;
    counts.set(node, count + 1);
    if (count === 0) for (const { node: part } of partsOf(node)) visit(part);
  };
  visit(root);
  return counts;
}

/** How many types each type is printed as; one inside of itself counts as one. */
function sizesOf(root: TypeNode): ReadonlyMap<TypeNode, number> {
  const sizes = new Map<TypeNode, number>();
  const measure = (node: TypeNode): number => {
    const known = sizes.get(node);
    if (known !== undefined) return known;
    sizes.set(node, 1);
    let size = 1;
    for (const part of partsOf(node)) size = Math.min(size + measure(part.node), 1e9);
    sizes.set(node, size);
    return size;
  };
  measure(root);
  return sizes;
}

function partsOf({ shape }: TypeNode): readonly TypeUse[] {
  switch (shape?.kind) {
    case "array":
      return [shape.items];
    case "tuple":
      return shape.rest === null ? shape.items : [...shape.items, shape.rest];
    case "object":
      return [
        ...shape.properties.map(({ type }) => type),
        ...shape.free.map(({ values }) => values),
      ];
    case "union":
      return shape.variants;
    default:
      return [];
  }
}
