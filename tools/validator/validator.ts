/** What a validator of final answers is, for JSON and for XML. */
import type { JsonSchema } from "../../harmony/index.ts";
import type { XmlSchemaSource } from "./xml-files.ts";

/** What the loop should do with a text that was meant to be the answer. */
export type ValidationAction =
  /** It is valid as it stands. */
  | "accept"
  /** It is valid once something around it is taken away; `warnings` say what. */
  | "accept-after-extraction"
  /** It is wrong: the model must write it again. */
  | "retry"
  /** It stops before its end: more tokens may complete it, else it must be written again. */
  | "continue-or-retry";

export type ValidationIssue = {
  /** What was expected and what was found, in one line. */
  readonly message: string;
  /** JSON pointer, or XPath, of the place. */
  readonly path?: string;
  /** Line of the text, from 1. */
  readonly line?: number;
};

export type ValidationResult<Value = unknown> = {
  readonly action: ValidationAction;
  /** JSON: the parsed value. Only when accepted. */
  readonly value?: Value;
  /** The accepted text, without what surrounded it. Only when accepted. */
  readonly text?: string;
  /** Values that were read in another spelling than the schema's; only where that is asked for. */
  readonly changes?: readonly string[];
  readonly warnings: readonly string[];
  readonly errors: readonly ValidationIssue[];
};

/** What is said of a text, without the value that was read from it. */
export type Verdict = Pick<ValidationResult, "action" | "warnings" | "errors">;

/** What validators of either language have. */
export interface AnyValidator<Value> {
  /** One sentence: what the final message must be. */
  readonly describe: string;
  /** What the validator does not enforce of its schema, e.g. an unknown `format`. */
  readonly warnings: readonly string[];
  /** Never throws for a text, however malformed or hostile. */
  validate(text: string): Promise<ValidationResult<Value>>;
  /**
   * Many texts in one go, in their order: a fraction of the time that single ones take. What a Standard
   * Schema checks beyond its JSON Schema is not checked.
   */
  validateAll(texts: readonly string[]): Promise<readonly Verdict[]>;
  /** What to tell the model after `retry` or `continue-or-retry`. */
  feedback(result: ValidationResult): string;
}

/** @typeParam Value  what a Standard Schema makes of the JSON; else the JSON itself */
export interface JsonValidator<Value = unknown> extends AnyValidator<Value> {
  readonly kind: "json";
  /** What the model is shown. */
  readonly jsonSchema: JsonSchema;
  /** The same for a value that is no text. */
  validateValue(value: unknown): Promise<ValidationResult<Value>>;
  /**
   * The documents of a YAML text, each by itself. YAML's core schema: what looks like a date is a string.
   * What is no YAML is one verdict.
   */
  validateYaml(text: string): Promise<readonly Verdict[]>;
}

export interface XmlValidator extends AnyValidator<never> {
  readonly kind: "xml";
  readonly source: XmlSchemaSource;
  /** Local name that the root element must have; undefined: any that the schema allows. */
  readonly root: string | undefined;
}

export type Validator<Value = unknown> = JsonValidator<Value> | XmlValidator;
