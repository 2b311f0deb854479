/**
 * Validation as a task of the worker pool: patterns of a schema and texts of a model meet here, and some
 * pairs take longer than a run can wait.
 */
import { SchemaError } from "../core/errors.ts";
import { coerce } from "./coerce.ts";
import { readJsonAnswer } from "./json-answer.ts";
import type { Draft } from "./json-draft.ts";
import { describeViolations } from "./json-errors.ts";
import { type CompiledSchema, compileSchema } from "./json-schema.ts";
import type { ValidationIssue, ValidationResult } from "./validator.ts";
import type { XmlSchemaSource } from "./xml-files.ts";

export type Spec =
  | {
      readonly kind: "json";
      readonly schema: string;
      readonly draft?: Draft;
      readonly extract: boolean;
      readonly coerce: boolean;
    }
  | (XmlSchemaSource & { readonly kind: "xml"; readonly root?: string });

/** `key` stands for the schema: a thread compiles it once. */
export type Request = { readonly key: number; readonly spec: Spec } & (
  | { readonly op: "open" }
  | { readonly op: "text"; readonly text: string }
  | { readonly op: "value"; readonly value: unknown }
);

export type Reply =
  | { readonly kind: "opened"; readonly warnings: readonly string[] }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "result"; readonly result: ValidationResult };

type Checker = {
  readonly warnings: readonly string[];
  readonly text: (text: string) => ValidationResult;
  readonly value: (value: unknown) => ValidationResult;
};

/** Compiled schemas that a thread keeps; the least recently used goes first. */
const MAX_KEPT = 64;
const checkers = new Map<number, Checker>();

async function open(spec: Spec): Promise<Checker> {
  if (spec.kind === "xml") {
    const { compileXsd } = await import("./xml.ts");
    const { validate, warnings } = compileXsd(spec, spec.root);
    return { warnings, text: validate, value: (value) => validate(String(value)) };
  }
  const schema = compileSchema(JSON.parse(spec.schema), spec.draft);
  return {
    warnings: schema.warnings,
    text: (text) => checkText(schema, text, spec),
    value: (value) => checkValue(schema, value, { warnings: [] }, spec),
  };
}

type JsonSpec = Extract<Spec, { kind: "json" }>;

function checkText(schema: CompiledSchema, text: string, spec: JsonSpec): ValidationResult {
  const answer = readJsonAnswer(text, spec.extract);
  if (answer.kind !== "value") {
    return refused(answer.errors, answer.kind === "truncated" ? "continue-or-retry" : "retry");
  }
  return checkValue(schema, answer.value, answer, spec);
}

function checkValue(
  schema: CompiledSchema,
  value: unknown,
  answer: {
    readonly text?: string;
    readonly warnings: readonly string[];
    readonly extracted?: boolean;
  },
  spec: JsonSpec,
): ValidationResult {
  try {
    const read = spec.coerce
      ? coerce(schema, value)
      : { value, changes: [], violations: schema.violations(value) };
    const errors = describeViolations(schema, read.violations);
    if (errors.length > 0) return refused(errors);
    const { changes } = read;
    const text = changes.length === 0 ? answer.text : JSON.stringify(read.value);
    return {
      action: answer.extracted ? "accept-after-extraction" : "accept",
      value: read.value,
      ...(text !== undefined && { text }),
      ...(changes.length > 0 && { changes }),
      warnings: answer.warnings,
      errors: [],
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return refused([{ message: "the value is nested too deeply for its schema" }]);
  }
}

function refused(
  errors: readonly ValidationIssue[],
  action: "retry" | "continue-or-retry" = "retry",
): ValidationResult {
  return { action, warnings: [], errors };
}

/** The handler of the task. */
export default async function validate(request: Request): Promise<Reply> {
  let checker: Checker;
  try {
    checker = checkers.get(request.key) ?? (await open(request.spec));
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return { kind: "refused", message: error.message };
  }
  // Set anew, it is the last that goes.
  checkers.delete(request.key);
  checkers.set(request.key, checker);
  for (const key of checkers.keys()) {
    if (checkers.size <= MAX_KEPT) break;
    checkers.delete(key);
  }
  switch (request.op) {
    case "open":
      return { kind: "opened", warnings: checker.warnings };
    case "text":
      return { kind: "result", result: checker.text(request.text) };
    case "value":
      return { kind: "result", result: checker.value(request.value) };
  }
}
