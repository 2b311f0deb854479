/** Events held against `docs/events.schema.json`, with no field that is not in it. */
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

/** The published schema lets later versions add fields; a test wants to know of them. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, closed(value)]);
  const isObject = "properties" in schema && "type" in schema && schema.type === "object";
  return { ...Object.fromEntries(entries), ...(isObject && { additionalProperties: false }) };
}

let compiled: ValidateFunction | undefined;

function validator(): ValidateFunction {
  if (compiled !== undefined) return compiled;
  const path = new URL("../docs/events.schema.json", import.meta.url);
  const schema = closed(JSON.parse(readFileSync(path, "utf8"))) as object;
  compiled = new Ajv2020({ strict: false }).compile(schema);
  return compiled;
}

/** The events that the schema does not have, with what is wrong. */
export function invalidEvents(events: readonly unknown[]): readonly string[] {
  const isEvent = validator();
  return events
    .filter((event) => !isEvent(JSON.parse(JSON.stringify(event))))
    .map((event) => `${JSON.stringify(event)} is not in docs/events.schema.json (npm run schema)`);
}
