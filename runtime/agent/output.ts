/** An answer that programs can rely on: what it must be, and what checks it. */
import {
  createValidator,
  type Validator,
  type ValidatorOptions,
  xmlSchemaText,
} from "../../tools/index.ts";
import type { OutputFormat } from "../context.ts";

export type Answer = {
  readonly text: string;
  /** Parsed, for JSON. */
  readonly value?: unknown;
};

export type ValidatedAnswer =
  | { readonly answer: Answer }
  | {
      /** What is wrong, one line each. */
      readonly problems: readonly string[];
      /** The same as the model is told, with what to do. */
      readonly feedback: string;
    };

export type OutputValidator = {
  /** What the model is told. */
  readonly format: OutputFormat;
  readonly validate: (text: string) => Promise<ValidatedAnswer>;
};

/** @throws SchemaError (of tools) when the schema itself cannot be used */
export async function createOutputValidator(schema: ValidatorOptions): Promise<OutputValidator> {
  const validator = await createValidator(schema);
  return {
    format:
      "jsonSchema" in schema
        ? { type: "json", schema: schema.jsonSchema }
        : { type: "xml", xsd: xmlSchemaText(schema) },
    validate: (text) => validate(validator, text),
  };
}

async function validate(validator: Validator, text: string): Promise<ValidatedAnswer> {
  const result = await validator.validate(text);
  if (result.action === "accept" || result.action === "accept-after-extraction") {
    const answer = result.text ?? text;
    return { answer: "value" in result ? { text: answer, value: result.value } : { text: answer } };
  }
  return {
    problems: result.errors.map(({ path, message }) => `${path ?? ""} ${message}`.trim()),
    feedback: validator.feedback(result),
  };
}
