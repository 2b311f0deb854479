/**
 * JSON Schema, as zod, pydantic, OpenAPI and people write it, into a graph of types. References and
 * `allOf` are merged as a validator would apply them: what holds together is one type. Alternatives become
 * a union of types, each with what stands beside them; where they only say which parameters go together,
 * they stay a rule. Nothing is left out: what no type says is a rule of its node.
 */
import type { JsonSchema } from "../message.ts";
import { type Alternatives, alternativesReader, liveBranches } from "./schema-alternatives.ts";
import {
  literalsOf,
  othersOf,
  propertyNamesOf,
  requiredOf,
  restItemsOf,
  schemasOfKey,
  tupleItemsOf,
  typesOf,
} from "./schema-keywords.ts";
import { onlyNarrows } from "./schema-narrowing.ts";
import {
  isSchemaObject,
  nameOfReference,
  type SchemaObject,
  SchemaReferences,
} from "./schema-references.ts";
import { negationsOf, RULE_KEYWORDS, rulesOf } from "./schema-rules.ts";
import {
  type FreeKeys,
  jsonTypeOf,
  type Notes,
  type Property,
  type Rule,
  type TypeNode,
  type TypeUse,
} from "./type-graph.ts";
import { type Built, built, nodeOf, plain, unionOf, withRules } from "./type-union.ts";

/** Deeper and larger schemas are `any` from there on. */
const MAX_DEPTH = 64;
const MAX_NODES = 20_000;
/** More combinations of alternatives than these are told as rules. */
const MAX_VARIANTS = 32;
/** Objects and lists that a schema in a rule may unfold to. */
const MAX_RULE_PARTS = 500;

/** What narrows values; a schema of other keywords alone admits everything. */
const ASSERTIONS: ReadonlySet<string> = new Set([
  ...RULE_KEYWORDS,
  ..."type const enum properties required additionalProperties patternProperties propertyNames unevaluatedProperties items prefixItems additionalItems".split(
    " ",
  ),
]);

/** A schema that holds together with others, without its references and `allOf`. */
type Conjunct = {
  readonly schema: SchemaObject;
  /** Whether its alternatives still count: they do not where one of them stands beside it. */
  readonly isOpen: boolean;
};

/** Schemas that hold together. */
type Conjunction = {
  readonly conjuncts: Conjunct[];
  notes: Notes;
  name: string | null;
  admitsNothing: boolean;
};

/** Total: every schema gives a graph. */
export function schemaToGraph(schema: JsonSchema): TypeUse {
  return new GraphBuilder(schema).build();
}

class GraphBuilder {
  readonly #root: unknown;
  readonly #references: SchemaReferences;
  readonly #alternativesOf = alternativesReader();
  /** Up to draft 7 a `$ref` stands alone: what is beside it does not hold. */
  readonly #refStandsAlone: boolean;
  readonly #ids = new Map<SchemaObject, number>();
  /** By the conjuncts, so that a definition is one node and may refer to itself. */
  readonly #nodes = new Map<string, TypeNode>();
  /** `nullable: true` beside other keywords, as an alternative. */
  readonly #nullable = new WeakMap<SchemaObject, SchemaObject>();
  #depth = 0;

  constructor(root: unknown) {
    this.#root = root;
    this.#references = new SchemaReferences(root);
    const dialect = isSchemaObject(root) ? root["$schema"] : undefined;
    this.#refStandsAlone = typeof dialect === "string" && /draft-?0?[1-7]\b/.test(dialect);
  }

  build(): TypeUse {
    return this.#use([this.#root]);
  }

  /** The type of what all of the schemas admit. */
  #use(schemas: readonly unknown[], beside: readonly Conjunct[] = []): TypeUse {
    const all: Conjunction = {
      conjuncts: [...beside],
      notes: {},
      name: null,
      admitsNothing: false,
    };
    const seen = new Set<unknown>(beside.map(({ schema }) => schema));
    for (const schema of schemas) this.#flatten(schema, all, seen, 0);
    const node = all.admitsNothing ? plain("never") : this.#node(all);
    return { node, notes: { ...node.notes, ...all.notes } };
  }

  #flatten(schema: unknown, into: Conjunction, seen: Set<unknown>, depth: number): void {
    if (schema === false) into.admitsNothing = true;
    if (!isSchemaObject(schema) || seen.has(schema) || depth > MAX_DEPTH) return;
    seen.add(schema);
    // The notes of the place come first, those of a definition where it has none.
    into.notes = { ...notesOf(schema), ...into.notes };
    const reference = referenceOf(schema);
    const isAlone = reference !== null && this.#refStandsAlone;
    if (schema["nullable"] === true && !isAlone) {
      this.#flatten(this.#withNull(schema), into, seen, depth + 1);
      return;
    }
    if (reference !== null) {
      into.name ??= into.conjuncts.length === 0 ? nameOfReference(reference) : null;
      this.#flatten(this.#references.resolve(reference), into, seen, depth + 1);
      if (isAlone) return;
    }
    if (Array.isArray(schema["allOf"])) {
      for (const part of schema["allOf"]) this.#flatten(part, into, seen, depth + 1);
    }
    const isOpen = this.#alternativesOf(schema).length > 0;
    if (isOpen || asserts(schema)) into.conjuncts.push({ schema, isOpen });
    for (const list of [schema["anyOf"], schema["oneOf"]]) {
      const branches = liveBranches(list);
      if (branches?.length === 0) into.admitsNothing = true;
      if (branches?.length === 1) this.#flatten(branches[0], into, seen, depth + 1);
    }
  }

  /** OpenAPI's `nullable: true`: the rest of the schema, or null. */
  #withNull(schema: SchemaObject): SchemaObject {
    const known = this.#nullable.get(schema);
    if (known !== undefined) return known;
    const { nullable: _, ...rest } = withoutNotes(schema);
    const made = { anyOf: [rest, { type: "null" }] };
    this.#nullable.set(schema, made);
    return made;
  }

  #node({ conjuncts, name }: Conjunction): TypeNode {
    if (conjuncts.length === 0) return plain("any");
    const key = [...new Set(conjuncts.map((conjunct) => this.#keyOf(conjunct)))].sort().join();
    const known = this.#nodes.get(key);
    if (known !== undefined) {
      if (known.shape === undefined) known.isRecursive = true;
      known.name ??= name;
      return known;
    }
    if (this.#nodes.size >= MAX_NODES || this.#depth >= MAX_DEPTH) return plain("any");
    const node: TypeNode = { ...plain("any"), shape: undefined, name };
    this.#nodes.set(key, node);
    this.#depth++;
    const { shape, rules, notes } = this.#build(conjuncts, node);
    this.#depth--;
    node.shape = shape;
    node.rules = rules.map((rule) => this.#withoutReferences(rule));
    node.notes = notes;
    return node;
  }

  #keyOf({ schema, isOpen }: Conjunct): string {
    const id = this.#ids.get(schema) ?? this.#ids.size;
    this.#ids.set(schema, id);
    return isOpen ? `${id}+` : `${id}`;
  }

  #build(conjuncts: readonly Conjunct[], node: TypeNode): Built {
    const schemas = conjuncts.map(({ schema }) => schema);
    const base = conjuncts
      .filter(({ schema }) => asserts(schema))
      .map(({ schema }) => ({ schema, isOpen: false }));
    const baseSchemas = base.map(({ schema }) => schema);
    const spread: Alternatives[] = [];
    const rules = [...negationsOf(schemas)];
    let combinations = 1;
    for (const { schema, isOpen } of conjuncts) {
      for (const group of isOpen ? this.#alternativesOf(schema) : []) {
        combinations *= group.branches.length;
        const asRules =
          combinations > MAX_VARIANTS ||
          group.branches.every((branch) => onlyNarrows(branch, baseSchemas));
        if (asRules) {
          combinations /= group.branches.length;
          rules.push(...group.asRules);
        } else spread.push(group);
      }
    }
    if (spread.length > 0) {
      const variants = combine(spread.map(({ branches }) => branches))
        .map((branches) => this.#use(branches, base))
        // To be what it is already adds nothing.
        .filter((variant) => variant.node !== node);
      const isExclusive = spread.some((group) => group.isExclusive);
      return withRules(unionOf(variants, isExclusive), rules);
    }
    return withRules(this.#plainType(schemas), rules);
  }

  /** The type of schemas without alternatives. */
  #plainType(schemas: readonly SchemaObject[]): Built {
    const values = literalsOf(schemas);
    if (values?.length === 0) return built({ kind: "never" });
    if (values !== undefined) {
      const kinds = new Set(values.map(jsonTypeOf));
      const rules = [...kinds].flatMap((kind) => rulesOf(schemas, kind));
      return built({ kind: "literals", values }, rules);
    }
    const types = typesOf(schemas);
    if (types === undefined) return built({ kind: "any" });
    const plainTypes = [...types].filter((type) => type !== "integer" || !types.has("number"));
    const uses = plainTypes.map((type) => {
      const { rules, ...of } = this.#oneType(type, schemas);
      const told = rules.map((rule) => this.#withoutReferences(rule));
      return { node: nodeOf({ ...of, rules: told }), notes: {} };
    });
    return unionOf(uses);
  }

  #oneType(type: string, schemas: readonly SchemaObject[]): Built {
    switch (type) {
      case "object":
        return this.#object(schemas);
      case "array":
        return this.#array(schemas);
      case "integer":
        return built({ kind: "number" }, [{ keyword: "integer" }, ...rulesOf(schemas, "number")]);
      default:
        return built({ kind: type as "string" }, rulesOf(schemas, type));
    }
  }

  #object(schemas: readonly SchemaObject[]): Built {
    const required = requiredOf(schemas);
    const names = new Set([...schemas.flatMap(propertyNamesOf), ...required]);
    const properties: Property[] = [];
    for (const name of names) {
      const type = this.#use(schemas.flatMap((schema) => schemasOfKey(schema, name)));
      properties.push({ name, isRequired: required.has(name), type });
    }
    const rules = [...rulesOf(schemas, "object")];
    const keyRules = schemas.flatMap(({ propertyNames }) => propertyNames ?? []);
    const keys = keyRules.length === 0 ? plain("string") : this.#use(keyRules).node;
    const { free, isClosed } = this.#freeKeys(schemas, keys, properties.length === 0);
    if (keyRules.length > 0 && free.length === 0 && !isClosed && keys.shape?.kind !== "string") {
      rules.push({ keyword: "propertyNames", value: keyRules[0] });
    }
    return built({ kind: "object", properties, free, isClosed }, rules);
  }

  #freeKeys(
    schemas: readonly SchemaObject[],
    keys: TypeNode,
    isAlone: boolean,
  ): { readonly free: readonly FreeKeys[]; readonly isClosed: boolean } {
    const free: FreeKeys[] = [];
    const patterns = new Set(
      schemas.flatMap(({ patternProperties }) =>
        isSchemaObject(patternProperties) ? Object.keys(patternProperties) : [],
      ),
    );
    for (const pattern of patterns) {
      const values = this.#use(
        schemas.flatMap((schema) => {
          const { patternProperties } = schema;
          return isSchemaObject(patternProperties) && Object.hasOwn(patternProperties, pattern)
            ? [patternProperties[pattern]]
            : othersOf(schema);
        }),
      );
      const matching: TypeNode = {
        ...plain("string"),
        rules: [...keys.rules, { keyword: "pattern", value: pattern }],
      };
      free.push({ keys: matching, values });
    }
    const others = schemas.flatMap(othersOf);
    const values = this.#use(others);
    const isClosed = values.node.shape?.kind === "never";
    const isTold = others.length > 0 || (isAlone && patterns.size === 0 && keys.rules.length > 0);
    if (!isClosed && (isTold || (isAlone && keys.shape?.kind === "literals"))) {
      free.push({ keys, values });
    }
    // Keys that must not be given are told only where others may be.
    const told = free.filter((one) => !isClosed || one.values.node.shape?.kind !== "never");
    return { free: told, isClosed };
  }

  #array(schemas: readonly SchemaObject[]): Built {
    const rules = rulesOf(schemas, "array");
    const lists = schemas.map(tupleItemsOf);
    const length = Math.max(...lists.map((list) => list?.length ?? 0));
    const rest = schemas.flatMap(restItemsOf);
    const items = this.#use(rest);
    if (length === 0) {
      if (items.node.shape?.kind !== "never") return built({ kind: "array", items }, rules);
      return built({ kind: "tuple", items: [], required: 0, rest: null }, rules);
    }
    const places = Array.from({ length }, (_, at) =>
      this.#use(
        schemas.flatMap((schema, of) => {
          const list = lists[of];
          return list !== undefined && at < list.length ? [list[at]] : restItemsOf(schema);
        }),
      ),
    );
    const least = rules.find(({ keyword }) => keyword === "minItems")?.value as number | undefined;
    const most = rules.find(({ keyword }) => keyword === "maxItems")?.value as number | undefined;
    const isOpen = rest.length > 0 && items.node.shape?.kind !== "never";
    // Without a least length, a list of places is meant as a whole.
    const required = Math.min(least ?? length, length);
    const implied = new Set<string>();
    if (least !== undefined && least <= length) implied.add("minItems");
    if (most !== undefined && most >= length && !isOpen) implied.add("maxItems");
    return built(
      { kind: "tuple", items: places, required, rest: isOpen ? items : null },
      rules.filter(({ keyword }) => !implied.has(keyword)),
    );
  }

  /** A rule whose value is a schema is told as JSON, which must not refer to what is not shown. */
  #withoutReferences(rule: Rule): Rule {
    if (typeof rule.value !== "object") return rule;
    const open = new Set<string>();
    let left = MAX_RULE_PARTS;
    const resolve = (value: unknown, depth: number): unknown => {
      if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return value;
      if (--left < 0) return {};
      if (Array.isArray(value)) return value.map((item) => resolve(item, depth + 1));
      const reference = referenceOf(value as SchemaObject);
      if (reference !== null && !open.has(reference)) {
        open.add(reference);
        const target = resolve(this.#references.resolve(reference), depth + 1);
        open.delete(reference);
        return target;
      }
      return Object.fromEntries(
        Object.entries(value).map(([key, child]) => [key, resolve(child, depth + 1)]),
      );
    };
    return { ...rule, value: resolve(rule.value, 0) };
  }
}

function asserts(schema: SchemaObject): boolean {
  return Object.keys(schema).some((keyword) => ASSERTIONS.has(keyword));
}

function referenceOf(schema: SchemaObject): string | null {
  for (const keyword of ["$ref", "$dynamicRef", "$recursiveRef"]) {
    if (typeof schema[keyword] === "string") return schema[keyword];
  }
  return null;
}

function notesOf(schema: SchemaObject): Notes {
  const { title, description, examples, example, deprecated } = schema;
  const shown = Array.isArray(examples) ? examples : example === undefined ? [] : [example];
  return {
    ...(typeof title === "string" && title.trim() !== "" && { title }),
    ...(typeof description === "string" && description.trim() !== "" && { description }),
    ...(shown.length > 0 && { examples: shown }),
    ...(schema["default"] !== undefined && { default: schema["default"] }),
    ...(deprecated === true && { isDeprecated: true as const }),
  };
}

function withoutNotes(schema: SchemaObject): SchemaObject {
  const { title: _t, description: _d, examples: _x, example: _e, default: _v, ...rest } = schema;
  return rest;
}

/** One branch of each list, in every combination. */
function combine(lists: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] {
  let combinations: readonly (readonly unknown[])[] = [[]];
  for (const list of lists) {
    combinations = combinations.flatMap((chosen) => list.map((branch) => [...chosen, branch]));
  }
  return combinations;
}
