/** From what the model wrote as arguments to what a tool gets, without running the tool. */
import type { Issue, JsonSchema } from "../../harmony/index.ts";
import { SchemaError } from "../core/errors.ts";
import { standardValue, type ValueProblem } from "../core/standard-schema.ts";
import { placed } from "../core/text.ts";
import type { Tool } from "../core/tool.ts";
import { createValidator, type ValidationResult, type Validator } from "../validator/index.ts";
import { flawsOf, readings } from "./repair-arguments.ts";

/** A call whose arguments are valid; `runPreparedCall` runs it. */
export type PreparedCall = {
  readonly ok: true;
  /** The arguments as JSON: what a person is asked to approve. */
  readonly arguments: unknown;
  /** What `execute` gets: the arguments, or what the tool's Standard Schema makes of them. */
  readonly input: unknown;
  /** What was wrong with the text, and was mended. */
  readonly issues: readonly Issue[];
};

/** A call that cannot be run. */
export type CallProblem = {
  readonly ok: false;
  /** For the model: what is wrong, and what to write instead. */
  readonly message: string;
  readonly issues: readonly Issue[];
};

/** Compiled once per schema object; a tool's schema lives as long as the tool. */
const validators = new WeakMap<object, Promise<Validator>>();

function validatorOf(schema: JsonSchema): Promise<Validator> {
  const key = typeof schema === "object" ? schema : schema ? ANYTHING : NOTHING;
  let validator = validators.get(key);
  if (validator === undefined) {
    validator = createValidator({ jsonSchema: schema, extract: false, coerce: true });
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
 * Parses and validates the arguments of a call as the model wrote it. Text that is not as it should be
 * is taken if one reading of it passes the schema (see `readings`).
 *
 * @param raw  JSON, or the body as it is for a tool without `inputSchema`; empty stands for `{}`
 */
export async function prepareCall(tool: Tool, raw: string): Promise<PreparedCall | CallProblem> {
  if (tool.inputSchema === null) return { ok: true, arguments: raw, input: raw, issues: [] };
  // A call without arguments comes as an empty body as often as `{}`.
  const text = raw.trim() === "" ? "{}" : raw;
  try {
    const validator = await validatorOf(tool.inputSchema);
    const asItStands = await validator.validate(text);
    if (asItStands.action === "accept") return await refine(tool, asItStands, []);
    let closest = asItStands;
    for (const reading of readings(text, tool)) {
      const result = await validator.validate(reading.text);
      if (result.action === "accept") return await refine(tool, result, reading.issues);
      // What is wrong with the arguments themselves helps more than what stands around them.
      const isRespelt = reading.issues.some(({ code }) => code === "args_coerced");
      if (closest === asItStands && !isRespelt) closest = result;
    }
    return { ok: false, message: refusal(tool, closest.errors), issues: flawsOf(text) };
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    const message = `${tool.recipient} cannot be called: its own schema is broken. ${error.message}`;
    return { ok: false, message, issues: flawsOf(text) };
  }
}

/** What a schema library checks beyond JSON Schema, and makes of the value. */
async function refine(
  tool: Tool,
  { value, changes = [] }: ValidationResult,
  found: readonly Issue[],
): Promise<PreparedCall | CallProblem> {
  const respelt = changes.map((detail): Issue => ({ code: "args_coerced", detail }));
  const issues = [...found, ...respelt];
  const schema = tool.inputStandardSchema;
  if (schema === undefined) return { ok: true, arguments: value, input: value, issues };
  const result = await standardValue(schema, value);
  if ("value" in result) return { ok: true, arguments: value, input: result.value, issues };
  return { ok: false, message: refusal(tool, result.problems), issues };
}

function refusal(tool: Tool, problems: readonly ValueProblem[]): string {
  const lines = problems.map((problem) => `- ${placed(problem)}`).join("\n");
  return `${tool.recipient} was not called: its arguments are not valid.\n${lines}\nCall it again with one JSON object that fits its declaration.`;
}
