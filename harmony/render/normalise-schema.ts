/**
 * JSON Schema as zod, pydantic and people write it, into the part of it that the signature printer can
 * express: object, array, string, enum, number, boolean, `oneOf`, `nullable`. Without this, a `$ref`, an
 * `anyOf` or a `const` would reach the model as `any`. Nothing is validated by the result: it is only
 * shown to the model.
 */
import type { JsonSchema } from "../message.ts";

type SchemaObject = { readonly [key: string]: unknown };

/** Bounds on what a schema may unfold to; what lies beyond is shown as `any`. */
const MAX_DEPTH = 24;
const MAX_NODES = 4000;

/** Keywords that the printer reads; all others are dropped. */
const COMMENTS = ["title", "description", "examples", "default"] as const;

/** Total: every schema gives a schema, unknown parts become `{}` (any type). */
export function normaliseSchema(schema: JsonSchema): JsonSchema {
  return new Normaliser(schema).normalise(schema, 0);
}

class Normaliser {
  readonly #root: unknown;
  /** References being followed: one that comes back to itself stays `any`. */
  readonly #open = new Set<string>(["#"]);
  #nodes = 0;

  constructor(root: unknown) {
    this.#root = root;
  }

  normalise(schema: unknown, depth: number): SchemaObject {
    if (!isObject(schema) || depth > MAX_DEPTH || ++this.#nodes > MAX_NODES) return {};
    if (typeof schema["$ref"] === "string") return this.#reference(schema["$ref"], schema, depth);
    if (Array.isArray(schema["allOf"])) return this.#allOf(schema["allOf"], schema, depth);
    const variants = schema["anyOf"] ?? schema["oneOf"];
    if (Array.isArray(variants)) return this.#union(variants, schema, depth);
    const comments = commentsOf(schema);
    const nullable = schema["nullable"] === true ? { nullable: true } : {};
    if ("const" in schema)
      return { ...comments, ...nullable, ...valueType([schema["const"]], comments) };
    if (Array.isArray(schema["enum"])) {
      return { ...comments, ...nullable, ...valueType(schema["enum"], comments) };
    }
    const types = typesOf(schema);
    if (types.length > 1) return this.#severalTypes(types, schema, comments, depth);
    return { ...comments, ...nullable, ...this.#oneType(types[0], schema, comments, depth) };
  }

  #reference(pointer: string, schema: SchemaObject, depth: number): SchemaObject {
    if (this.#open.has(pointer)) return commentsOf(schema);
    const target = resolvePointer(this.#root, pointer);
    this.#open.add(pointer);
    const { $ref: _, ...siblings } = schema;
    // Siblings of a reference count beside it; comments of the place beat those of the definition.
    const resolved = this.normalise(
      isObject(target) ? { ...target, ...siblings } : siblings,
      depth + 1,
    );
    this.#open.delete(pointer);
    return resolved;
  }

  /** Object parts are joined; of others the first that says a type counts. */
  #allOf(parts: readonly unknown[], schema: SchemaObject, depth: number): SchemaObject {
    const { allOf: _, ...own } = schema;
    const normalised = [...parts, own].map((part) => this.normalise(part, depth + 1));
    const comments = Object.assign({}, ...normalised.map(commentsOf), commentsOf(own));
    const objects = normalised.filter((part) => part["type"] === "object");
    if (objects.length === 0) {
      const typed = normalised.find((part) => "type" in part || "oneOf" in part) ?? {};
      return { ...typed, ...comments };
    }
    return {
      ...comments,
      type: "object",
      properties: Object.assign({}, ...objects.map((part) => part["properties"] ?? {})),
      required: [...new Set(objects.flatMap((part) => (part["required"] as unknown[]) ?? []))],
    };
  }

  #union(variants: readonly unknown[], schema: SchemaObject, depth: number): SchemaObject {
    const normalised = variants.map((variant) => this.normalise(variant, depth + 1));
    const rest = normalised.filter((variant) => variant["type"] !== "null");
    const nullable =
      schema["nullable"] === true ||
      rest.length < normalised.length ||
      rest.some((variant) => variant["nullable"] === true);
    const marks = { ...commentsOf(schema), ...(nullable ? { nullable: true } : {}) };
    const [only] = rest;
    if (only === undefined) return { ...marks, type: "null" };
    if (rest.length === 1) {
      // The printer leaves `| null` out where the type's text says "null" anywhere inside.
      if (!nullable || !holdsObject(only)) return { ...only, ...marks };
      return {
        ...commentsOf(only),
        ...commentsOf(schema),
        oneOf: [bareOf(only), { type: ["null"] }],
      };
    }
    if (rest.every(isPlainEnum)) {
      const values = new Set(rest.flatMap((variant) => variant["enum"] as unknown[]));
      return { ...marks, type: "string", enum: [...values] };
    }
    if (rest.every(isBareScalar)) {
      const names = [...new Set(rest.map((variant) => String(variant["type"])))];
      if (names.length === 1) return { ...marks, type: names[0] };
      return { ...commentsOf(schema), type: nullable ? [...names, "null"] : names };
    }
    const shown = rest.map(({ nullable: _, ...variant }) => variant);
    return { ...commentsOf(schema), oneOf: nullable ? [...shown, { type: ["null"] }] : shown };
  }

  /** `type: ["string", "null"]` and the like: kept where the printer's short form says everything. */
  #severalTypes(
    types: readonly string[],
    schema: SchemaObject,
    comments: SchemaObject,
    depth: number,
  ): SchemaObject {
    const named = types.filter((type) => type !== "null");
    const nullable = named.length < types.length || schema["nullable"] === true;
    if (named.every((type) => type !== "object" && type !== "array")) {
      return { ...comments, type: nullable ? [...named, "null"] : named };
    }
    const variants: SchemaObject[] = named.map((type) => ({ ...bareOf(schema), type }));
    return this.#union(
      nullable ? [...variants, { type: "null" }] : variants,
      { ...comments },
      depth,
    );
  }

  #oneType(
    type: string | undefined,
    schema: SchemaObject,
    comments: SchemaObject,
    depth: number,
  ): SchemaObject {
    switch (type) {
      case "object":
        return this.#object(schema, comments, depth);
      case "array": {
        const items = schema["items"] ?? schema["prefixItems"];
        const places = Array.isArray(items) ? items : schema["prefixItems"];
        if (Array.isArray(places)) {
          return { type, items: this.#union(places, {}, depth + 1) };
        }
        return items === undefined || typeof items === "boolean"
          ? { type }
          : { type, items: this.normalise(items, depth + 1) };
      }
      case undefined:
        return {};
      default:
        return { type };
    }
  }

  #object(schema: SchemaObject, comments: SchemaObject, depth: number): SchemaObject {
    const properties = isObject(schema["properties"]) ? schema["properties"] : {};
    const entries = Object.entries(properties).map(([key, value]) => [
      key,
      withoutEchoedTitle(key, this.normalise(value, depth + 1)),
    ]);
    const free = schema["additionalProperties"];
    if (entries.length === 0 && isObject(free)) {
      // The format cannot write a map; in a list of types `object` is printed as the word.
      const note = `Any keys; values: ${this.#describe(free, depth)}`;
      return { description: joinSentences(comments["description"], note), type: ["object"] };
    }
    return {
      type: "object",
      properties: Object.fromEntries(entries),
      ...(Array.isArray(schema["required"]) ? { required: schema["required"] } : {}),
    };
  }

  /** A word for the type of a map's values, which the format has no way to write. */
  #describe(schema: SchemaObject, depth: number): string {
    const type = this.normalise(schema, depth + 1)["type"];
    if (Array.isArray(type)) return type.join(" or ");
    return typeof type === "string" ? type : "any";
  }
}

/** The types of a schema; inferred from its other keywords where `type` is missing. */
function typesOf(schema: SchemaObject): string[] {
  const { type } = schema;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return type.filter((name) => typeof name === "string");
  if (isObject(schema["properties"]) || isObject(schema["additionalProperties"])) return ["object"];
  if (schema["items"] !== undefined || Array.isArray(schema["prefixItems"])) return ["array"];
  if (typeof schema["pattern"] === "string" || typeof schema["format"] === "string")
    return ["string"];
  return [];
}

/** The type of given values. Strings can be listed; the format has no other literals, so they are told. */
function valueType(values: readonly unknown[], comments: SchemaObject): SchemaObject {
  const rest = values.filter((value) => value !== null);
  const nullable = rest.length < values.length ? { nullable: true } : {};
  if (rest.length === 0) return { type: "null" };
  if (rest.every((value) => typeof value === "string")) {
    return { ...nullable, type: "string", enum: rest };
  }
  const kinds = [...new Set(rest.map((value) => typeof value))];
  const list = rest.map((value) => JSON.stringify(value)).join(", ");
  const note = rest.length === 1 ? `Always ${list}` : `One of: ${list}`;
  return {
    ...nullable,
    description: joinSentences(comments["description"], note),
    ...(kinds.length === 1 && kinds[0] !== "object" ? { type: kinds[0] } : {}),
  };
}

function joinSentences(first: unknown, second: string): string {
  if (typeof first !== "string" || first === "") return second;
  return /[.!?]$/.test(first) ? `${first} ${second}` : `${first}. ${second}`;
}

/** The comment keywords; texts on one line, since only the first line would be marked as a comment. */
function commentsOf(schema: SchemaObject): { [key: string]: unknown } {
  const comments: { [key: string]: unknown } = {};
  for (const keyword of COMMENTS) {
    const value = schema[keyword];
    if (value === undefined) continue;
    comments[keyword] =
      typeof value === "string" && keyword !== "default"
        ? value.trim().replace(/\s*[\r\n]\s*/g, " ")
        : value;
  }
  return comments;
}

/** pydantic titles every field with its own name: `user_id` → "User Id". That says nothing. */
function withoutEchoedTitle(key: string, schema: SchemaObject): SchemaObject {
  const plain = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const { title, ...rest } = schema;
  return typeof title === "string" && plain(title) === plain(key) ? rest : schema;
}

function isPlainEnum(schema: SchemaObject): boolean {
  return (
    Array.isArray(schema["enum"]) && schema["description"] === undefined && isUncommented(schema)
  );
}

function isBareScalar(schema: SchemaObject): boolean {
  const { type } = schema;
  return (
    schema["enum"] === undefined &&
    schema["description"] === undefined &&
    isUncommented(schema) &&
    (type === "string" || type === "number" || type === "integer" || type === "boolean")
  );
}

/** Whether the type is an object, or a list of them. */
function holdsObject(schema: SchemaObject): boolean {
  const items = schema["items"];
  return schema["type"] === "object" || (isObject(items) && holdsObject(items));
}

/** A schema without its comments, which stand above the property. */
function bareOf(schema: SchemaObject): SchemaObject {
  const { title: _t, description: _d, examples: _e, default: _v, nullable: _n, ...bare } = schema;
  return bare;
}

function isUncommented(schema: SchemaObject): boolean {
  return schema["default"] === undefined && schema["examples"] === undefined;
}

/** A pointer into the same schema (`#`, `#/$defs/Name`); undefined for anything else. */
function resolvePointer(root: unknown, pointer: string): unknown {
  if (pointer !== "#" && !pointer.startsWith("#/")) return undefined;
  let value: unknown = root;
  for (const step of pointer.split("/").slice(1)) {
    let key: string;
    try {
      key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    } catch {
      return undefined;
    }
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
