/** From what the model wrote as arguments to what a tool gets. */
import type { Issue, JsonSchema } from "../../harmony/index.ts";
import { createValidator, type Validator } from "../validator/index.ts";
import { SchemaError } from "./errors.ts";
import { flawsOf, readings } from "./repair-arguments.ts";
import type { Tool } from "./tool.ts";

export type ParsedArguments = (
  | { readonly ok: true; readonly input: unknown }
  | { readonly ok: false; readonly message: string }
) & {
  /** What was wrong with the text; when `ok`, what was done about it. */
  readonly issues: readonly Issue[];
};

/** Compiled once per schema object; a tool's schema lives as long as the tool. */
const validators = new WeakMap<object, Promise<Validator>>();

function validatorOf(schema: JsonSchema): Promise<Validator> {
  const key = typeof schema === "object" ? schema : schema ? ANYTHING : NOTHING;
  let validator = validators.get(key);
  if (validator === undefined) {
    validator = createValidator({ jsonSchema: schema, extract: false });
    validators.set(key, validator);
    // It may have been no fault of the schema: the thread was too slow on a loaded machine.
    validator.catch(() => validators.delete(key));
  }
  return validator;
}

const ANYTHING = {};
const NOTHING = { not: {} };

/**
 * Finds out whether a tool's schema can be used at all, before a model is offered the tool.
 *
 * @throws SchemaError in one sentence
 */
export async function verifyTool(tool: Tool): Promise<void> {
  if (tool.inputSchema !== null) await validatorOf(tool.inputSchema);
}

/**
 * Parses and validates; the message of a refusal is written for the model. Text that is not as it
 * should be is taken if one reading of it passes the schema (see `readings`).
 */
export async function argumentsOf(tool: Tool, raw: string): Promise<ParsedArguments> {
  if (tool.inputSchema === null) return { ok: true, input: raw, issues: [] };
  // A call without arguments comes as an empty body as often as `{}`.
  const text = raw.trim() === "" ? "{}" : raw;
  const refusal = (message: string): ParsedArguments => ({
    ok: false,
    message,
    issues: flawsOf(text),
  });
  try {
    const validator = await validatorOf(tool.inputSchema);
    const result = await validator.validate(text);
    if (result.action === "accept") return { ok: true, input: result.value, issues: [] };
    for (const reading of readings(text, tool)) {
      const repaired = await validator.validate(reading.text);
      if (repaired.action !== "accept") continue;
      return { ok: true, input: repaired.value, issues: reading.issues };
    }
    const problems = result.errors
      .map(({ path, message }) => `- ${path ? `${path}: ` : ""}${message}`)
      .join("\n");
    return refusal(
      `${tool.recipient} was not called: its arguments are not valid.\n${problems}\nCall it again with one JSON object that fits its declaration.`,
    );
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return refusal(
      `${tool.recipient} cannot be called: its own schema is broken. ${error.message}`,
    );
  }
}
