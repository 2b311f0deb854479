/** What the parts that read keywords know of the schema as a whole. */
import type { NoteBook } from "./notes.ts";
import type { SchemaIndex, SchemaPlace } from "./schema-index.ts";
import type { Expression } from "./value-sets.ts";

export interface SetContext {
  readonly index: SchemaIndex;
  readonly notes: NoteBook;
  /** The expression that no value has. */
  readonly never: Expression;
  /** The expression of a schema, or of its negation. */
  of(place: SchemaPlace, negative?: boolean): Expression;
  and(...expressions: readonly Expression[]): Expression;
  /** Whether an expression has no values, as far as that shows within some levels. */
  isVoid(expression: Expression, levels: number): boolean;
}
