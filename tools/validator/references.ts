/** Where references lead, and schemas whose references cost too much to follow. */
import { SchemaError } from "../core/errors.ts";
import { isRecord } from "../core/record.ts";
import { pointsTo } from "./schema-flaws.ts";
import { allSchemas, MAP_KEYWORDS } from "./schema-keywords.ts";

/**
 * Most schemas that one value may be held against at one place. Alternatives that refer to alternatives
 * grow by doubling: sixty lines make more of them than can ever be tried.
 */
const MAX_EVALUATIONS = 20_000;

/** Keywords that hold the same value against another schema. */
const IN_PLACE: ReadonlySet<string> = new Set(
  "allOf anyOf oneOf not if then else dependentSchemas dependencies".split(" "),
);

/** @throws SchemaError where a value would never be done with, or not in any useful time */
export function refuseEndlessSchemas(root: unknown): void {
  const resolve = resolver(root);
  const costs = new Map<unknown, number>();
  const cost = (schema: unknown): number => {
    if (!isRecord(schema)) return 1;
    const known = costs.get(schema);
    if (known === OPEN) throw new SchemaError("The JSON Schema refers to itself without end.");
    if (known !== undefined) return known;
    costs.set(schema, OPEN);
    const reference = schema["$ref"] ?? schema["$recursiveRef"] ?? schema["$dynamicRef"];
    const parts = Object.entries(schema).flatMap(([keyword, value]) =>
      IN_PLACE.has(keyword) ? subschemas(keyword, value) : [],
    );
    const target = typeof reference === "string" ? resolve(reference) : undefined;
    const total = [target, ...parts].reduce<number>((sum, part) => sum + cost(part), 0);
    if (total > MAX_EVALUATIONS) {
      throw new SchemaError(
        `The JSON Schema holds a value against more than ${MAX_EVALUATIONS} alternatives at one place.`,
      );
    }
    costs.set(schema, total);
    return total;
  };
  for (const { schema } of allSchemas(root)) cost(schema);
}

/** Being computed. */
const OPEN = -1;

/** A sentence about the first reference that leads to nothing; undefined: there is none of that text. */
export function missingReference(root: unknown, reference: string): string | undefined {
  for (const { schema, place } of allSchemas(root)) {
    if (schema["$ref"] !== reference) continue;
    return reference.startsWith("#")
      ? `the $ref ${reference} at ${place || "the root"} leads to nothing in it`
      : `the $ref ${reference} at ${place || "the root"} leads out of it, and nothing is loaded`;
  }
  return undefined;
}

function resolver(root: unknown): (reference: string) => unknown {
  const named = new Map<string, unknown>();
  for (const { schema } of allSchemas(root)) {
    for (const keyword of ["$anchor", "$dynamicAnchor"]) {
      if (typeof schema[keyword] === "string") named.set(`#${schema[keyword]}`, schema);
    }
    if (typeof schema["$id"] === "string") named.set(schema["$id"], schema);
  }
  return (reference) => {
    if (reference === "#") return root;
    if (named.has(reference)) return named.get(reference);
    return reference.startsWith("#/") ? pointsTo(root, reference) : undefined;
  };
}

function subschemas(keyword: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return MAP_KEYWORDS.has(keyword) && isRecord(value) ? Object.values(value) : [value];
}
