/**
 * `uniqueItems` in time that grows with the number of items; ajv's own compares every pair, which takes
 * minutes for the 30,000 objects that a long answer may have.
 */
import type { Ajv } from "ajv";
import type { DataValidateFunction } from "ajv/dist/types/index.js";

export function addUniqueItems(ajv: Ajv): void {
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    errors: true,
    compile(wanted: boolean): DataValidateFunction {
      const validate: DataValidateFunction = (items: readonly unknown[]) => {
        const pair = wanted ? equalPair(items) : undefined;
        if (pair === undefined) return true;
        validate.errors = [{ keyword: "uniqueItems", params: pair }];
        return false;
      };
      return validate;
    },
  });
}

/** Indices of the first item that was there before, `i`, and of its first place, `j`. */
function equalPair(items: readonly unknown[]): { i: number; j: number } | undefined {
  const first = new Map<string, number>();
  for (const [i, item] of items.entries()) {
    const key = canonical(item);
    const j = first.get(key);
    if (j !== undefined) return { i, j };
    first.set(key, i);
  }
  return undefined;
}

/** The same text for equal values: properties have no order. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, child]) => `${JSON.stringify(key)}:${canonical(child)}`).join(",")}}`;
}
