/**
 * The limits of a JSON Schema that no type says: of numbers, texts, lists and objects. Where several
 * schemas hold together, each limit is told once, the narrower of two bounds alone.
 */
import { jsonText } from "./json-text.ts";
import { isSchemaObject, type SchemaObject } from "./schema-references.ts";
import type { Rule } from "./type-graph.ts";

/** Formats that ajv-formats checks on numbers; every other format is one of texts. */
const NUMBER_FORMATS: ReadonlySet<unknown> = new Set(["int32", "int64", "float", "double"]);

type Reader = (schema: SchemaObject) => unknown;

const number =
  (keyword: string): Reader =>
  (schema) =>
    typeof schema[keyword] === "number" ? schema[keyword] : undefined;

/** A least size: 0 says nothing. */
const size =
  (keyword: string): Reader =>
  (schema) =>
    schema[keyword] === 0 ? undefined : number(keyword)(schema);

const text =
  (keyword: string): Reader =>
  (schema) =>
    typeof schema[keyword] === "string" ? schema[keyword] : undefined;

const schema =
  (keyword: string): Reader =>
  (from) =>
    isSchemaObject(from[keyword]) || typeof from[keyword] === "boolean" ? from[keyword] : undefined;

const isInteger = ({ type }: SchemaObject): boolean => type === "integer";

/**
 * A bound of numbers. In draft 4 `exclusiveMinimum: true` sharpens `minimum`; later it is the bound. The
 * bounds of what a number can hold exactly say nothing about an integer.
 */
const bound =
  (side: "minimum" | "maximum", exclusive: string, isExclusive: boolean): Reader =>
  (from) => {
    const sharpens = from[exclusive] === true;
    const value = isExclusive && !sharpens ? from[exclusive] : from[side];
    if (typeof value !== "number" || (sharpens && !isExclusive)) return undefined;
    return isInteger(from) && Math.abs(value) === Number.MAX_SAFE_INTEGER ? undefined : value;
  };

/** By JSON type, in the order in which they are told. */
const RULES: { readonly [type: string]: readonly (readonly [string, Reader])[] } = {
  number: [
    ["minimum", bound("minimum", "exclusiveMinimum", false)],
    ["exclusiveMinimum", bound("minimum", "exclusiveMinimum", true)],
    ["maximum", bound("maximum", "exclusiveMaximum", false)],
    ["exclusiveMaximum", bound("maximum", "exclusiveMaximum", true)],
    ["multipleOf", number("multipleOf")],
    ["format", ({ format }) => (NUMBER_FORMATS.has(format) ? format : undefined)],
  ],
  string: [
    ["minLength", size("minLength")],
    ["maxLength", number("maxLength")],
    ["pattern", text("pattern")],
    ["format", (from) => (NUMBER_FORMATS.has(from["format"]) ? undefined : text("format")(from))],
    ["contentEncoding", text("contentEncoding")],
    ["contentMediaType", text("contentMediaType")],
  ],
  array: [
    ["minItems", size("minItems")],
    ["maxItems", number("maxItems")],
    ["uniqueItems", ({ uniqueItems }) => (uniqueItems === true ? true : undefined)],
    ["contains", schema("contains")],
    ["minContains", number("minContains")],
    ["maxContains", number("maxContains")],
  ],
  object: [
    ["minProperties", size("minProperties")],
    ["maxProperties", number("maxProperties")],
    ["dependentRequired", dependentRequired],
  ],
};

/** Keywords of rules: what a schema may have that narrows a type without changing what it holds. */
export const RULE_KEYWORDS: ReadonlySet<string> = new Set([
  ...Object.values(RULES).flatMap((rules) => rules.map(([keyword]) => keyword)),
  "not",
]);

/** What the rules that hold together say about values of a JSON type. */
export function rulesOf(schemas: readonly SchemaObject[], type: string): readonly Rule[] {
  const rules: Rule[] = [];
  for (const [keyword, read] of RULES[type] ?? []) {
    const values = schemas.map(read).filter((value) => value !== undefined);
    for (const value of narrowest(keyword, values)) {
      rules.push(value === true ? { keyword } : { keyword, value });
    }
  }
  return rules;
}

/** The `not` of all schemas, which are about values of every type. */
export function negationsOf(schemas: readonly SchemaObject[]): readonly Rule[] {
  return narrowest(
    "not",
    schemas.map(schema("not")).filter((value) => value !== undefined),
  ).map((value) => ({ keyword: "not", value }));
}

/** The type that a schema without `type` is about, by its other keywords; undefined: none, or several. */
export function typeByKeywords(schemas: readonly SchemaObject[]): string | undefined {
  const types = Object.entries(KEYWORDS).filter(([, keywords]) =>
    schemas.some((one) => keywords.some((keyword) => Object.hasOwn(one, keyword))),
  );
  return types.length === 1 ? types[0]?.[0] : undefined;
}

const KEYWORDS: { readonly [type: string]: readonly string[] } = {
  object:
    "properties required additionalProperties patternProperties propertyNames minProperties maxProperties dependentRequired dependentSchemas dependencies unevaluatedProperties".split(
      " ",
    ),
  array: "items prefixItems minItems maxItems uniqueItems contains".split(" "),
  string: "pattern minLength maxLength format".split(" "),
  number: "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split(" "),
};

function narrowest(keyword: string, values: readonly unknown[]): readonly unknown[] {
  if (/^(?:min|exclusiveMin)/.test(keyword) && values.length > 1) {
    return [Math.max(...(values as number[]))];
  }
  if (/^(?:max|exclusiveMax)/.test(keyword) && values.length > 1) {
    return [Math.min(...(values as number[]))];
  }
  const seen = new Set<string>();
  return values.filter((value) => {
    const known = jsonText(value);
    if (seen.has(known)) return false;
    seen.add(known);
    return true;
  });
}

/** `dependentRequired`, or the lists of names in `dependencies`, as it was called before 2019-09. */
function dependentRequired(from: SchemaObject): unknown {
  const { dependentRequired: given, dependencies } = from;
  const lists = Object.entries({
    ...(isSchemaObject(dependencies) ? dependencies : {}),
    ...(isSchemaObject(given) ? given : {}),
  }).filter(([, names]) => Array.isArray(names) && names.length > 0);
  return lists.length === 0 ? undefined : Object.fromEntries(lists);
}
