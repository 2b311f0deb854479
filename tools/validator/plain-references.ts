/**
 * The same schema with every `$ref` as a JSON pointer from its root, and without the names that references led
 * to. The compiler overflows on some schemas that contain others with an `$id` of their own.
 */
import { isRecord } from "../core/record.ts";
import { allSchemas, mapSubschemas, type SchemaObject } from "./schema-keywords.ts";

const ROOT_BASE = "schema:///";
const NAMES: ReadonlySet<string> = new Set(["$id", "$anchor"]);

/** Undefined: a reference is not of that kind, or leads out of the schema. */
export function withPlainReferences(root: SchemaObject): SchemaObject | undefined {
  const text = JSON.stringify(root);
  if (!text.includes('"$id"') || /"\$(?:dynamic|recursive)Ref"/.test(text)) return undefined;
  const bases = basesOf(root);
  const places = namedPlaces(root, bases);
  try {
    return rewrite(root, "", bases, places);
  } catch (error) {
    if (error instanceof OtherReference) return undefined;
    throw error;
  }
}

class OtherReference extends Error {}

/** The URI that references of each schema begin at, by its place. */
function basesOf(root: SchemaObject): ReadonlyMap<string, string> {
  const bases = new Map<string, string>();
  for (const { schema, place } of allSchemas(root)) {
    const outer = baseAt(place, bases);
    const id = schema["$id"];
    bases.set(place, typeof id === "string" && !id.startsWith("#") ? absolute(id, outer) : outer);
  }
  return bases;
}

/** Of the innermost schema around a place. */
function baseAt(place: string, bases: ReadonlyMap<string, string>): string {
  for (let at = place; ; at = at.slice(0, at.lastIndexOf("/"))) {
    const base = bases.get(at);
    if (base !== undefined) return base;
    if (at === "") return ROOT_BASE;
  }
}

/** Places by the URIs that lead there. */
function namedPlaces(
  root: SchemaObject,
  bases: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const places = new Map<string, string>([[ROOT_BASE, ""]]);
  for (const { schema, place } of allSchemas(root)) {
    const base = bases.get(place) ?? ROOT_BASE;
    const id = schema["$id"];
    if (typeof id === "string") places.set(id.startsWith("#") ? base + id : base, place);
    if (typeof schema["$anchor"] === "string") places.set(`${base}#${schema["$anchor"]}`, place);
  }
  return places;
}

function rewrite(
  schema: SchemaObject,
  place: string,
  bases: ReadonlyMap<string, string>,
  places: ReadonlyMap<string, string>,
): SchemaObject {
  const entries = Object.entries(schema)
    .filter(([keyword]) => !NAMES.has(keyword))
    .map(([keyword, value]): [string, unknown] => {
      if (keyword !== "$ref" || typeof value !== "string") return [keyword, value];
      return [keyword, `#${encodeURI(target(value, baseAt(place, bases), places))}`];
    });
  return mapSubschemas(Object.fromEntries(entries), place, (child, at) =>
    isRecord(child) ? rewrite(child, at, bases, places) : child,
  );
}

function target(reference: string, base: string, places: ReadonlyMap<string, string>): string {
  const [uri = "", fragment = ""] = reference.split("#");
  const whole = uri === "" ? base : absolute(uri, base);
  const named = fragment === "" ? places.get(whole) : places.get(`${whole}#${fragment}`);
  if (named !== undefined) return named;
  const resource = places.get(whole);
  if (resource === undefined || !fragment.startsWith("/")) throw new OtherReference();
  const steps = fragment.slice(1).split("/").map(decodeURIComponent);
  return resource + steps.map((step) => `/${step}`).join("");
}

function absolute(uri: string, base: string): string {
  try {
    return new URL(uri, base).href.replace(/#$/, "");
  } catch {
    return uri;
  }
}
