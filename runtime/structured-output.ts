/** An answer that programs can rely on: what the model is told about it, and what checks it. */
import type { ResponseFormat } from "../harmony/index.ts";
import { createValidator, type Validator, type ValidatorOptions } from "../tools/index.ts";

export type Answer = {
  readonly text: string;
  /** Parsed, for JSON. */
  readonly value?: unknown;
};

export type Verdict =
  | { readonly answer: Answer }
  | {
      /** What is wrong, one line each. */
      readonly problems: readonly string[];
      /** The same as the model is told, with what to do. */
      readonly feedback: string;
    };

export type StructuredOutput = {
  /** Goes into the developer message. */
  readonly responseFormat: ResponseFormat;
  readonly judge: (text: string) => Promise<Verdict>;
};

/**
 * Prepares a schema for a run.
 * @throws SchemaError (of tools) when the schema itself cannot be used
 */
export async function prepareOutput(schema: ValidatorOptions): Promise<StructuredOutput> {
  const validator = await createValidator(schema);
  return { responseFormat: responseFormat(schema), judge: (text) => judge(validator, text) };
}

function responseFormat(schema: ValidatorOptions): ResponseFormat {
  return "jsonSchema" in schema
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
}

async function judge(validator: Validator, text: string): Promise<Verdict> {
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
