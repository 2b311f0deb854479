/** An answer that programs can rely on: what it must be, and what checks it. */
import { finalContentOf } from "../../harmony/index.ts";
import {
  createValidator,
  type ValidationResult,
  type Validator,
  type ValidatorOptions,
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
      validator.kind === "json"
        ? { type: "json", schema: validator.jsonSchema }
        : { type: "xml", xsd: validator.xsd },
    validate: (text) => validate(validator, text),
  };
}

/**
 * Validates a model's text. Where it is no answer as it stands, and special tokens stand in it as text,
 * the answer is looked for in the message that they mark.
 */
export async function validateAnswer(
  validator: Validator,
  text: string,
): Promise<ValidationResult> {
  const result = await validator.validate(text);
  if (result.action === "accept") return result;
  const content = finalContentOf(text);
  if (content === null) return result;
  const unwrapped = await validator.validate(content);
  const warnings = ["Harmony markup around the answer was removed.", ...unwrapped.warnings];
  return unwrapped.action === "accept"
    ? { ...unwrapped, action: "accept-after-extraction", warnings }
    : { ...unwrapped, warnings };
}

async function validate(validator: Validator, text: string): Promise<ValidatedAnswer> {
  const result = await validateAnswer(validator, text);
  if (result.action === "accept" || result.action === "accept-after-extraction") {
    const answer = result.text ?? text;
    return { answer: "value" in result ? { text: answer, value: result.value } : { text: answer } };
  }
  return {
    problems: result.errors.map(({ path, message }) => `${path ?? ""} ${message}`.trim()),
    feedback: validator.feedback(result),
  };
}
