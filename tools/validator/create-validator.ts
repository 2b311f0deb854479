/** From a schema to what checks texts against it. */
import type { JsonSchema } from "../../harmony/index.ts";
import { SchemaError } from "../core/errors.ts";
import { describeAsJson } from "../core/json-value.ts";
import {
  isStandardSchema,
  printJsonSchema,
  type StandardSchema,
  standardValue,
} from "../core/standard-schema.ts";
import { messageOf } from "../core/text.ts";
import { Checker } from "./checker.ts";
import type { Draft } from "./json-draft.ts";
import type { JsonValidator, ValidationResult, Validator, XmlValidator } from "./validator.ts";
import type { XmlSchemaSource } from "./xml-files.ts";

export type JsonValidatorOptions<Value = unknown> = {
  readonly jsonSchema: JsonSchema;
  /** Checks and changes what passed the JSON Schema. */
  readonly standardSchema?: StandardSchema<Value>;
  /** The draft of a schema that does not name its own; 2020-12 unless told. */
  readonly draft?: Draft;
  /** Further schemas that a `$ref` may lead into, by their URI. Nothing is loaded. */
  readonly schemas?: Readonly<Record<string, JsonSchema>>;
  /** false: `format` only describes, as draft 2020-12 has it unless told otherwise. Default: true. */
  readonly assertFormats?: boolean;
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

/** A Standard Schema (zod, valibot, ArkType) that prints itself as JSON Schema stands for both. */
export type ValidatorOptions<Value = unknown> =
  | StandardSchema<Value>
  | JsonValidatorOptions<Value>
  | XmlValidatorOptions;

/**
 * Compiles a schema. Validation runs in a thread with a deadline, so that no pattern and no text can stop
 * the program; only what a Standard Schema checks runs in the program's own.
 *
 * @throws SchemaError when the schema itself cannot be used; the message is one sentence
 */
export function createValidator<Value = unknown>(
  schema: StandardSchema<Value> | JsonValidatorOptions<Value>,
): Promise<JsonValidator<Value>>;
export function createValidator(options: XmlValidatorOptions): Promise<XmlValidator>;
export function createValidator<Value = unknown>(
  options: ValidatorOptions<Value>,
): Promise<Validator<Value>>;
export async function createValidator<Value>(
  options: ValidatorOptions<Value>,
): Promise<Validator<Value>> {
  if (isStandardSchema(options)) return createJsonValidator(fromStandard<Value>(options));
  return "xsd" in options ? createXmlValidator(options) : createJsonValidator(options);
}

function fromStandard<Value>(schema: StandardSchema): JsonValidatorOptions<Value> {
  try {
    const standardSchema = schema as StandardSchema<Value>;
    return { jsonSchema: printJsonSchema(schema), standardSchema };
  } catch (cause) {
    throw new SchemaError(`The schema cannot be used: ${messageOf(cause)}.`, { cause });
  }
}

async function createJsonValidator<Value>(
  options: JsonValidatorOptions<Value>,
): Promise<JsonValidator<Value>> {
  const { jsonSchema, standardSchema, draft, schemas = {}, extract = true } = options;
  const reading = {
    schema: schemaText(jsonSchema),
    others: Object.entries(schemas).map(([uri, other]) => [uri, schemaText(other)] as const),
    assertFormats: options.assertFormats ?? true,
    extract,
    coerce: options.coerce ?? false,
    skipForeignPatterns: false,
    ...(draft && { draft }),
  };
  const checker = await Checker.open({ kind: "json", ...reading });
  const describe = "one JSON value that is valid against the JSON Schema";
  const refine = async (result: ValidationResult): Promise<ValidationResult<Value>> => {
    const isAccepted = result.errors.length === 0;
    if (standardSchema === undefined || !isAccepted) return result as ValidationResult<Value>;
    const refined = await standardValue(standardSchema, result.value);
    return "value" in refined
      ? { ...result, value: refined.value }
      : { action: "retry", warnings: [], errors: refined.problems };
  };
  return {
    kind: "json",
    jsonSchema,
    describe,
    warnings: checker.warnings,
    validate: async (text) => refine(await checker.text(text)),
    validateAll: (texts) => checker.texts(texts),
    validateYaml: (text) => checker.yaml(text),
    // As JSON: what a program has may hold more than a thread can be sent.
    validateValue: async (value) => refine(await checker.value(describeAsJson(value))),
    feedback: (result) => feedback(result, describe),
  };
}

async function createXmlValidator(options: XmlValidatorOptions): Promise<XmlValidator> {
  const { xsd, name, files, root } = options;
  const checker = await Checker.open({ ...options, kind: "xml" });
  const describe = "one XML document that is valid against the XML Schema";
  return {
    kind: "xml",
    source: { xsd, ...(name !== undefined && { name }), ...(files && { files }) },
    root,
    describe,
    warnings: checker.warnings,
    validate: async (text) => (await checker.text(text)) as ValidationResult<never>,
    validateAll: (texts) => checker.texts(texts),
    feedback: (result) => feedback(result, describe),
  };
}

/** @throws SchemaError for what is no JSON */
export function schemaText(schema: JsonSchema): string {
  try {
    const text: unknown = JSON.stringify(schema);
    if (typeof text === "string") return text;
  } catch (cause) {
    const [reason] = messageOf(cause).split("\n");
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
