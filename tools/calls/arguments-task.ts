/** Reading arguments as a task of the worker pool: neither the text nor the schema is trusted. */
import type { Issue, JsonSchema } from "../../harmony/index.ts";
import { SchemaError } from "../core/errors.ts";
import { Lru } from "../core/lru.ts";
import { JsonChecker } from "../validator/json-checker.ts";
import type { ValidationIssue, ValidationResult } from "../validator/validator.ts";
import { flawsOf, readings } from "./repair-arguments.ts";

/** `key` stands for the schema: a thread compiles it once. */
export type ArgumentsRequest = { readonly key: number; readonly schema: string } & (
  | { readonly op: "open" }
  | { readonly op: "read"; readonly text: string; readonly recipient: string }
);

export type ArgumentsReply =
  | { readonly kind: "opened"; readonly warnings: readonly string[] }
  /** The schema cannot be used. */
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "valid"; readonly value: unknown; readonly issues: readonly Issue[] }
  | {
      readonly kind: "invalid";
      readonly errors: readonly ValidationIssue[];
      readonly issues: readonly Issue[];
    };

/** Tools of others must stay usable: a rule that cannot be enforced is passed over. */
const READING = { extract: false, coerce: true, skipForeignPatterns: true } as const;

/** Compiled schemas that a thread keeps. */
const MAX_KEPT = 256;
const checkers = new Lru<number, JsonChecker>(MAX_KEPT);

/** The handler of the task. */
export default function readArguments(request: ArgumentsRequest): ArgumentsReply {
  const { key, schema } = request;
  let checker = checkers.get(key);
  try {
    checker ??= new JsonChecker({ schema, ...READING });
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return { kind: "refused", message: error.message };
  }
  checkers.set(key, checker);
  if (request.op === "open") return { kind: "opened", warnings: checker.warnings };
  const { text, recipient } = request;
  const asItStands = checker.text(text);
  if (asItStands.action === "accept") return valid(asItStands, []);
  const parameters = JSON.parse(schema) as JsonSchema;
  let closest = asItStands;
  for (const reading of readings(text, recipient, parameters)) {
    const result = checker.text(reading.text);
    if (result.action === "accept") return valid(result, reading.issues);
    // What is wrong with the arguments themselves helps more than what stands around them.
    const isRespelt = reading.issues.some(({ code }) => code === "args_coerced");
    if (closest === asItStands && !isRespelt) closest = result;
  }
  return { kind: "invalid", errors: closest.errors, issues: flawsOf(text) };
}

function valid({ value, changes = [] }: ValidationResult, found: readonly Issue[]): ArgumentsReply {
  const respelt = changes.map((detail): Issue => ({ code: "args_coerced", detail }));
  return { kind: "valid", value, issues: [...found, ...respelt] };
}
