/** Answers that programs can rely on: JSON against a JSON Schema, XML against an XML Schema. */
export {
  createValidator,
  type JsonValidatorOptions,
  schemaText,
  type ValidatorOptions,
  type XmlValidatorOptions,
} from "./create-validator.ts";
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
