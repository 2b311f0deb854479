/** Where schemas stand inside of a JSON Schema, over all drafts. */
import { isRecord } from "../core/record.ts";

/** Keywords whose value is a schema; `items` may be a list as well. */
export const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set(
  "additionalItems additionalProperties contains contentSchema else if items not propertyNames then unevaluatedItems unevaluatedProperties".split(
    " ",
  ),
);

/** Keywords whose value is a list of schemas. */
export const LIST_KEYWORDS: ReadonlySet<string> = new Set(
  "allOf anyOf items oneOf prefixItems".split(" "),
);

/** Keywords whose value is an object of schemas by name. */
export const MAP_KEYWORDS: ReadonlySet<string> = new Set(
  "$defs definitions dependencies dependentSchemas patternProperties properties".split(" "),
);

export type SchemaObject = { readonly [keyword: string]: unknown };

/**
 * The same schema with `change` applied to each schema directly inside of it.
 *
 * @param place  JSON pointer of the schema
 */
export function mapSubschemas(
  schema: SchemaObject,
  place: string,
  change: (subschema: SchemaObject, place: string) => unknown,
): Record<string, unknown> {
  const sub = (value: unknown, at: string): unknown =>
    isRecord(value) ? change(value, at) : value;
  const entries = Object.entries(schema).map(([keyword, value]): [string, unknown] => {
    const at = `${place}/${keyword}`;
    if (Array.isArray(value) && LIST_KEYWORDS.has(keyword)) {
      return [keyword, value.map((child, index) => sub(child, `${at}/${index}`))];
    }
    if (SCHEMA_KEYWORDS.has(keyword)) return [keyword, sub(value, at)];
    const map = (children: SchemaObject, of: string): SchemaObject =>
      Object.fromEntries(
        Object.entries(children).map(([name, child]) => [
          name,
          sub(child, `${of}/${escapeStep(name)}`),
        ]),
      );
    if (MAP_KEYWORDS.has(keyword) && isRecord(value)) return [keyword, map(value, at)];
    // Where OpenAPI keeps its definitions; converters take them along.
    if (keyword === "components" && isRecord(value) && isRecord(value["schemas"])) {
      return [keyword, { ...value, schemas: map(value["schemas"], `${at}/schemas`) }];
    }
    return [keyword, value];
  });
  // Not by assignment: a property may be called __proto__.
  return Object.fromEntries(entries);
}

export type PlacedSchema = { readonly schema: SchemaObject; readonly place: string };

/** A schema and all inside of it, each with its place as a JSON pointer. */
export function* allSchemas(schema: unknown, place = ""): Generator<PlacedSchema> {
  if (!isRecord(schema)) return;
  const found: PlacedSchema[] = [];
  mapSubschemas(schema, place, (child, at) => found.push({ schema: child, place: at }));
  yield { schema, place };
  for (const child of found) yield* allSchemas(child.schema, child.place);
}

/** A step of a JSON pointer. */
export function escapeStep(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
