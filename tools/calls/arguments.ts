/** From what the model wrote as arguments to what a tool gets, without running the tool. */
import type { Issue, JsonSchema } from "../../harmony/index.ts";
import { SchemaError } from "../core/errors.ts";
import { standardValue, type ValueProblem } from "../core/standard-schema.ts";
import { placed } from "../core/text.ts";
import type { Tool } from "../core/tool.ts";
import { runInWorker, TaskEndedError } from "../core/worker-pool.ts";
import { schemaText } from "../validator/index.ts";
import type { ArgumentsReply, ArgumentsRequest } from "./arguments-task.ts";

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

type ToolSchema = { readonly key: number; readonly schema: string };

/** One key per schema object; a tool's schema lives as long as the tool. */
const schemas = new WeakMap<object, ToolSchema>();
let lastKey = 0;

/** Schemas that are no objects. */
const ANYTHING = {};
const NOTHING = { not: {} };

const TASK = new URL("./arguments-task.ts", import.meta.url);
const COMPILE_LIMIT_MS = 10_000;
const READ_LIMIT_MS = 5_000;

/** @throws SchemaError for what is no JSON */
function schemaOf(schema: JsonSchema): ToolSchema {
  const object = typeof schema === "object" ? schema : schema ? ANYTHING : NOTHING;
  const known = schemas.get(object) ?? { key: ++lastKey, schema: schemaText(schema) };
  schemas.set(object, known);
  return known;
}

/**
 * Finds out whether a tool's schema can be used at all, before a model is offered the tool.
 *
 * @returns what of it is not enforced, or is read otherwise than it is written, a sentence each
 * @throws SchemaError in one sentence
 */
export async function verifyTool({ inputSchema }: Tool): Promise<readonly string[]> {
  if (inputSchema === null) return [];
  const request: ArgumentsRequest = { ...schemaOf(inputSchema), op: "open" };
  try {
    const reply = await runInWorker<ArgumentsRequest, ArgumentsReply>(
      TASK,
      request,
      COMPILE_LIMIT_MS,
    );
    if (reply.kind === "opened") return reply.warnings;
    throw new SchemaError(reply.kind === "refused" ? reply.message : "The schema was not read.");
  } catch (error) {
    if (!(error instanceof TaskEndedError)) throw error;
    throw new SchemaError(
      `The schema cannot be used: compiling it was given up, ${error.message}.`,
    );
  }
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
  const { recipient } = tool;
  let reply: ArgumentsReply;
  try {
    const request: ArgumentsRequest = {
      ...schemaOf(tool.inputSchema),
      op: "read",
      text,
      recipient,
    };
    reply = await runInWorker<ArgumentsRequest, ArgumentsReply>(TASK, request, READ_LIMIT_MS);
  } catch (error) {
    if (SchemaError.isInstance(error)) return brokenSchema(tool, error.message);
    if (!(error instanceof TaskEndedError)) throw error;
    const message = `checking them was given up: ${error.message}`;
    return { ok: false, message: refusal(tool, [{ message }]), issues: [] };
  }
  switch (reply.kind) {
    case "valid":
      return refine(tool, reply.value, reply.issues);
    case "invalid":
      return { ok: false, message: refusal(tool, reply.errors), issues: reply.issues };
    case "refused":
      return brokenSchema(tool, reply.message);
    case "opened":
      throw new Error("a call was not read");
  }
}

function brokenSchema({ recipient }: Tool, why: string): CallProblem {
  const message = `${recipient} cannot be called: its own schema is broken. ${why}`;
  return { ok: false, message, issues: [] };
}

/** What a schema library checks beyond JSON Schema, and makes of the value. */
async function refine(
  tool: Tool,
  value: unknown,
  issues: readonly Issue[],
): Promise<PreparedCall | CallProblem> {
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
