/** Answers that programs can rely on: JSON against a JSON Schema, XML against an XML Schema. */
import type { JsonSchema } from "../../harmony/index.ts";
import { SchemaError } from "../errors.ts";
import type { Validator } from "./validator.ts";

export type {
  ValidationAction,
  ValidationIssue,
  ValidationResult,
  Validator,
} from "./validator.ts";

export type ValidatorOptions =
  /** `extract: false`: nothing around the value is forgiven, not even a code fence. */
  | { readonly jsonSchema: JsonSchema; readonly extract?: boolean }
  /** `root`: the element that the document must have, where the schema declares several. */
  | { readonly xsd: string; readonly root?: string };

/** @throws SchemaError when the schema itself cannot be used; the message is one sentence. */
export async function createValidator(_options: ValidatorOptions): Promise<Validator> {
  throw new SchemaError("not built yet");
}
