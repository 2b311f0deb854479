/** What flags say that the answer must be, and what is to be known of it before a model is opened. */
import { createValidator } from "../../tools/index.ts";
import { UsageError } from "../errors.ts";
import { describeOutput, type OutputOptions } from "../index.ts";
import { readTextFile } from "./read-input.ts";
import { readSchema, type SchemaArguments } from "./read-schema.ts";

export type OutputArguments = SchemaArguments & {
  /** The texts of which the answer must be one. */
  readonly choice?: readonly string[] | undefined;
  /** A regular expression that the whole answer must match. */
  readonly regex?: string | undefined;
  /** A file with a grammar: `.lark`, else EBNF. */
  readonly grammar?: string | undefined;
};

/** Names of the flags that say what an answer must be. */
const KINDS = ["schema", "xsd", "choice", "regex", "grammar"] as const;
const MAX_GRAMMAR_BYTES = 1024 * 1024;

/** @throws UsageError, SchemaError; undefined where the answer is free */
export async function readOutput(args: OutputArguments): Promise<OutputOptions | undefined> {
  const given = KINDS.filter((kind) => args[kind] !== undefined);
  if (given.length > 1) {
    const names = given.map((kind) => `--${kind}`).join(" and ");
    throw new UsageError(`${names} are given; an answer has one form: give one of them.`);
  }
  const { choice, regex, grammar } = args;
  if (args.root !== undefined && args.xsd === undefined) {
    throw new UsageError("--root is given without --xsd, whose root element it would name.");
  }
  if (choice !== undefined) return { choices: choice };
  if (regex !== undefined) return { regex };
  if (grammar === undefined) return readSchema(args);
  const text = await readTextFile(grammar, MAX_GRAMMAR_BYTES, `--grammar ${grammar}`);
  return { grammar: { syntax: grammar.endsWith(".lark") ? "lark" : "ebnf", text } };
}

/**
 * Sentences about what of an output is not enforced, or only when the answer is there.
 * @throws UsageError, SchemaError for an output that cannot be used
 */
export async function outputNotes(output: OutputOptions): Promise<readonly string[]> {
  const isSchema = "jsonSchema" in output || "xsd" in output || "~standard" in output;
  const warnings = isSchema ? (await createValidator(output)).warnings : [];
  const { checkedAfterwards } = await describeOutput(output);
  return [
    ...warnings,
    ...checkedAfterwards.map((what) => `checked when the answer is written, not while: ${what}.`),
  ];
}
