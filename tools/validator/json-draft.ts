/**
 * Which JSON Schema a schema is written in, and the same schema as ajv's classes expect it. People's
 * schemas name every draft, or none, or one that never was.
 */
import { SchemaError } from "../core/errors.ts";

/** The dialects that are compiled; older ones are rewritten to draft-07. */
export type Dialect = "draft-07" | "2019-09" | "2020-12";

export type Draft = Dialect | "draft-04" | "draft-06";

export type NormalisedSchema = {
  readonly schema: boolean | Record<string, unknown>;
  readonly dialect: Dialect;
  /** The schema does not say its draft, so another may be tried. */
  readonly guessed: boolean;
  readonly warnings: readonly string[];
};

/** Deeper schemas overflow the compiler's stack. */
const MAX_DEPTH = 200;

/** Keywords whose value is a schema, a list of schemas, or names with schemas. */
const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set(
  "additionalItems additionalProperties contains contentSchema else if items not propertyNames then unevaluatedItems unevaluatedProperties".split(
    " ",
  ),
);
const LIST_KEYWORDS: ReadonlySet<string> = new Set(
  "allOf anyOf items oneOf prefixItems".split(" "),
);
const MAP_KEYWORDS: ReadonlySet<string> = new Set(
  "$defs definitions dependencies dependentSchemas patternProperties properties".split(" "),
);

/** Before 2019-09 a `$ref` stood alone: what is beside it does not count. */
const BESIDE_REF: ReadonlySet<string> = new Set(
  "$ref $defs definitions $comment title description default examples".split(" "),
);

/** @throws SchemaError when the schema is too deep or contains what would make it always pass */
export function normaliseSchema(schema: unknown, draft?: Draft): NormalisedSchema {
  if (typeof schema === "boolean") {
    return { schema, dialect: "2020-12", guessed: false, warnings: [] };
  }
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw new SchemaError(
      `A JSON Schema is an object, true or false; found ${Array.isArray(schema) ? "an array" : JSON.stringify(schema)}.`,
    );
  }
  refuseAsync(schema, 0);
  const warnings = new Set<string>();
  const declared = (schema as Record<string, unknown>)["$schema"];
  const named = typeof declared === "string" ? draftOf(declared) : draft;
  if (typeof declared === "string" && named === undefined) {
    warnings.add(`The dialect ${declared} is not known; the schema is read as draft 2020-12.`);
  }
  const from = named ?? draft ?? "2020-12";
  const rewritten = rewrite(schema as Record<string, unknown>, from, warnings);
  return {
    schema: rewritten,
    dialect: from === "draft-04" || from === "draft-06" ? "draft-07" : from,
    guessed: named === undefined,
    warnings: [...warnings],
  };
}

function draftOf(uri: string): Draft | undefined {
  if (/2020-12/.test(uri)) return "2020-12";
  if (/2019-09/.test(uri)) return "2019-09";
  if (/draft-?0?7/.test(uri)) return "draft-07";
  if (/draft-?0?6/.test(uri)) return "draft-06";
  if (/draft-?0?[1-5]\b/.test(uri)) return "draft-04";
  return undefined;
}

/**
 * `$async` would turn the verdict into a promise, which is true to every careless `if`. Refused wherever
 * it stands, since a `$ref` may lead anywhere.
 */
function refuseAsync(value: object, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new SchemaError(`The JSON Schema is nested deeper than ${MAX_DEPTH} levels.`);
  }
  if (Object.hasOwn(value, "$async") && (value as { $async: unknown }).$async === true) {
    throw new SchemaError("The JSON Schema contains $async, which is not supported; remove it.");
  }
  for (const child of Object.values(value)) {
    if (typeof child === "object" && child !== null) refuseAsync(child, depth + 1);
  }
}

function rewrite(
  schema: Record<string, unknown>,
  draft: Draft,
  warnings: Set<string>,
): Record<string, unknown> {
  const old = draft === "draft-04" || draft === "draft-06" || draft === "draft-07";
  const alone = old && typeof schema["$ref"] === "string";
  const entries: [string, unknown][] = [];
  const sub = (value: unknown): unknown =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? rewrite(value as Record<string, unknown>, draft, warnings)
      : value;
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "$schema") continue;
    if (alone && !BESIDE_REF.has(keyword)) {
      warnings.add(`In ${draft} a $ref stands alone; ${keyword} beside it is ignored.`);
      continue;
    }
    if (keyword === "id" && typeof value === "string") {
      if (draft === "draft-04") entries.push(["$id", value]);
      else warnings.add('The keyword "id" is ignored; its name is $id since draft-06.');
      continue;
    }
    // OpenAPI's word; without a type there is nothing that it could widen.
    if (keyword === "nullable" && schema["type"] === undefined) continue;
    if (Array.isArray(value) && LIST_KEYWORDS.has(keyword)) entries.push([keyword, value.map(sub)]);
    else if (SCHEMA_KEYWORDS.has(keyword)) entries.push([keyword, sub(value)]);
    else if (MAP_KEYWORDS.has(keyword) && typeof value === "object" && value !== null) {
      const map = Object.entries(value).map(([name, child]) => [name, sub(child)] as const);
      entries.push([keyword, Object.fromEntries(map)]);
    } else entries.push([keyword, value]);
  }
  // Not by assignment: a property may be called __proto__.
  const result = withProtoChecked(Object.fromEntries(entries));
  return draft === "draft-04" ? withNumericBounds(result) : result;
}

/** ajv passes over a property of that name in `properties`, but not in `patternProperties`. */
function withProtoChecked(schema: Record<string, unknown>): Record<string, unknown> {
  const { properties, patternProperties } = schema;
  if (typeof properties !== "object" || properties === null) return schema;
  const proto = Object.getOwnPropertyDescriptor(properties, "__proto__");
  if (proto === undefined) return schema;
  const patterns = { "^__proto__$": proto.value, ...(patternProperties as object | undefined) };
  return { ...schema, patternProperties: patterns };
}

/** In draft-04 `exclusiveMinimum: true` sharpens `minimum`; later it is the bound itself. */
function withNumericBounds(schema: Record<string, unknown>): Record<string, unknown> {
  const result = schema;
  for (const [bound, exclusive] of [
    ["minimum", "exclusiveMinimum"],
    ["maximum", "exclusiveMaximum"],
  ] as const) {
    const flag = result[exclusive];
    if (typeof flag !== "boolean") continue;
    delete result[exclusive];
    if (!flag || result[bound] === undefined) continue;
    result[exclusive] = result[bound];
    delete result[bound];
  }
  return result;
}
