/** Branches of a schema that need not be shown as types of their own. */
import { explicitTypes, propertyNamesOf, typesOf } from "./schema-keywords.ts";
import { isSchemaObject, type SchemaObject } from "./schema-references.ts";
import { RULE_KEYWORDS } from "./schema-rules.ts";

/** Whether a branch says nothing but which values and which of the known parameters go together. */
export function onlyNarrows(branch: unknown, base: readonly SchemaObject[]): boolean {
  if (!isSchemaObject(branch)) return branch === true;
  const known = new Set(base.flatMap(propertyNamesOf));
  const types = typesOf(base);
  if (types === undefined) return false;
  return Object.entries(branch).every(([keyword, value]) => {
    switch (keyword) {
      case "title":
      case "description":
      case "$comment":
        return true;
      case "allOf":
        return Array.isArray(value) && value.every((part) => onlyNarrows(part, base));
      case "type": {
        const named = explicitTypes([branch]);
        return named === undefined || [...types].every((type) => named.has(type));
      }
      case "required":
        return Array.isArray(value) && value.every((name) => known.has(name));
      case "properties":
        return (
          isSchemaObject(value) &&
          Object.entries(value).every(([name, schema]) => known.has(name) && isPlainValue(schema))
        );
      default:
        return RULE_KEYWORDS.has(keyword);
    }
  });
}

/** Whether a schema is about a value by itself, without parts that would have to be shown. */
function isPlainValue(schema: unknown): boolean {
  if (!isSchemaObject(schema)) return true;
  return Object.keys(schema).every(
    (keyword) =>
      RULE_KEYWORDS.has(keyword) || keyword === "type" || keyword === "const" || keyword === "enum",
  );
}
