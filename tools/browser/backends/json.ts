/** Parts of JSON that a stranger wrote: what is not of the expected kind is not there. */

export type JsonObject = { readonly [key: string]: unknown };

/** What lies at a path of keys; undefined where something on the way is no object. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}

/** The objects of a list; none where there is no list. */
export function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Empty for anything but a text. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The texts of a list, joined by a blank. */
export function joined(value: unknown): string {
  return Array.isArray(value) ? value.map(text).filter(Boolean).join(" ") : text(value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
