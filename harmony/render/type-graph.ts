/**
 * What a JSON Schema admits, as the model is to be shown it: a graph of types. Definitions that are used
 * several times are one node, recursive ones refer to themselves.
 */

/** A limit that a type does not say by itself, such as `minimum` 3; without a value: `integer`. */
export type Rule = { readonly keyword: string; readonly value?: unknown };

/** What a schema says to people and what is never checked. */
export type Notes = {
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly isDeprecated?: true;
};

/** A type where it stands: the notes of the place, or of the definition where the place has none. */
export type TypeUse = { readonly node: TypeNode; readonly notes: Notes };

export type Property = {
  readonly name: string;
  readonly isRequired: boolean;
  readonly type: TypeUse;
};

/** Free keys: those that `keys` admits, with the type of their values. */
export type FreeKeys = { readonly keys: TypeNode; readonly values: TypeUse };

export type Shape =
  | { readonly kind: "any" | "never" | "string" | "number" | "boolean" | "null" }
  | { readonly kind: "literals"; readonly values: readonly unknown[] }
  | { readonly kind: "array"; readonly items: TypeUse }
  | {
      readonly kind: "tuple";
      readonly items: readonly TypeUse[];
      /** So many items have to be there. */
      readonly required: number;
      readonly rest: TypeUse | null;
    }
  | {
      readonly kind: "object";
      readonly properties: readonly Property[];
      readonly free: readonly FreeKeys[];
      /** Whether no other keys are admitted; if they are and nothing is known of them, `free` is empty. */
      readonly isClosed: boolean;
    }
  | {
      readonly kind: "union";
      readonly variants: readonly TypeUse[];
      /** A value must be of one variant only, and some values would be of several. */
      readonly isExclusive: boolean;
    };

export type TypeNode = {
  /** Undefined while the node is being built. */
  shape: Shape | undefined;
  rules: readonly Rule[];
  /** The notes of the definition. */
  notes: Notes;
  /** What the schema calls it, if it has a name. */
  name: string | null;
  /** Whether a value of it may hold another one. */
  isRecursive: boolean;
};

/** Unions that hold themselves are looked into down to this depth. */
const MAX_UNION_DEPTH = 8;

/** The JSON types of the values that a node admits; null: any. */
export function jsonTypesOf({ shape }: TypeNode, depth: number = 0): ReadonlySet<string> | null {
  if (shape === undefined || shape.kind === "any" || depth > MAX_UNION_DEPTH) return null;
  switch (shape.kind) {
    case "never":
      return new Set();
    case "literals":
      return new Set(shape.values.map(jsonTypeOf));
    case "tuple":
      return new Set(["array"]);
    case "union": {
      const types = new Set<string>();
      for (const { node } of shape.variants) {
        const some = jsonTypesOf(node, depth + 1);
        if (some === null) return null;
        for (const type of some) types.add(type);
      }
      return types;
    }
    default:
      return new Set([shape.kind]);
  }
}

export function jsonTypeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
