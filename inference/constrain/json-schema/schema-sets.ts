/**
 * From schemas to the sets of values that they describe. Keywords about values of one type become one set of
 * that type; keywords that combine schemas become unions and intersections. A negation is pushed inwards until
 * it stands before keywords of one type, so that every part that cannot be carried may be replaced by more
 * values than it describes: the result then has them too, and the keyword is noted as checked afterwards.
 */
import { JsonSchemaConstraintError } from "../../errors.ts";
import { Keywords, unknownKeywords } from "./keywords.ts";
import { negatedKeywords, negatedValues } from "./negation.ts";
import type { NoteBook } from "./notes.ts";
import type { SchemaIndex, SchemaObject, SchemaPlace } from "./schema-index.ts";
import { isRecord } from "./schema-index.ts";
import type { SetContext } from "./set-context.ts";
import { typedKeywords, valueSets } from "./typed-keywords.ts";
import {
  ALL,
  ALL_OBJECTS,
  ANYTHING,
  conjunction,
  EVERYTHING,
  type Expression,
  intersectSets,
  type Layer,
  simplifyUnion,
  type ValueSet,
} from "./value-sets.ts";
import { isVoidSet } from "./void-sets.ts";

type Sets = readonly ValueSet[];

/** Alternatives of one value; more are not multiplied out. */
const MAX_SETS = 300;
const MAX_PRODUCT = 20_000;
const TOO_MANY = "too many combinations of alternatives";
/** Branches of `anyOf` of which all combinations are looked at where properties are counted as evaluated. */
const MAX_COMBINED = 4;
/** Branches of `oneOf` that are held against each other. */
const MAX_BRANCHES = 80;

type Known = { readonly sets: Sets; readonly notes: ReturnType<NoteBook["aside"]>["notes"] };

/** A schema that leads back to itself before any value is looked at. */
class EndlessSchema extends Error {}

export class SchemaSets implements SetContext {
  readonly index: SchemaIndex;
  readonly notes: NoteBook;
  /** The expression that no value has. */
  readonly never: Expression;
  readonly #literals = new Map<number, Known | "open">();
  readonly #expressions = new Map<string, Sets>();
  readonly #countsEvaluated: boolean;

  constructor(index: SchemaIndex, notes: NoteBook) {
    this.index = index;
    this.notes = notes;
    this.never = [index.place(false, "", "").id + 1];
    this.#countsEvaluated = hasUnevaluated(index.root.schema);
  }

  /** The expression of a schema, or of its negation. */
  of(place: SchemaPlace, negative = false): Expression {
    const { schema } = place;
    if (schema === true || (isRecord(schema) && Object.keys(schema).length === 0)) {
      return negative ? this.never : ANYTHING;
    }
    if (schema === false) return negative ? ANYTHING : this.never;
    return [negative ? -(place.id + 1) : place.id + 1];
  }

  and(...expressions: readonly Expression[]): Expression {
    return expressions.reduce((a, b) => conjunction(a, b, this.never), ANYTHING);
  }

  /** An expression of one schema, negated. */
  inverse(expression: Expression): Expression {
    const [only] = expression;
    if (only === undefined) return this.never;
    if (expression === this.never) return ANYTHING;
    if (expression.length > 1) throw new TypeError("only one schema can be negated at a time");
    return [-only];
  }

  /** @throws JsonSchemaConstraintError */
  expand(expression: Expression): Sets {
    try {
      return this.#expand(expression);
    } catch (error) {
      if (!(error instanceof EndlessSchema)) throw error;
      throw new JsonSchemaConstraintError("it refers to itself without end");
    }
  }

  /** Whether an expression has no values, as far as that shows within some levels. */
  isVoid(expression: Expression, levels: number): boolean {
    if (expression === this.never) return true;
    if (levels === 0 || expression.length === 0) return false;
    try {
      return this.#expand(expression).every((one) => isVoidSet(one, this, levels - 1));
    } catch (error) {
      // A schema inside of itself, seen from inside.
      if (error instanceof EndlessSchema) return false;
      throw error;
    }
  }

  #expand(expression: Expression): Sets {
    const key = expression.join();
    const known = this.#expressions.get(key);
    if (known !== undefined) return known;
    let sets: Sets = EVERYTHING;
    for (const literal of expression) sets = this.#multiply(sets, this.#literal(literal));
    const simple = simplifyUnion(sets);
    this.#expressions.set(key, simple);
    return simple;
  }

  #literal(literal: number): Sets {
    const known = this.#literals.get(literal);
    if (known === "open") throw new EndlessSchema();
    if (known !== undefined) {
      this.notes.keep(known.notes);
      return known.sets;
    }
    this.#literals.set(literal, "open");
    try {
      const place = this.index.at(Math.abs(literal) - 1);
      const { result: sets, notes } = this.notes.aside(() =>
        literal > 0 ? this.#positive(place) : this.#negative(place),
      );
      this.#literals.set(literal, { sets, notes });
      this.notes.keep(notes);
      return sets;
    } catch (error) {
      this.#literals.delete(literal);
      throw error;
    }
  }

  #multiply(a: Sets, b: Sets): Sets {
    if (a === EVERYTHING) return b;
    if (b === EVERYTHING) return a;
    const product: ValueSet[] = [];
    this.notes.step(a.length * b.length);
    for (const one of a) {
      for (const other of b) {
        const both = intersectSets(one, other, this.never);
        if (both !== undefined) product.push(both);
      }
    }
    return product;
  }

  #positive(place: SchemaPlace): Sets {
    const { schema } = place;
    if (!isRecord(schema)) return schema ? EVERYTHING : [];
    const keywords = new Keywords(place);
    if (this.index.refStandsAlone && typeof schema["$ref"] === "string") {
      const target = this.#literalsOf(this.of(this.index.resolve(schema["$ref"], place)));
      return schema["nullable"] === true ? [...target, ALL.null] : target;
    }
    for (const keyword of unknownKeywords(schema)) {
      this.notes.add("unknown", place.pointer, keyword, "it is no keyword of JSON Schema");
    }
    let sets = typedKeywords(keywords, this);
    const narrow = (keyword: string, by: Sets): void => {
      const product = sets.length * by.length > MAX_PRODUCT ? undefined : this.#multiply(sets, by);
      const most = Math.max(MAX_SETS, sets.length, by.length);
      if (product !== undefined && product.length <= most) sets = product;
      else this.#later(place, keyword, TOO_MANY);
    };
    const values = keywords.list("enum");
    if (values !== undefined) {
      narrow("enum", simplifyUnion(values.flatMap((value) => valueSets(value, place, this))));
    }
    if (keywords.has("const")) narrow("const", valueSets(keywords.get("const"), place, this));
    this.#references(keywords, narrow);
    for (const one of this.#list(keywords, "allOf")) narrow("allOf", this.#literalsOf(one));
    const anyOf = this.#list(keywords, "anyOf");
    if (anyOf.length > 0) narrow("anyOf", this.#anyOf(anyOf, place));
    const oneOf = this.#list(keywords, "oneOf");
    if (oneOf.length > 0) narrow("oneOf", this.#oneOf(oneOf, place));
    if (keywords.has("not")) {
      const negated = this.index.child(place, keywords.get("not"), "not");
      narrow(
        "not",
        this.#relaxable(place, "not", () => this.#literalsOf(this.of(negated, true))),
      );
    }
    if (keywords.has("if")) narrow("if", this.#condition(keywords));
    for (const [keyword, name, dependent] of keywords.dependentSchemas()) {
      const then = this.of(this.index.child(place, dependent, keyword, name));
      const absent: ValueSet = objectWith(this.#forbidding(name));
      const present: ValueSet = { type: "object", set: { ...ALL_OBJECTS, required: [name] } };
      narrow(keyword, [
        ...notObjects(),
        absent,
        ...this.#multiply([present], this.#literalsOf(then)),
      ]);
    }
    sets = this.#unevaluated(keywords, sets);
    if (keywords.get("nullable") === true) sets = [...sets, ALL.null];
    return simplifyUnion(sets);
  }

  #literalsOf(expression: Expression): Sets {
    return expression.reduce<Sets>(
      (sets, literal) => this.#multiply(sets, this.#literal(literal)),
      EVERYTHING,
    );
  }

  #list(keywords: Keywords, keyword: "allOf" | "anyOf" | "oneOf"): readonly Expression[] {
    const list = keywords.list(keyword) ?? [];
    return list.map((one, at) => this.of(this.index.child(keywords.place, one, keyword, at)));
  }

  #references(keywords: Keywords, narrow: (keyword: string, by: Sets) => void): void {
    const { place } = keywords;
    if (keywords.has("$ref")) {
      const target = this.index.resolve(keywords.get("$ref"), place);
      narrow("$ref", this.#literalsOf(this.of(target)));
    }
    for (const keyword of ["$dynamicRef", "$recursiveRef"]) {
      const reference = keywords.text(keyword);
      if (reference === undefined) continue;
      if (this.index.isStatic(reference.split("#")[1] ?? "")) {
        narrow(keyword, this.#literalsOf(this.of(this.index.resolve(reference, place))));
      } else {
        this.#later(place, keyword, "it leads to more than one place");
        narrow(keyword, EVERYTHING.map(withAllEvaluated));
      }
    }
  }

  #anyOf(branches: readonly Expression[], place: SchemaPlace): Sets {
    const each = branches.flatMap((branch) => this.#literalsOf(branch));
    if (!this.#countsEvaluated || branches.length === 1) return each;
    if (branches.length > MAX_COMBINED) {
      // Which branches hold together decides what is evaluated; that is left to the validator.
      this.#later(place, "anyOf", "what it evaluates depends on more branches than are combined");
      return each.map(withAllEvaluated);
    }
    const combined: ValueSet[] = [...each];
    for (let chosen = 1; chosen < 2 ** branches.length; chosen++) {
      const some = branches.filter((_, index) => (chosen >> index) % 2 === 1);
      if (some.length > 1) combined.push(...this.#literalsOf(this.and(...some)));
    }
    return combined;
  }

  #oneOf(branches: readonly Expression[], place: SchemaPlace): Sets {
    const sets = branches.map((branch) => this.#literalsOf(branch));
    const all = sets.flat();
    if (branches.length === 1) return all;
    if (branches.length > MAX_BRANCHES) {
      this.#later(place, "oneOf", `it has more than ${MAX_BRANCHES} branches`);
      return all;
    }
    const overlaps = branches.map((_, index) =>
      branches.flatMap((__, other) =>
        other !== index && this.#meet(sets[index] ?? [], sets[other] ?? []) ? [other] : [],
      ),
    );
    if (overlaps.every((others) => others.length === 0)) return all;
    const { result, notes } = this.notes.aside(() =>
      branches.flatMap((_, index) => {
        const others = (overlaps[index] ?? []).map((other) => this.#inverse(branches[other] ?? []));
        return others.reduce<Sets>((left, right) => this.#multiply(left, right), sets[index] ?? []);
      }),
    );
    const isExact = !notes.some(([kind]) => kind === "checkedAfterwards");
    if (isExact && result.length <= MAX_SETS) return result;
    this.#later(place, "oneOf", "its branches have values in common that are not excluded");
    return all;
  }

  #meet(a: Sets, b: Sets): boolean {
    return this.notes.aside(() => this.#multiply(a, b).some((one) => !isVoidSet(one, this, 3)))
      .result;
  }

  /** All values that an expression does not have. */
  #inverse(expression: Expression): Sets {
    return expression.flatMap((literal) => this.#literal(-literal));
  }

  #condition(keywords: Keywords): Sets {
    const { place } = keywords;
    const part = (keyword: string): Expression =>
      keywords.has(keyword)
        ? this.of(this.index.child(place, keywords.get(keyword), keyword))
        : ANYTHING;
    const [test, then, otherwise] = [part("if"), part("then"), part("else")];
    if (then.length === 0 && otherwise.length === 0 && !this.#countsEvaluated) return EVERYTHING;
    return this.#relaxable(place, "if", () => [
      ...this.#multiply(this.#literalsOf(test), this.#literalsOf(then)),
      ...this.#multiply(this.#inverse(test), this.#literalsOf(otherwise)),
    ]);
  }

  /** Sets that say no more than they must when what they are made of cannot be carried. */
  #relaxable(place: SchemaPlace, keyword: string, work: () => Sets): Sets {
    const { result, notes } = this.notes.aside(work);
    const lost = notes.find(([kind]) => kind === "checkedAfterwards");
    this.notes.keep(notes.filter(([kind]) => kind !== "checkedAfterwards"));
    if (lost !== undefined) {
      const [, { keyword: inner, reason }] = lost;
      const cause = inner === keyword ? reason : `the negation of ${inner} inside of it: ${reason}`;
      this.#later(place, keyword, cause);
    }
    if (result.length <= MAX_SETS) return result;
    this.#later(place, keyword, TOO_MANY);
    return EVERYTHING;
  }

  #unevaluated(keywords: Keywords, sets: Sets): Sets {
    const { place } = keywords;
    let result = sets;
    if (keywords.has("unevaluatedProperties")) {
      const value = keywords.get("unevaluatedProperties");
      const others = this.of(this.index.child(place, value, "unevaluatedProperties"));
      result = result.map((one) =>
        one.type === "object"
          ? { type: "object", set: { ...one.set, layers: withUnevaluated(one.set.layers, others) } }
          : one,
      );
    }
    if (keywords.has("unevaluatedItems")) {
      const value = keywords.get("unevaluatedItems");
      const rest = this.of(this.index.child(place, value, "unevaluatedItems"));
      const evaluatesByContent = this.index.draft === "2020-12";
      result = result.map((one): ValueSet => {
        if (one.type !== "array" || one.set.evaluated === Infinity) return one;
        if (evaluatesByContent && one.set.contains.length > 0) {
          this.#later(place, "unevaluatedItems", "what contains finds counts as evaluated");
          return one;
        }
        const { prefix, evaluated } = one.set;
        const length = Math.max(prefix.length, evaluated);
        const items = Array.from({ length }, (_, index) =>
          this.and(prefix[index] ?? one.set.rest, index < evaluated ? ANYTHING : rest),
        );
        return {
          type: "array",
          set: {
            ...one.set,
            prefix: items,
            rest: this.and(one.set.rest, rest),
            evaluated: Number.POSITIVE_INFINITY,
          },
        };
      });
    }
    return result;
  }

  #negative(place: SchemaPlace): Sets {
    const { schema } = place;
    if (!isRecord(schema)) return schema ? [] : EVERYTHING;
    const keywords = new Keywords(place);
    if (this.index.refStandsAlone && typeof schema["$ref"] === "string") {
      const target = this.#inverse(this.of(this.index.resolve(schema["$ref"], place)));
      return schema["nullable"] === true ? target.filter(({ type }) => type !== "null") : target;
    }
    const union: ValueSet[] = [...negatedKeywords(keywords, this)];
    const values = keywords.list("enum");
    if (values !== undefined) union.push(...this.#negatedList(values, place));
    if (keywords.has("const")) {
      union.push(...this.#negatedList([keywords.get("const")], place));
    }
    this.#negatedReferences(keywords, union);
    for (const one of this.#list(keywords, "allOf")) union.push(...this.#inverse(one));
    const anyOf = this.#list(keywords, "anyOf");
    if (anyOf.length > 0) union.push(...this.#noneOf(anyOf));
    const oneOf = this.#list(keywords, "oneOf");
    if (oneOf.length > 0) {
      union.push(...this.#noneOf(oneOf));
      for (const [index, one] of oneOf.entries()) {
        for (const other of oneOf.slice(index + 1)) {
          union.push(...this.#literalsOf(this.and(one, other)));
        }
      }
    }
    if (keywords.has("not")) {
      const inner = this.of(this.index.child(place, keywords.get("not"), "not"));
      union.push(...this.#literalsOf(inner).map(withoutEvaluation));
    }
    if (keywords.has("if")) union.push(...this.#negatedCondition(keywords));
    for (const [keyword, name, dependent] of keywords.dependentSchemas()) {
      const then = this.of(this.index.child(place, dependent, keyword, name));
      const present: ValueSet = { type: "object", set: { ...ALL_OBJECTS, required: [name] } };
      union.push(...this.#multiply([present], this.#inverse(then)));
    }
    for (const keyword of ["unevaluatedProperties", "unevaluatedItems"] as const) {
      if (!keywords.has(keyword)) continue;
      this.#later(place, keyword, "no grammar says that there is something left");
      union.push(keyword === "unevaluatedItems" ? ALL.array : ALL.object);
    }
    const sets = union.length > MAX_SETS ? this.#tooMany(place) : simplifyUnion(union);
    if (keywords.get("nullable") !== true) return sets.map(withoutEvaluation);
    return sets.filter(({ type }) => type !== "null").map(withoutEvaluation);
  }

  #tooMany(place: SchemaPlace): Sets {
    this.#later(place, "not", TOO_MANY);
    return EVERYTHING;
  }

  #negatedList(values: readonly unknown[], place: SchemaPlace): Sets {
    return negatedValues(values, place, this).reduce<Sets>(
      (left, right) => this.#multiply(left, right),
      EVERYTHING,
    );
  }

  #negatedReferences(keywords: Keywords, union: ValueSet[]): void {
    const { place } = keywords;
    if (keywords.has("$ref")) {
      const target = this.index.resolve(keywords.get("$ref"), place);
      union.push(...this.#inverse(this.of(target)));
    }
    for (const keyword of ["$dynamicRef", "$recursiveRef"]) {
      const reference = keywords.text(keyword);
      if (reference === undefined) continue;
      if (this.index.isStatic(reference.split("#")[1] ?? "")) {
        union.push(...this.#inverse(this.of(this.index.resolve(reference, place))));
      } else {
        this.#later(place, keyword, "it leads to more than one place");
        union.push(...EVERYTHING);
      }
    }
  }

  #noneOf(branches: readonly Expression[]): Sets {
    return branches.reduce<Sets>(
      (sets, branch) => this.#multiply(sets, this.#inverse(branch)),
      EVERYTHING,
    );
  }

  #negatedCondition(keywords: Keywords): Sets {
    const { place } = keywords;
    const inner = (keyword: string): Expression | undefined =>
      keywords.has(keyword)
        ? this.of(this.index.child(place, keywords.get(keyword), keyword))
        : undefined;
    const [test = ANYTHING, then, otherwise] = [inner("if"), inner("then"), inner("else")];
    return [
      ...(then === undefined ? [] : this.#multiply(this.#literalsOf(test), this.#inverse(then))),
      ...(otherwise === undefined
        ? []
        : this.#multiply(this.#inverse(test), this.#inverse(otherwise))),
    ];
  }

  #forbidding(name: string): Layer {
    return {
      properties: new Map([[name, this.never]]),
      patterns: [],
      others: undefined,
      silent: true,
    };
  }

  #later(place: SchemaPlace, keyword: string, reason: string): void {
    this.notes.add("checkedAfterwards", place.pointer, keyword, reason);
  }
}

const notObjects = (): Sets => EVERYTHING.filter(({ type }) => type !== "object");

const objectWith = (layer: Layer): ValueSet => ({
  type: "object",
  set: { ...ALL_OBJECTS, layers: [layer] },
});

/** What a negation looks at does not count as evaluated. */
function withoutEvaluation(one: ValueSet): ValueSet {
  if (one.type === "array") {
    return one.set.evaluated === 0 ? one : { type: "array", set: { ...one.set, evaluated: 0 } };
  }
  if (one.type !== "object" || one.set.layers.every(({ silent }) => silent)) return one;
  const layers = one.set.layers.map((layer) => ({ ...layer, silent: true }));
  return { type: "object", set: { ...one.set, layers } };
}

function withAllEvaluated(one: ValueSet): ValueSet {
  if (one.type === "array") {
    return { type: "array", set: { ...one.set, evaluated: Number.POSITIVE_INFINITY } };
  }
  if (one.type !== "object") return one;
  const all: Layer = { properties: new Map(), patterns: [], others: ANYTHING, silent: false };
  return { type: "object", set: { ...one.set, layers: [...one.set.layers, all] } };
}

/** A layer for the properties that none of the others knows. */
function withUnevaluated(layers: readonly Layer[], others: Expression): readonly Layer[] {
  const loud = layers.filter(({ silent }) => !silent);
  if (loud.some((layer) => layer.others !== undefined)) return layers;
  const names = loud.flatMap(({ properties }) => [...properties.keys()]);
  const patterns = loud.flatMap((layer) =>
    layer.patterns.map((pattern) => ({ names: pattern.names, value: ANYTHING })),
  );
  const properties = new Map(names.map((name) => [name, ANYTHING] as const));
  return [...layers, { properties, patterns, others, silent: false }];
}

function hasUnevaluated(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const own = value as SchemaObject;
  if ("unevaluatedProperties" in own || "unevaluatedItems" in own) return true;
  return Object.values(value).some(hasUnevaluated);
}
