/** Answers that programs can rely on: JSON against a JSON Schema, XML against an XML Schema. */
import type { JsonSchema } from "../../harmony/index.ts";
import { SchemaError } from "../core/errors.ts";
import { Checker } from "./checker.ts";
import type { Draft } from "./json-draft.ts";
import type { ValidationResult, Validator } from "./validator.ts";
import type { XmlSchemaSource } from "./xml-files.ts";

export { unwrapJson } from "./json-answer.ts";
export { scanJson, whitespaceEnd } from "./json-text.ts";
export { rewriteLooseJson } from "./loose-json.ts";
export { readXmlSchema, xmlSchemaText } from "./read-xml-schema.ts";
export type {
  ValidationAction,
  ValidationIssue,
  ValidationResult,
  Validator,
} from "./validator.ts";
export type { XmlSchemaSource } from "./xml-files.ts";

export type JsonValidatorOptions = {
  readonly jsonSchema: JsonSchema;
  /** The draft of a schema that does not name its own; 2020-12 unless told. */
  readonly draft?: Draft;
  /** false: nothing around the value is forgiven, not even a code fence. */
  readonly extract?: boolean;
  /**
   * true: values in another spelling are read where the schema leaves them one meaning: `"20"` as 20,
   * `"[1]"` as a list, null as left out, `Page_Size` as `pageSize`. Each is told in `changes`.
   */
  readonly coerce?: boolean;
};

/** `readXmlSchema` reads the files from disk. */
export type XmlValidatorOptions = XmlSchemaSource & {
  /** Local name that the root element must have, where the schema declares several elements. */
  readonly root?: string;
};

export type ValidatorOptions = JsonValidatorOptions | XmlValidatorOptions;

export interface JsonValidator extends Validator {
  readonly kind: "json";
  /** The same for a value that is no text. */
  validateValue(value: unknown): Promise<ValidationResult>;
}

/**
 * Compiles a schema. Validation runs in a thread of its own with a deadline, so that no pattern and no
 * text can stop the program.
 *
 * @throws SchemaError when the schema itself cannot be used; the message is one sentence
 */
export function createValidator(options: JsonValidatorOptions): Promise<JsonValidator>;
export function createValidator(options: ValidatorOptions): Promise<Validator>;
export async function createValidator(options: ValidatorOptions): Promise<Validator> {
  return "xsd" in options ? createXmlValidator(options) : createJsonValidator(options);
}

async function createJsonValidator(options: JsonValidatorOptions): Promise<JsonValidator> {
  const { jsonSchema, draft, extract = true, coerce = false } = options;
  const schema = textOf(jsonSchema);
  const spec = { kind: "json", schema, extract, coerce, ...(draft && { draft }) } as const;
  const checker = await Checker.open(spec);
  const describe = "one JSON value that is valid against the JSON Schema";
  return {
    kind: "json",
    describe,
    warnings: checker.warnings,
    validate: (text) => checker.text(text),
    validateValue: (value) => checker.value(value),
    feedback: (result) => feedback(result, describe),
  };
}

async function createXmlValidator(options: XmlValidatorOptions): Promise<Validator> {
  const checker = await Checker.open({ ...options, kind: "xml" });
  const describe = "one XML document that is valid against the XML Schema";
  return {
    kind: "xml",
    describe,
    warnings: checker.warnings,
    validate: (text) => checker.text(text),
    feedback: (result) => feedback(result, describe),
  };
}

function textOf(schema: JsonSchema): string {
  try {
    const text: unknown = JSON.stringify(schema);
    if (typeof text === "string") return text;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new SchemaError(`The JSON Schema is no JSON: ${reason}`, { cause });
  }
  throw new SchemaError(`A JSON Schema is an object, true or false; found ${typeof schema}.`);
}

function feedback(result: ValidationResult, describe: string): string {
  const problems = result.errors.map(({ path, line, message }) => {
    // A message that names its line already stands better with the path of the value.
    const byLine = line !== undefined && !message.includes("(line ");
    const place = byLine ? `line ${line}` : (path ?? "");
    return `- ${place === "" ? "" : `${place}: `}${message}`;
  });
  const how =
    result.action === "continue-or-retry"
      ? "The final message is incomplete; it was cut off."
      : "The final message is not valid.";
  return [
    how,
    ...problems,
    `Write the final message again, whole: ${describe}, and nothing else.`,
  ].join("\n");
}
