/**
 * The parts of a JSON Schema of which one or another holds: `anyOf`, `oneOf`, `if`, dependent schemas. All
 * become groups of branches, so that one way of showing them is enough.
 */
import { isSchemaObject, type SchemaObject } from "./schema-references.ts";
import type { Rule } from "./type-graph.ts";

export type Alternatives = {
  /** Each a schema that narrows what stands beside the group. */
  readonly branches: readonly unknown[];
  /** Exactly one branch must hold. */
  readonly isExclusive: boolean;
  /** The group as it stands in the schema, for where it is not spread out; empty if it refuses nothing. */
  readonly asRules: readonly Rule[];
};

export type AlternativesOf = (schema: SchemaObject) => readonly Alternatives[];

/**
 * Remembers the groups of a schema, since branches made here are schemas that others must recognise as the
 * same ones.
 */
export function alternativesReader(): AlternativesOf {
  const known = new WeakMap<SchemaObject, readonly Alternatives[]>();
  return (schema) => {
    const groups = known.get(schema) ?? readAlternatives(schema);
    known.set(schema, groups);
    return groups;
  };
}

/** Branches of a list that admit something; undefined when the schema has no such list. */
export function liveBranches(list: unknown): readonly unknown[] | undefined {
  if (!Array.isArray(list)) return undefined;
  return list.filter((branch) => !admitsNothing(branch));
}

/** `false`, and what generators write for it: `{not: {}}`. */
function admitsNothing(schema: unknown): boolean {
  if (!isSchemaObject(schema)) return schema === false;
  const { not } = schema;
  return not === true || (isSchemaObject(not) && Object.keys(not).length === 0);
}

/** A branch that is always true makes the others say nothing. */
function admitsAnything(schema: unknown): boolean {
  if (!isSchemaObject(schema)) return schema === true;
  return Object.keys(schema).every((keyword) => NOTES.has(keyword));
}

const NOTES: ReadonlySet<string> = new Set(
  "title description default examples $comment".split(" "),
);

function readAlternatives(schema: SchemaObject): readonly Alternatives[] {
  const groups: Alternatives[] = [];
  for (const keyword of ["anyOf", "oneOf"]) {
    const branches = liveBranches(schema[keyword]);
    // One branch alone is no alternative: it holds.
    if (branches === undefined || branches.length < 2) continue;
    const isVacuous = keyword === "anyOf" && branches.some(admitsAnything);
    const asRules = isVacuous ? [] : [{ keyword, value: branches }];
    groups.push({ branches, isExclusive: keyword === "oneOf", asRules });
  }
  if (Object.hasOwn(schema, "if")) groups.push(...conditional(schema));
  const { dependentSchemas, dependencies } = schema;
  for (const dependent of [dependencies, dependentSchemas]) {
    if (!isSchemaObject(dependent)) continue;
    for (const [key, value] of Object.entries(dependent)) {
      if (!Array.isArray(value)) groups.push(dependentGroup(key, value));
    }
  }
  return groups;
}

function conditional(schema: SchemaObject): Alternatives[] {
  const { if: condition, then = true, else: otherwise = true } = schema;
  if (then === true && otherwise === true) return [];
  const asRules = ["if", "then", "else"].flatMap((keyword) =>
    Object.hasOwn(schema, keyword) ? [{ keyword, value: schema[keyword] }] : [],
  );
  const branches = [{ allOf: [condition, then] }, { allOf: [{ not: condition }, otherwise] }];
  return [{ branches, isExclusive: false, asRules }];
}

function dependentGroup(key: string, value: unknown): Alternatives {
  return {
    branches: [{ allOf: [{ required: [key] }, value] }, { properties: { [key]: false } }],
    isExclusive: false,
    asRules: [{ keyword: "dependentSchemas", value: { [key]: value } }],
  };
}
