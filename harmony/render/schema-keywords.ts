/** What JSON Schemas that hold together say: types, values, keys, items. */
import { jsonText } from "./json-text.ts";
import { isSchemaObject, type SchemaObject } from "./schema-references.ts";
import { typeByKeywords } from "./schema-rules.ts";
import { jsonTypeOf } from "./type-graph.ts";

const TYPE_NAMES: ReadonlySet<unknown> = new Set(
  "object array string number integer boolean null".split(" "),
);

/** The JSON types and `integer` that all of the schemas admit; undefined where none says. */
export function explicitTypes(schemas: readonly SchemaObject[]): ReadonlySet<string> | undefined {
  let types: Set<string> | undefined;
  for (const { type } of schemas) {
    const named = (Array.isArray(type) ? type : [type]).filter((name) => TYPE_NAMES.has(name));
    if (named.length === 0) continue;
    const admitted = new Set<string>(named);
    if (types === undefined) types = admitted;
    else {
      const both = [...types].filter((name) => admitted.has(name));
      if (types.has("integer") && admitted.has("number")) both.push("integer");
      if (types.has("number") && admitted.has("integer")) both.push("integer");
      types = new Set(both);
    }
  }
  return types;
}

export function typesOf(schemas: readonly SchemaObject[]): ReadonlySet<string> | undefined {
  const inferred = typeByKeywords(schemas);
  return explicitTypes(schemas) ?? (inferred === undefined ? undefined : new Set([inferred]));
}

/** The values that every `const` and `enum` and the type admit; undefined where there is none. */
export function literalsOf(schemas: readonly SchemaObject[]): readonly unknown[] | undefined {
  const lists = schemas.flatMap((schema) => [
    ...(Object.hasOwn(schema, "const") ? [[schema["const"]]] : []),
    ...(Array.isArray(schema["enum"]) ? [schema["enum"]] : []),
  ]);
  if (lists.length === 0) return undefined;
  const types = explicitTypes(schemas);
  const isOfType = (value: unknown): boolean =>
    types === undefined ||
    types.has(jsonTypeOf(value)) ||
    (types.has("integer") && Number.isInteger(value));
  const [first = [], ...others] = lists.map(
    (list) => new Map(list.map((value) => [jsonText(value), value])),
  );
  return [...first]
    .filter(([text, value]) => isOfType(value) && others.every((other) => other.has(text)))
    .map(([, value]) => value);
}

export function propertyNamesOf({ properties }: SchemaObject): readonly string[] {
  return isSchemaObject(properties) ? Object.keys(properties) : [];
}

/** `required` of the object, or `required: true` of a property, as draft 3 had it. */
export function requiredOf(schemas: readonly SchemaObject[]): ReadonlySet<string> {
  return new Set(
    schemas.flatMap(({ required, properties }) => [
      ...(Array.isArray(required) ? required.filter((name) => typeof name === "string") : []),
      ...Object.entries(isSchemaObject(properties) ? properties : {})
        .filter(([, property]) => isSchemaObject(property) && property["required"] === true)
        .map(([name]) => name),
    ]),
  );
}

/** What one schema says about the value of a key. */
export function schemasOfKey(schema: SchemaObject, key: string): readonly unknown[] {
  const { properties, patternProperties, additionalProperties } = schema;
  const found: unknown[] = [];
  if (isSchemaObject(properties) && Object.hasOwn(properties, key)) found.push(properties[key]);
  for (const [pattern, value] of Object.entries(
    isSchemaObject(patternProperties) ? patternProperties : {},
  )) {
    if (matches(pattern, key)) found.push(value);
  }
  if (found.length > 0 || additionalProperties === undefined) return found;
  return [additionalProperties];
}

/** What one schema says about keys that it does not name. */
export function othersOf({ additionalProperties, unevaluatedProperties }: SchemaObject): unknown[] {
  const others = additionalProperties ?? unevaluatedProperties;
  return others === undefined ? [] : [others];
}

function matches(pattern: string, key: string): boolean {
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(pattern, flags).test(key);
    } catch {
      // Many patterns are only expressions of the older kind; some are none at all.
    }
  }
  return false;
}

/** The items that have a place of their own, if the schema has such. */
export function tupleItemsOf({ prefixItems, items }: SchemaObject): readonly unknown[] | undefined {
  if (Array.isArray(prefixItems)) return prefixItems;
  return Array.isArray(items) ? items : undefined;
}

/** What one schema says about the other items. */
export function restItemsOf({ items, additionalItems }: SchemaObject): unknown[] {
  const rest = Array.isArray(items) ? additionalItems : items;
  return rest === undefined ? [] : [rest];
}
