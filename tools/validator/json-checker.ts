/** A compiled JSON Schema and the texts and values that are held against it; runs in a thread of the pool. */
import { coerce } from "./coerce.ts";
import { readJsonAnswer } from "./json-answer.ts";
import type { Draft } from "./json-draft.ts";
import { describeViolations } from "./json-errors.ts";
import { type CompiledSchema, compileSchema } from "./json-schema.ts";
import type { ValidationIssue, ValidationResult } from "./validator.ts";

export type JsonSpec = {
  readonly schema: string;
  /** Further schemas that a `$ref` may lead into, by their URI. */
  readonly others?: readonly (readonly [uri: string, schema: string])[];
  readonly draft?: Draft;
  readonly assertFormats?: boolean;
  /** Whether what surrounds the value may be taken away. */
  readonly extract: boolean;
  /** Whether values in another spelling are read. */
  readonly coerce: boolean;
  /** Whether patterns that ECMAScript cannot express are passed over, with a warning. */
  readonly skipForeignPatterns: boolean;
};

export class JsonChecker {
  readonly warnings: readonly string[];
  readonly #schema: CompiledSchema;
  readonly #spec: JsonSpec;

  /** @throws SchemaError */
  constructor(spec: JsonSpec) {
    const others = (spec.others ?? []).map(([uri, text]) => [uri, JSON.parse(text)] as const);
    this.#schema = compileSchema(JSON.parse(spec.schema), { ...spec, others });
    this.#spec = spec;
    this.warnings = this.#schema.warnings;
  }

  text(text: string): ValidationResult {
    const answer = readJsonAnswer(text, this.#spec.extract);
    if (answer.kind === "value") return this.#check(answer.value, answer);
    return refused(answer.errors, answer.kind === "truncated" ? "continue-or-retry" : "retry");
  }

  value(value: unknown): ValidationResult {
    return this.#check(value, { warnings: [] });
  }

  #check(
    value: unknown,
    answer: {
      readonly text?: string;
      readonly warnings: readonly string[];
      readonly extracted?: boolean;
    },
  ): ValidationResult {
    try {
      const read = this.#spec.coerce
        ? coerce(this.#schema, value)
        : { value, changes: [], violations: this.#schema.violations(value) };
      const errors = describeViolations(this.#schema, read.violations);
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
}

function refused(
  errors: readonly ValidationIssue[],
  action: "retry" | "continue-or-retry" = "retry",
): ValidationResult {
  return { action, warnings: [], errors };
}
