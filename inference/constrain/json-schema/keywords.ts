/** Reads the keywords of a schema, each with what it may be. */
import { JsonSchemaConstraintError } from "../../errors.ts";
import { isRecord, type SchemaObject, type SchemaPlace, short } from "./schema-index.ts";

const words = (text: string): readonly string[] => text.split(" ");

const TYPES: ReadonlySet<string> = new Set(
  words("array boolean integer null number object string"),
);

/** Keywords that have an effect, in any draft. */
const EFFECTIVE: readonly string[] = words(
  "type enum const multipleOf minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength pattern " +
    "format items prefixItems additionalItems unevaluatedItems minItems maxItems uniqueItems contains " +
    "minContains maxContains properties patternProperties additionalProperties unevaluatedProperties " +
    "propertyNames required minProperties maxProperties dependentRequired dependentSchemas dependencies " +
    "allOf anyOf oneOf not if then else $ref $dynamicRef $recursiveRef nullable",
);

/** Keywords that only name or describe, of JSON Schema and of OpenAPI. */
const DESCRIPTIVE: readonly string[] = words(
  "$schema $id id $anchor $dynamicAnchor $recursiveAnchor $vocabulary $comment $defs definitions components " +
    "title description default example examples deprecated readOnly writeOnly contentEncoding " +
    "contentMediaType contentSchema discriminator externalDocs xml",
);

const KNOWN: ReadonlySet<string> = new Set([...EFFECTIVE, ...DESCRIPTIVE]);

/** Keywords that are none of JSON Schema's; those of tools for people begin with `x-`. */
export function unknownKeywords(schema: SchemaObject): readonly string[] {
  return Object.keys(schema).filter((keyword) => !KNOWN.has(keyword) && !keyword.startsWith("x-"));
}

function fail(place: SchemaPlace, keyword: string, accepted: string): never {
  const where = place.pointer || "the root";
  const found = short((place.schema as SchemaObject)[keyword]);
  throw new JsonSchemaConstraintError(`${keyword} at ${where} is ${found}; accepted: ${accepted}`);
}

/** The keywords of one schema. All throw JsonSchemaConstraintError for a value of the wrong kind. */
export class Keywords {
  readonly place: SchemaPlace;
  readonly #schema: SchemaObject;

  constructor(place: SchemaPlace) {
    this.place = place;
    this.#schema = isRecord(place.schema) ? place.schema : {};
  }

  has(keyword: string): boolean {
    return Object.hasOwn(this.#schema, keyword) && this.#schema[keyword] !== undefined;
  }

  get(keyword: string): unknown {
    return this.has(keyword) ? this.#schema[keyword] : undefined;
  }

  types(): readonly string[] {
    const type = this.get("type");
    if (type === undefined) return [...TYPES];
    const list = Array.isArray(type) ? type : [type];
    if (!list.every((one) => typeof one === "string" && TYPES.has(one))) {
      fail(this.place, "type", [...TYPES].join(", "));
    }
    return list as readonly string[];
  }

  number(keyword: string): number | undefined {
    const value = this.get(keyword);
    if (value === undefined) return undefined;
    if (typeof value !== "number") fail(this.place, keyword, "a number");
    return value;
  }

  /** A bound of its own, or, as draft-04 has it, a flag of the bound beside it. */
  bound(keyword: "minimum" | "maximum"): { value: number; exclusive: boolean } | undefined {
    const name = keyword === "minimum" ? "exclusiveMinimum" : "exclusiveMaximum";
    const inclusive = this.number(keyword);
    const flag = this.get(name);
    if (typeof flag === "boolean") {
      return inclusive === undefined ? undefined : { value: inclusive, exclusive: flag };
    }
    const exclusive = this.number(name);
    if (exclusive === undefined) {
      return inclusive === undefined ? undefined : { value: inclusive, exclusive: false };
    }
    const isTighter =
      inclusive === undefined ||
      (keyword === "minimum" ? exclusive >= inclusive : exclusive <= inclusive);
    return isTighter
      ? { value: exclusive, exclusive: true }
      : { value: inclusive, exclusive: false };
  }

  count(keyword: string): number | undefined {
    const value = this.number(keyword);
    if (value === undefined) return undefined;
    if (!Number.isInteger(value) || value < 0) fail(this.place, keyword, "a whole number from 0");
    return value;
  }

  text(keyword: string): string | undefined {
    const value = this.get(keyword);
    if (value === undefined) return undefined;
    if (typeof value !== "string") fail(this.place, keyword, "a text");
    return value;
  }

  flag(keyword: string): boolean {
    const value = this.get(keyword);
    if (value === undefined) return false;
    if (typeof value !== "boolean") fail(this.place, keyword, "true or false");
    return value;
  }

  list(keyword: string): readonly unknown[] | undefined {
    const value = this.get(keyword);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) fail(this.place, keyword, "a list");
    return value;
  }

  names(keyword: string): readonly string[] {
    const value = this.list(keyword) ?? [];
    if (!value.every((one) => typeof one === "string"))
      fail(this.place, keyword, "a list of texts");
    return value as readonly string[];
  }

  map(keyword: string): readonly (readonly [string, unknown])[] {
    const value = this.get(keyword);
    if (value === undefined) return [];
    if (!isRecord(value)) fail(this.place, keyword, "an object");
    return Object.entries(value);
  }

  /** Property names that each need others: `dependentRequired`, and the lists of `dependencies`. */
  implications(): readonly { readonly name: string; readonly needs: readonly string[] }[] {
    const keywords = ["dependentRequired", "dependencies"];
    return keywords.flatMap((keyword) =>
      this.map(keyword).flatMap(([name, needs]) => {
        if (keyword === "dependencies" && typeof needs === "string")
          return [{ name, needs: [needs] }];
        if (!Array.isArray(needs)) {
          if (keyword === "dependencies") return [];
          return fail(this.place, keyword, "an object of lists of texts");
        }
        if (!needs.every((one) => typeof one === "string")) {
          fail(this.place, keyword, "an object of lists of texts");
        }
        return [{ name, needs: needs as readonly string[] }];
      }),
    );
  }

  /** Schemas that hold if there is a property: `dependentSchemas`, and those of `dependencies`. */
  dependentSchemas(): readonly (readonly [keyword: string, name: string, schema: unknown])[] {
    return ["dependentSchemas", "dependencies"].flatMap((keyword) =>
      this.map(keyword)
        .filter(([, schema]) => !Array.isArray(schema) && typeof schema !== "string")
        .map(([name, schema]) => [keyword, name, schema] as const),
    );
  }

  /** The schemas of the items by their place, and of those after them, over the drafts. */
  items(): {
    readonly prefix: readonly unknown[];
    readonly keyword: string;
    readonly rest: unknown;
    readonly restKeyword: string;
  } {
    const items = this.get("items");
    if (Array.isArray(items) && !this.has("prefixItems")) {
      return {
        prefix: items,
        keyword: "items",
        rest: this.get("additionalItems"),
        restKeyword: "additionalItems",
      };
    }
    return {
      prefix: this.list("prefixItems") ?? [],
      keyword: "prefixItems",
      rest: items,
      restKeyword: "items",
    };
  }
}
