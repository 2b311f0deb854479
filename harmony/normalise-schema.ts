import type { JsonSchema } from "./message.ts";

export function normaliseSchema(schema: JsonSchema): JsonSchema {
  return schema;
}
