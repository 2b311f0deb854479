/** What an answer must be, as requests say it. */
import type { OutputOptions } from "../../index.ts";
import { invalidField } from "../errors.ts";

/** Characters of a schema as JSON. */
const MAX_SCHEMA = 256 * 1024;

/** An answer that is a JSON object. */
export const JSON_OBJECT: OutputOptions = { jsonSchema: { type: "object" } };

/**
 * @param schema JSON Schema; whether it can be used is found out where the turn begins
 * @param param the field, for errors
 * @throws ServerError with the status 400
 */
export function schemaOutput(schema: unknown, param: string): OutputOptions {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw invalidField(param, `${param} is no JSON Schema; accepted: an object.`);
  }
  const size = JSON.stringify(schema).length;
  if (size > MAX_SCHEMA) {
    throw invalidField(
      param,
      `The schema in ${param} has ${size} characters; accepted: at most ${MAX_SCHEMA}.`,
    );
  }
  return { jsonSchema: schema as Record<string, unknown> };
}
