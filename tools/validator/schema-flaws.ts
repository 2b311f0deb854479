/**
 * Flaws of a JSON Schema that can only have meant one thing, as people, generators and other languages
 * make them. Each is mended and told as a warning with its place; a flaw that leaves a choice is left for
 * the compiler to refuse.
 */
import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../core/record.ts";
import { show } from "../core/text.ts";
import {
  escapeStep,
  LIST_KEYWORDS,
  MAP_KEYWORDS,
  mapSubschemas,
  SCHEMA_KEYWORDS,
  type SchemaObject,
} from "./schema-keywords.ts";

/** @param warn  gets one sentence per flaw */
export function mendSchema(schema: SchemaObject, warn: (message: string) => void): SchemaObject {
  return new Mender(schema, warn).mend(schema, "");
}

/** Words of programming languages for the types of JSON. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: "integer",
  long: "integer",
  float: "number",
  double: "number",
  decimal: "number",
  bool: "boolean",
  str: "string",
  list: "array",
  tuple: "array",
  dict: "object",
  none: "null",
};
const TYPES: ReadonlySet<string> = new Set(
  "array boolean integer null number object string".split(" "),
);
/** Keywords that only describe: a value of the wrong type costs nothing. */
const TEXTS: ReadonlySet<string> = new Set(["title", "description", "$comment"]);
const FLAGS: ReadonlySet<string> = new Set(["deprecated", "readOnly", "writeOnly"]);
const NUMBERS: ReadonlySet<string> = new Set(
  "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains".split(
    " ",
  ),
);
const MAPS: ReadonlySet<string> = new Set(
  "properties patternProperties $defs definitions".split(" "),
);
/** Keywords of any draft, and those of OpenAPI that only describe. */
const KNOWN: ReadonlySet<string> = new Set([
  ...[...SCHEMA_KEYWORDS, ...LIST_KEYWORDS, ...MAP_KEYWORDS, ...NUMBERS, ...TEXTS, ...FLAGS],
  ...["$schema", "$id", "id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor"],
  ...["$recursiveRef", "$vocabulary", "const", "default", "dependentRequired", "format", "pattern"],
  ...["uniqueItems", "contentEncoding", "contentMediaType", "nullable", "discriminator"],
  ...["example", "examples", "externalDocs", "xml", "components"],
]);
/** Keywords for which null is a value like any other. */
const ANY_VALUE: ReadonlySet<string> = new Set(["const", "default", "example"]);

/** The new value of a keyword, or that it goes away. */
type Mended = { readonly value: unknown } | "absent";

class Mender {
  readonly #root: SchemaObject;
  readonly #warn: (message: string) => void;
  readonly #ids = new Map<string, SchemaObject>();

  constructor(root: SchemaObject, warn: (message: string) => void) {
    this.#root = root;
    this.#warn = warn;
  }

  /** @param around  the schema with an `$id` that references without a path lead into */
  mend(schema: SchemaObject, place: string, around = this.#root): SchemaObject {
    const id = schema["$id"];
    const resource = typeof id === "string" && !id.startsWith("#") ? schema : around;
    const same = this.#sameId(schema, place);
    if (same !== undefined) return same;
    const entries: [string, unknown][] = [];
    for (const [keyword, value] of Object.entries(schema)) {
      const isLocal = keyword === "$ref" && leadsSomewhere(resource, value);
      const mended = isLocal ? undefined : this.#keyword(keyword, value, schema, place);
      if (mended === undefined) entries.push([keyword, value]);
      else if (mended !== "absent") entries.push([keyword, mended.value]);
    }
    const hoisted = this.#hoistRequired(Object.fromEntries(entries), place);
    return mapSubschemas(withoutEmptyEnum(hoisted), place, (child, at) =>
      this.mend(child, at, resource),
    );
  }

  #keyword(
    keyword: string,
    value: unknown,
    schema: SchemaObject,
    place: string,
  ): Mended | undefined {
    const told = (mended: Mended, meaning: string): Mended => {
      this.#warn(`${keyword} ${at(place)} is ${show(value)}, which is read as ${meaning}.`);
      return mended;
    };
    const ignored = (): Mended => told("absent", "absent");
    if (value === null) return ANY_VALUE.has(keyword) ? undefined : ignored();
    if (TEXTS.has(keyword)) return typeof value === "string" ? undefined : ignored();
    if (FLAGS.has(keyword)) return typeof value === "boolean" ? undefined : ignored();
    if (keyword === "examples") return Array.isArray(value) ? undefined : ignored();
    if (MAPS.has(keyword)) {
      // What PHP writes for an empty object.
      if (Array.isArray(value) && value.length === 0) return told({ value: {} }, "{}");
      if (!isRecord(value) || !Object.values(value).includes(null)) return undefined;
      const entries = Object.entries(value).map(([name, child]) => [name, child ?? {}]);
      return told({ value: Object.fromEntries(entries) }, "any value where a schema is null");
    }
    if (NUMBERS.has(keyword) && typeof value === "string" && isNumeric(value)) {
      return told({ value: Number(value) }, value);
    }
    switch (keyword) {
      case "type":
        return typesOf(value, told);
      case "required":
        // Read where the object around it is.
        if (flagOf(value, schema) !== undefined) return undefined;
        if (typeof value === "string") return told({ value: [value] }, show([value]));
        return Array.isArray(value) ? distinct(value) : undefined;
      case "enum":
        return Array.isArray(value) ? distinct(value) : undefined;
      case "allOf":
      case "anyOf":
      case "oneOf":
        if (isRecord(value)) return told({ value: [value] }, "a list of it alone");
        return Array.isArray(value) && value.length === 0 ? ignored() : undefined;
      case "additionalProperties":
      case "additionalItems":
        if (value !== "true" && value !== "false") return undefined;
        return told({ value: value === "true" }, value);
      case "exclusiveMinimum":
      case "exclusiveMaximum": {
        // Until draft-04 a flag of the bound beside it, since then a bound of its own.
        if (typeof value !== "boolean") return undefined;
        const bound = schema[keyword === "exclusiveMinimum" ? "minimum" : "maximum"];
        return value && isNumeric(bound) ? { value: Number(bound) } : "absent";
      }
      case "$ref":
        return this.#reference(value, place);
      default:
        if (!KNOWN.has(keyword) && !keyword.startsWith("x-")) {
          this.#warn(`The keyword ${keyword} ${at(place)} is not known and not enforced.`);
        }
        return undefined;
    }
  }

  /** Draft 3 marked each property; later the object lists them. */
  #hoistRequired(schema: Record<string, unknown>, place: string): Record<string, unknown> {
    const { required, ...rest } = schema;
    const own = flagOf(required, schema) === undefined ? schema : rest;
    const properties = own["properties"];
    if (!isRecord(properties)) return own;
    const marked = Object.entries(properties).flatMap(([name, property]) =>
      isRecord(property) && flagOf(property["required"], property) === true ? [name] : [],
    );
    if (marked.length === 0) return own;
    for (const name of marked) {
      const where = at(`${place}/properties/${escapeStep(name)}`);
      this.#warn(`required ${where} is true, which is read as required by the object around it.`);
    }
    const listed = Array.isArray(own["required"]) ? own["required"] : [];
    return { ...own, required: [...new Set([...listed, ...marked])] };
  }

  /** The same definition twice: the second refers to the first. */
  #sameId(schema: SchemaObject, place: string): SchemaObject | undefined {
    const id = schema["$id"];
    if (typeof id !== "string") return undefined;
    const first = this.#ids.get(id);
    if (first === undefined) {
      this.#ids.set(id, schema);
      return undefined;
    }
    if (!isDeepStrictEqual(first, schema)) return undefined;
    this.#warn(`The $id ${id} ${at(place)} was given before, to the same schema.`);
    return { $ref: id };
  }

  /**
   * A definition that is not where a reference looks for it, as when schemas with definitions of their
   * own are put into one another. If there is one of this name, that one is meant.
   */
  #reference(value: unknown, place: string): Mended | undefined {
    if (typeof value !== "string" || !value.startsWith("#/")) return undefined;
    if (pointsTo(this.#root, value) !== undefined) return undefined;
    const name = /^#\/(?:\$defs|definitions|components\/schemas)\/([^/]+)$/.exec(value)?.[1];
    if (name === undefined) return undefined;
    const found = definitionsOf(this.#root, decodeStep(name));
    const [only, ...others] = found;
    if (only === undefined || others.some((one) => !isDeepStrictEqual(one.schema, only.schema))) {
      return undefined;
    }
    const target = `#${only.place}`;
    this.#warn(`The $ref ${value} ${at(place)} leads to nothing and is read as ${target}.`);
    return { value: target };
  }
}

function leadsSomewhere(resource: SchemaObject, reference: unknown): boolean {
  return typeof reference === "string" && pointsTo(resource, reference) !== undefined;
}

/** The compiler takes no empty list of values; a schema that fits nothing says the same. */
function withoutEmptyEnum(schema: Record<string, unknown>): Record<string, unknown> {
  const { enum: values, allOf = [], ...rest } = schema;
  if (!Array.isArray(values) || values.length > 0 || !Array.isArray(allOf)) return schema;
  return { ...rest, allOf: [...allOf, false] };
}

/** `required` as draft 3 has it, also as a text; a property may be called "true". */
function flagOf(required: unknown, schema: SchemaObject): boolean | undefined {
  if (typeof required === "boolean") return required;
  if (required !== "true" && required !== "false") return undefined;
  const { properties } = schema;
  return isRecord(properties) && required in properties ? undefined : required === "true";
}

function typesOf(
  value: unknown,
  told: (mended: Mended, meaning: string) => Mended,
): Mended | undefined {
  const names = [value].flat();
  const types = names.map((name) => {
    const lower = typeof name === "string" ? name.toLowerCase() : "";
    return TYPES.has(lower) || !Object.hasOwn(TYPE_NAMES, lower) ? lower : TYPE_NAMES[lower];
  });
  if (types.length === 0 || types.includes("any")) return told("absent", "any type");
  if (!types.every((type) => TYPES.has(type as string))) return undefined;
  const different = [...new Set(types)];
  if (isDeepStrictEqual(different, names)) return undefined;
  const [first, ...more] = different;
  return more.length === 0
    ? told({ value: first }, show(first))
    : told({ value: different }, show(different));
}

/** A list with the same value twice says no more than with it once. */
function distinct(values: readonly unknown[]): Mended | undefined {
  const seen = new Set<string>();
  const kept = values.filter((value) => {
    const text = JSON.stringify(value) ?? "undefined";
    return seen.has(text) ? false : seen.add(text);
  });
  return kept.length === values.length ? undefined : { value: kept };
}

/** Where a JSON pointer in a URI fragment leads; undefined: nowhere. */
export function pointsTo(root: unknown, fragment: string): unknown {
  let value: unknown = root;
  for (const step of fragment.slice(1).split("/").slice(1)) {
    const key = decodeStep(step);
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function decodeStep(step: string): string {
  let text = step;
  try {
    text = decodeURIComponent(step);
  } catch {
    // A percent sign that is one.
  }
  return text.replaceAll("~1", "/").replaceAll("~0", "~");
}

type Definition = { readonly place: string; readonly schema: unknown };

/** Definitions of a name, anywhere in a schema. */
function definitionsOf(root: unknown, name: string): readonly Definition[] {
  const found: Definition[] = [];
  const visit = (value: unknown, place: string): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      const here = `${place}/${escapeStep(key)}`;
      const isMap =
        key === "$defs" || key === "definitions" || here.endsWith("/components/schemas");
      if (isMap && isRecord(child) && Object.hasOwn(child, name)) {
        found.push({ place: `${here}/${escapeStep(name)}`, schema: child[name] });
      }
      visit(child, here);
    }
  };
  visit(root, "");
  return found;
}

function isNumeric(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value));
}

function at(place: string): string {
  return place === "" ? "at the root" : `at ${place}`;
}
