/** The schema that `--schema` or `--xsd` names. */
import { readXmlSchema, type ValidatorOptions } from "../../tools/index.ts";
import { messageOf, UsageError } from "../errors.ts";
import { readTextFile } from "./read-input.ts";

/** Schemas are read whole, so a wrong path must not read a disk image. */
const MAX_SCHEMA_BYTES = 4 * 1024 * 1024;

export type SchemaArguments = {
  /** A file with a JSON Schema, or the schema itself. */
  readonly schema?: string | undefined;
  /** A file with an XML Schema. */
  readonly xsd?: string | undefined;
  /** Local name of the XML root element. */
  readonly root?: string | undefined;
};

/** @throws UsageError, SchemaError for what cannot be read or is no schema; undefined where none is named */
export async function readSchema({
  schema,
  xsd,
  root,
}: SchemaArguments): Promise<ValidatorOptions | undefined> {
  if (xsd !== undefined) {
    return { ...(await readXmlSchema(xsd)), ...(root !== undefined && { root }) };
  }
  if (schema === undefined) return undefined;
  const isInline = /^\s*(?:\{|true\s*$|false\s*$)/.test(schema);
  const name = isInline ? "--schema" : `--schema ${schema}`;
  const text = isInline ? schema : await readTextFile(schema, MAX_SCHEMA_BYTES, name);
  let jsonSchema: unknown;
  try {
    jsonSchema = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${name} is not JSON: ${messageOf(cause)}.`, { cause });
  }
  if (typeof jsonSchema !== "boolean" && (typeof jsonSchema !== "object" || jsonSchema === null)) {
    throw new UsageError(
      `${name} holds ${JSON.stringify(jsonSchema)}; a JSON Schema is an object.`,
    );
  }
  return { jsonSchema: jsonSchema as ValidatorOptions & { jsonSchema: object }["jsonSchema"] };
}
