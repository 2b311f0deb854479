/** What the rules of arrays and objects know of the grammar as a whole. */
import type { Regex } from "../grammar.ts";
import type { RawGrammar, RawSymbol } from "./raw-grammar.ts";
import type { SchemaSets } from "./schema-sets.ts";
import type { Expression, ValueSet } from "./value-sets.ts";

export type EmitOptions = {
  /** Most characters of white space in one place; 0: none. */
  readonly whitespace: number;
  /** Objects with up to this many properties may have them in any order. */
  readonly freeOrder: number;
};

/** Whether objects may have properties that no schema names, and whether there are names without end. */
export type FreeNames = "none" | "unbounded" | "bounded";

/** Terminals that are the same in every grammar, up to white space. */
export type Marks = {
  readonly space: Regex;
  readonly openArray: Regex;
  readonly emptyArray: Regex;
  readonly closeArray: Regex;
  readonly comma: Regex;
  readonly emptyObject: Regex;
  readonly closeObject: Regex;
};

export interface EmitContext {
  readonly sets: SchemaSets;
  readonly options: EmitOptions;
  readonly marks: Marks;
  readonly raw: RawGrammar;
  /** The texts of the values of an expression. */
  value(expression: Expression): RawSymbol;
  /** Tells that objects may have properties with names of a language. */
  noteFreeNames(names: Regex): void;
  /** The terminal of a set of scalars. */
  scalar(one: ValueSet): Regex;
  /** @param expression  one of its schemas has the keyword */
  note(
    kind: "checkedAfterwards" | "restrictions",
    expression: Expression,
    keyword: string,
    reason: string,
  ): void;
}

export const isScalar = (one: ValueSet): boolean => one.type !== "array" && one.type !== "object";

export function ascii(text: string): Regex {
  return { type: "bytes", bytes: new TextEncoder().encode(text) };
}
