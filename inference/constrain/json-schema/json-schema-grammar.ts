/** A JSON Schema as a grammar over JSON text. */
import { JsonSchemaConstraintError } from "../../errors.ts";
import type { Grammar } from "../grammar.ts";
import { Emitter } from "./emitter.ts";
import { type KeywordNote, NoteBook } from "./notes.ts";
import { type SchemaDraft, SchemaIndex } from "./schema-index.ts";
import { SchemaSets } from "./schema-sets.ts";

export type JsonSchemaGrammarOptions = {
  /** Of a schema that does not name its draft. Default: 2020-12. */
  readonly draft?: SchemaDraft | undefined;
  /** Further documents that a `$ref` may lead into, by their URI. Nothing is loaded. */
  readonly schemas?: Readonly<Record<string, unknown>> | undefined;
  /** Most characters of white space in one place, 0 … 64. Default: 8. */
  readonly whitespace?: number | undefined;
  /** `free`: objects with up to eight properties may have them in any order. Default: free. */
  readonly propertyOrder?: "free" | "declared" | undefined;
  /**
   * What becomes of a schema that no grammar can stand for: an error, or a grammar of all JSON, with the whole
   * schema checked afterwards. Default: error.
   */
  readonly uncarried?: "error" | "validate" | undefined;
};

export type JsonSchemaGrammar = {
  readonly grammar: Grammar;
  /** Every text of the grammar is valid: nothing is left to check afterwards. */
  readonly carried: boolean;
  /** Keywords that the texts of the grammar may break. */
  readonly checkedAfterwards: readonly KeywordNote[];
  /** Keywords for which some valid values, or ways to write them, are left out. */
  readonly restrictions: readonly KeywordNote[];
  /** Keywords without any effect. */
  readonly unknown: readonly KeywordNote[];
};

const DEFAULT_WHITESPACE = 8;
const MAX_WHITESPACE = 64;
const FREE_ORDER = 8;

/**
 * The grammar of the valid texts of a JSON Schema, drafts 04 to 2020-12.
 * @throws JsonSchemaConstraintError when it is no schema, no value is valid, or it takes too much work
 */
export function jsonSchemaGrammar(
  schema: unknown,
  options: JsonSchemaGrammarOptions = {},
): JsonSchemaGrammar {
  const whitespace = options.whitespace ?? DEFAULT_WHITESPACE;
  if (!Number.isInteger(whitespace) || whitespace < 0 || whitespace > MAX_WHITESPACE) {
    throw new RangeError(
      `whitespace is ${whitespace}; accepted: a whole number from 0 to ${MAX_WHITESPACE}.`,
    );
  }
  try {
    return compile(schema, options, whitespace);
  } catch (error) {
    if (!(error instanceof JsonSchemaConstraintError) || options.uncarried !== "validate") {
      throw error;
    }
    const free = compile(true, {}, whitespace);
    const note = { pointer: "", keyword: "$schema", reason: error.reason };
    return { ...free, carried: false, checkedAfterwards: [note] };
  }
}

function compile(
  schema: unknown,
  { draft, schemas = {}, propertyOrder = "free" }: JsonSchemaGrammarOptions,
  whitespace: number,
): JsonSchemaGrammar {
  const notes = new NoteBook(
    () => new JsonSchemaConstraintError("its alternatives take too much work to combine"),
  );
  try {
    const sets = new SchemaSets(new SchemaIndex(schema, draft, schemas), notes);
    const freeOrder = propertyOrder === "free" ? FREE_ORDER : 0;
    const emitter = new Emitter(sets, { whitespace, freeOrder });
    const own = emitter.grammar();
    const { freeNames } = emitter;
    const grammar = freeNames === "none" ? own : { ...own, distinctKeys: freeNames };
    const all = notes.all();
    const carried = all.checkedAfterwards.length === 0;
    return { grammar, carried, ...all };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new JsonSchemaConstraintError("it is nested too deep");
  }
}
