/**
 * Which JSON Schema a schema is written in, and the same schema as ajv's classes expect it. People's
 * schemas name every draft, or none, or one that never was.
 */
import { SchemaError } from "../core/errors.ts";
import { mendSchema } from "./schema-flaws.ts";
import { mapSubschemas, type SchemaObject } from "./schema-keywords.ts";

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
  const warn = (message: string): void => {
    warnings.add(message);
  };
  const declared = (schema as SchemaObject)["$schema"];
  const named = typeof declared === "string" ? draftOf(declared) : draft;
  if (typeof declared === "string" && named === undefined) {
    warn(`The dialect ${declared} is not known; the schema is read as draft 2020-12.`);
  }
  const from = named ?? draft ?? "2020-12";
  return {
    schema: rewrite(mendSchema(schema as SchemaObject, warn), from, warn),
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
  schema: SchemaObject,
  draft: Draft,
  warn: (message: string) => void,
): Record<string, unknown> {
  const old = draft === "draft-04" || draft === "draft-06" || draft === "draft-07";
  const alone = old && typeof schema["$ref"] === "string";
  const entries: [string, unknown][] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "$schema" || keyword === "nullable") continue;
    if (alone && !BESIDE_REF.has(keyword)) {
      warn(`In ${draft} a $ref stands alone; ${keyword} beside it is ignored.`);
    } else if (keyword === "id" && typeof value === "string") {
      if (draft === "draft-04") entries.push(["$id", value]);
      else warn('The keyword "id" is ignored; its name is $id since draft-06.');
    } else entries.push([keyword, value]);
  }
  const plain = Object.fromEntries(entries);
  const own = withProtoChecked(draft === "2020-12" ? withPrefixItems(plain, warn) : plain);
  const rewritten = mapSubschemas(own, "", (child) => rewrite(child, draft, warn));
  return schema["nullable"] === true ? withNull(rewritten) : rewritten;
}

/** Until 2019-09 a list of `items` was what `prefixItems` is now. */
function withPrefixItems(
  schema: Record<string, unknown>,
  warn: (message: string) => void,
): Record<string, unknown> {
  const { items, additionalItems, ...rest } = schema;
  if (!Array.isArray(items) || rest["prefixItems"] !== undefined) return schema;
  warn("A list of items is read as prefixItems, its name since 2020-12.");
  return {
    ...rest,
    prefixItems: items,
    ...(additionalItems !== undefined && { items: additionalItems }),
  };
}

/** Keywords that would refuse null even if `type` allows it. */
const RESTRICTING = ["$ref", "allOf", "anyOf", "oneOf", "not", "if", "const"] as const;

/** `nullable: true` is OpenAPI's word for "or null", beside any other keyword. */
function withNull(schema: Record<string, unknown>): Record<string, unknown> {
  const { type, enum: values } = schema;
  if (RESTRICTING.some((keyword) => schema[keyword] !== undefined)) {
    return { anyOf: [schema, { type: "null" }] };
  }
  return {
    ...schema,
    ...(type !== undefined && { type: [...new Set([type, "null"].flat())] }),
    ...(Array.isArray(values) && { enum: [...new Set([...values, null])] }),
  };
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
