/** Answers that programs can rely on: JSON against a JSON Schema, XML against an XML Schema. */
export {
  createValidator,
  type JsonValidatorOptions,
  type ValidatorOptions,
  type XmlValidatorOptions,
} from "./create-validator.ts";
export { unwrapJson } from "./json-answer.ts";
export { scanJson, whitespaceEnd } from "./json-text.ts";
export { rewriteLooseJson } from "./loose-json.ts";
export { readXmlSchema } from "./read-xml-schema.ts";
export type {
  JsonValidator,
  ValidationAction,
  ValidationIssue,
  ValidationResult,
  Validator,
  XmlValidator,
} from "./validator.ts";
export type { XmlSchemaSource } from "./xml-files.ts";
