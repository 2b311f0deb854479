/**
 * The places of a JSON Schema, and where its references lead: by JSON pointer, `$id`, `$anchor`, over the
 * drafts 2020-12, 2019-09, 07, 06 and 04. Nothing is loaded from anywhere.
 */
import { JsonSchemaConstraintError } from "../../errors.ts";

export type SchemaDraft = "draft-04" | "draft-06" | "draft-07" | "2019-09" | "2020-12";

export type SchemaObject = { readonly [keyword: string]: unknown };

export type SchemaPlace = {
  readonly id: number;
  readonly schema: boolean | SchemaObject;
  /** JSON pointer from the root of its document. */
  readonly pointer: string;
  /** Absolute, without a fragment. */
  readonly base: string;
};

/** Of the text of a schema. */
const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 200;
const MAX_OBJECTS = 50_000;

const ROOT_BASE = "schema:///";

export function isRecord(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const escapeStep = (step: string): string => step.replaceAll("~", "~0").replaceAll("/", "~1");

export class SchemaIndex {
  readonly root: SchemaPlace;
  readonly draft: SchemaDraft;
  /** In drafts up to 07 what stands beside a `$ref` does not count. */
  readonly refStandsAlone: boolean;
  readonly #places: SchemaPlace[] = [];
  readonly #byObject = new Map<object, SchemaPlace>();
  readonly #byText = new Map<string, SchemaPlace>();
  readonly #resources = new Map<string, { readonly value: unknown; readonly pointer: string }>();
  readonly #anchors = new Map<string, { readonly value: unknown; readonly pointer: string }>();
  readonly #bases = new Map<object, string>();
  readonly #dynamic = new Map<string, number>();
  #objects = 0;

  /**
   * @param others  further documents that references may lead into, by their URI
   * @throws JsonSchemaConstraintError when it is no schema, or too large
   */
  constructor(
    schema: unknown,
    draft: SchemaDraft | undefined,
    others: Readonly<Record<string, unknown>>,
  ) {
    if (typeof schema !== "boolean" && !isRecord(schema)) {
      const found = Array.isArray(schema) ? "an array" : JSON.stringify(schema);
      throw new JsonSchemaConstraintError(
        `a JSON Schema is an object, true or false; found ${found}`,
      );
    }
    const bytes = new TextEncoder().encode(JSON.stringify(schema)).length;
    if (bytes > MAX_BYTES) {
      throw new JsonSchemaConstraintError(
        `it has ${bytes} bytes; at most ${MAX_BYTES} are accepted`,
      );
    }
    this.draft = draftOf(schema) ?? draft ?? "2020-12";
    this.refStandsAlone = /^draft-0/.test(this.draft);
    for (const [uri, other] of Object.entries(others)) this.#document(other, uri);
    this.#document(schema, ROOT_BASE);
    this.root = this.place(schema, "", this.#baseOf(schema, ROOT_BASE));
  }

  at(id: number): SchemaPlace {
    return this.#places[id] as SchemaPlace;
  }

  /** The place of a schema inside of another. @throws JsonSchemaConstraintError when it is none */
  child(parent: SchemaPlace, value: unknown, ...steps: readonly (string | number)[]): SchemaPlace {
    const pointer = parent.pointer + steps.map((step) => `/${escapeStep(String(step))}`).join("");
    return this.place(value, pointer, this.#baseOf(value, parent.base));
  }

  /** A schema that stands nowhere, such as that of a value inside of a `const`. */
  made(schema: SchemaObject, pointer: string): SchemaPlace {
    const text = JSON.stringify(schema);
    const known = this.#byText.get(text) ?? this.#add(schema, pointer, ROOT_BASE);
    this.#byText.set(text, known);
    return known;
  }

  place(value: unknown, pointer: string, base: string): SchemaPlace {
    if (typeof value === "boolean") {
      const key = String(value);
      const known = this.#byText.get(key) ?? this.#add(value, pointer, base);
      this.#byText.set(key, known);
      return known;
    }
    if (!isRecord(value)) {
      throw new JsonSchemaConstraintError(
        `at ${pointer || "the root"} a schema must stand, found ${short(value)}`,
      );
    }
    const known = this.#byObject.get(value) ?? this.#add(value, pointer, base);
    this.#byObject.set(value, known);
    return known;
  }

  /** Where a reference leads. @throws JsonSchemaConstraintError when that is nowhere */
  resolve(reference: unknown, from: SchemaPlace): SchemaPlace {
    if (typeof reference !== "string") {
      throw new JsonSchemaConstraintError(
        `the reference at ${from.pointer || "the root"} is ${short(reference)}, not a text`,
      );
    }
    const [uri, fragment] = this.#absolute(reference, from.base);
    const found = this.#find(uri, fragment);
    if (found === undefined) {
      const where = from.pointer || "the root";
      const problem = reference.startsWith("#")
        ? "leads to nothing in it"
        : "leads out of it, and nothing is loaded";
      throw new JsonSchemaConstraintError(`the $ref ${reference} at ${where} ${problem}`);
    }
    return this.place(found.value, found.pointer, found.base);
  }

  /** Whether a `$dynamicRef` can lead to one place only. */
  isStatic(name: string): boolean {
    return (this.#dynamic.get(name) ?? 0) <= 1;
  }

  #find(
    uri: string,
    fragment: string,
  ): { readonly value: unknown; readonly pointer: string; readonly base: string } | undefined {
    const anchor = this.#anchors.get(`${uri}#${fragment}`);
    if (anchor !== undefined) return { ...anchor, base: this.#baseOf(anchor.value, uri) };
    const resource = this.#resources.get(uri);
    if (resource === undefined || (fragment !== "" && !fragment.startsWith("/"))) return undefined;
    let { value, pointer } = resource;
    let base = uri;
    for (const step of fragment.split("/").slice(1)) {
      const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, key))
        return undefined;
      value = (value as Record<string, unknown>)[key];
      pointer += `/${step}`;
      base = this.#baseOf(value, base);
    }
    return { value, pointer, base };
  }

  #baseOf(value: unknown, outer: string): string {
    if (typeof value !== "object" || value === null) return outer;
    return this.#bases.get(value) ?? outer;
  }

  #absolute(reference: string, base: string): readonly [uri: string, fragment: string] {
    const [path = "", ...rest] = reference.split("#");
    let fragment = rest.join("#");
    try {
      fragment = decodeURIComponent(fragment);
    } catch {
      // A percent sign that is one.
    }
    return [path === "" ? base : resolveUri(path, base), fragment];
  }

  #document(schema: unknown, uri: string): void {
    this.#resources.set(uri, { value: schema, pointer: "" });
    this.#visit(schema, "", uri, 0);
  }

  /** Everything that is an object is looked at, since a pointer may lead anywhere. */
  #visit(value: unknown, pointer: string, base: string, depth: number): void {
    if (typeof value !== "object" || value === null) return;
    if (depth > MAX_DEPTH) {
      throw new JsonSchemaConstraintError(`it is nested deeper than ${MAX_DEPTH} levels`);
    }
    if (++this.#objects > MAX_OBJECTS) {
      throw new JsonSchemaConstraintError(`it has more than ${MAX_OBJECTS} objects and lists`);
    }
    const own = isRecord(value) ? this.#names(value, pointer, base) : base;
    this.#bases.set(value, own);
    for (const [key, child] of Object.entries(value)) {
      // What stands in these are values, also where they look like schemas.
      if (
        isRecord(value) &&
        (key === "enum" || key === "const" || key === "default" || key === "examples")
      ) {
        continue;
      }
      this.#visit(child, `${pointer}/${escapeStep(key)}`, own, depth + 1);
    }
  }

  #names(schema: SchemaObject, pointer: string, base: string): string {
    const ignored = this.refStandsAlone && typeof schema["$ref"] === "string";
    const id = schema[this.draft === "draft-04" ? "id" : "$id"];
    let own = base;
    const found = { value: schema, pointer };
    if (typeof id === "string" && !ignored) {
      if (id.startsWith("#")) this.#anchors.set(`${base}${id}`, found);
      else {
        own = resolveUri(id.replace(/#.*$/, ""), base);
        if (!this.#resources.has(own)) this.#resources.set(own, found);
        const [, anchor] = id.split("#");
        if (anchor) this.#anchors.set(`${own}#${anchor}`, found);
      }
    }
    for (const keyword of ["$anchor", "$dynamicAnchor"]) {
      const name = schema[keyword];
      if (typeof name !== "string") continue;
      this.#anchors.set(`${own}#${name}`, found);
      if (keyword === "$dynamicAnchor") this.#dynamic.set(name, (this.#dynamic.get(name) ?? 0) + 1);
    }
    if (schema["$recursiveAnchor"] === true) {
      this.#dynamic.set("", (this.#dynamic.get("") ?? 0) + 1);
    }
    return own;
  }

  #add(schema: boolean | SchemaObject, pointer: string, base: string): SchemaPlace {
    const place = { id: this.#places.length, schema, pointer, base };
    this.#places.push(place);
    return place;
  }
}

function resolveUri(uri: string, base: string): string {
  try {
    return new URL(uri, base).href;
  } catch {
    return uri;
  }
}

function draftOf(schema: unknown): SchemaDraft | undefined {
  const declared = isRecord(schema) ? schema["$schema"] : undefined;
  if (typeof declared !== "string") return undefined;
  if (/2020-12/.test(declared)) return "2020-12";
  if (/2019-09/.test(declared)) return "2019-09";
  if (/draft-?0?7/.test(declared)) return "draft-07";
  if (/draft-?0?6/.test(declared)) return "draft-06";
  return /draft-?0?[1-5]\b/.test(declared) ? "draft-04" : undefined;
}

export function short(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
