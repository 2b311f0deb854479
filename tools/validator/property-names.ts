/** The properties that a schema knows by name, its own and those of the schemas it is made of. */
import { isRecord } from "../core/record.ts";
import { pointsTo } from "./schema-flaws.ts";
import type { SchemaObject } from "./schema-keywords.ts";

const PARTS = ["allOf", "anyOf", "oneOf"] as const;
const BRANCHES = ["if", "then", "else"] as const;

/** @param root  where local references lead into */
export function propertyNames(root: unknown, schema: unknown): readonly string[] {
  const names = new Set<string>();
  const seen = new Set<unknown>();
  const visit = (part: unknown): void => {
    if (!isRecord(part) || seen.has(part)) return;
    seen.add(part);
    for (const name of Object.keys(mapOf(part["properties"]))) names.add(name);
    const reference = part["$ref"];
    if (typeof reference === "string") {
      visit(reference === "#" ? root : pointsTo(root, reference));
    }
    for (const keyword of PARTS) {
      const list = part[keyword];
      if (Array.isArray(list)) list.forEach(visit);
    }
    for (const keyword of BRANCHES) visit(part[keyword]);
    for (const dependent of Object.values(mapOf(part["dependentSchemas"]))) visit(dependent);
  };
  visit(schema);
  return [...names];
}

function mapOf(value: unknown): SchemaObject {
  return isRecord(value) ? value : {};
}
