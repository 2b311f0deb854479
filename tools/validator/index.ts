/** Answers that programs can rely on: JSON against a JSON Schema, XML against an XML Schema. */
export {
  createValidator,
  type JsonValidatorOptions,
  schemaText,
  type ValidatorOptions,
  type XmlValidatorOptions,
} from "./create-validator.ts";
export type { Dialect as JsonSchemaDialect, Draft as JsonSchemaDraft } from "./json-draft.ts";
export { matchPattern } from "./match-pattern.ts";
export { decodeXml, readXmlSchema, xmlSchemaText } from "./read-xml-schema.ts";
export type {
  AnyValidator,
  JsonValidator,
  ValidationAction,
  ValidationIssue,
  ValidationResult,
  Validator,
  Verdict,
  XmlValidator,
} from "./validator.ts";
export type { XmlSchemaSource } from "./xml-files.ts";
