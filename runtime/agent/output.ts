/** An answer that programs can rely on: what it must be, and what checks it. */
import { finalContentOf } from "../../harmony/index.ts";
import {
  createValidator,
  type ValidationResult,
  type Validator,
  type ValidatorOptions,
} from "../../tools/index.ts";
import type { OutputFormat } from "../context.ts";
import { outputGrammar } from "../model/output-grammar.ts";
import type { OutputValidator, ValidatedAnswer } from "./output-validator.ts";
import { isTextOutput, type TextOutput, textOutputValidator } from "./text-output.ts";

/** @typeParam Value what a Standard Schema makes of the answer */
export type OutputOptions<Value = unknown> = ValidatorOptions<Value> | TextOutput;

/** @throws SchemaError (of tools), UsageError when the schema itself cannot be used */
export async function createOutputValidator(output: OutputOptions): Promise<OutputValidator> {
  if (isTextOutput(output)) return textOutputValidator(output);
  const validator = await createValidator(output);
  return { format: formatOf(validator), validate: (text) => validate(validator, text) };
}

function formatOf(validator: Validator): OutputFormat {
  if (validator.kind === "json") return { type: "json", schema: validator.jsonSchema };
  const { source, root } = validator;
  return { type: "xml", ...source, ...(root !== undefined && { root }) };
}

/** What of an output is enforced while the model writes, and what only afterwards. */
export type OutputDescription = {
  /** Every text that the model can write is valid. */
  readonly isCarried: boolean;
  /** What is checked afterwards alone, one sentence each. */
  readonly checkedAfterwards: readonly string[];
  /** What would be valid as well, and is never written. */
  readonly restrictions: readonly string[];
};

/** @throws as `createOutputValidator` */
export async function describeOutput(output: OutputOptions): Promise<OutputDescription> {
  return descriptionOf((await createOutputValidator(output)).format);
}

export function descriptionOf(format: OutputFormat): OutputDescription {
  const { checkedAfterwards, restrictions } = outputGrammar(format);
  return { isCarried: checkedAfterwards.length === 0, checkedAfterwards, restrictions };
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
