/** An answer that programs can rely on: what the model is told about it, and what checks it. */
import type { ResponseFormat } from "../harmony/index.ts";
import { createValidator, type Validator, type ValidatorOptions } from "../tools/index.ts";

export type StructuredOutput = {
  readonly validator: Validator;
  /** Goes into the developer message. */
  readonly responseFormat: ResponseFormat;
};

/**
 * Prepares a schema for a run.
 * @throws SchemaError (of tools) when the schema itself cannot be used
 */
export async function prepareOutput(schema: ValidatorOptions): Promise<StructuredOutput> {
  const validator = await createValidator(schema);
  const responseFormat =
    "jsonSchema" in schema
      ? {
          name: "response",
          description:
            "The final message must be JSON that is valid against this JSON Schema, and nothing else.",
          schema: JSON.stringify(schema.jsonSchema),
        }
      : {
          name: "response",
          description:
            "The final message must be an XML document that is valid against this XML Schema (XSD), and nothing else.",
          schema: schema.xsd.trim(),
        };
  return { validator, responseFormat };
}
