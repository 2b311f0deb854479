/**
 * Validation as a task of the worker pool: some patterns of schemas take longer on some texts than a run
 * can wait.
 */
import { SchemaError } from "../core/errors.ts";
import { Lru } from "../core/lru.ts";
import { JsonChecker, type JsonSpec } from "./json-checker.ts";
import type { ValidationResult, Verdict } from "./validator.ts";
import type { XmlSchemaSource } from "./xml-files.ts";

export type Spec =
  | (JsonSpec & { readonly kind: "json" })
  | (XmlSchemaSource & { readonly kind: "xml"; readonly root?: string });

/** `key` stands for the schema: a thread compiles it once. */
export type Request = { readonly key: number; readonly spec: Spec } & (
  | { readonly op: "open" }
  | { readonly op: "text"; readonly text: string }
  | { readonly op: "value"; readonly value: unknown }
  | { readonly op: "texts"; readonly texts: readonly string[] }
  /** A text with any number of YAML documents. */
  | { readonly op: "yaml"; readonly text: string }
);

export type Reply =
  | { readonly kind: "opened"; readonly warnings: readonly string[] }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "result"; readonly result: ValidationResult }
  | { readonly kind: "verdicts"; readonly verdicts: readonly Verdict[] };

type TextChecker = Pick<JsonChecker, "warnings" | "text" | "value">;

/** Compiled schemas that a thread keeps. */
const MAX_KEPT = 64;
const checkers = new Lru<number, TextChecker>(MAX_KEPT);

async function open(spec: Spec): Promise<TextChecker> {
  if (spec.kind === "json") return new JsonChecker(spec);
  const { compileXsd } = await import("./xml.ts");
  const { validate, warnings } = compileXsd(spec, spec.root);
  return { warnings, text: validate, value: (value) => validate(String(value)) };
}

/** The handler of the task. */
export default async function validate(request: Request): Promise<Reply> {
  const { key, spec } = request;
  let checker = checkers.get(key);
  try {
    checker ??= await open(spec);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return { kind: "refused", message: error.message };
  }
  checkers.set(key, checker);
  switch (request.op) {
    case "open":
      return { kind: "opened", warnings: checker.warnings };
    case "text":
      return { kind: "result", result: checker.text(request.text) };
    case "value":
      return { kind: "result", result: checker.value(request.value) };
    case "texts":
      return {
        kind: "verdicts",
        verdicts: request.texts.map((text) => withoutValue(checker.text(text))),
      };
    case "yaml":
      return { kind: "verdicts", verdicts: await yamlVerdicts(request.text, checker) };
  }
}

async function yamlVerdicts(text: string, checker: TextChecker): Promise<readonly Verdict[]> {
  const { readYamlDocuments } = await import("./yaml-documents.ts");
  const read = readYamlDocuments(text);
  if ("problem" in read) return [{ action: "retry", warnings: [], errors: [read.problem] }];
  return read.documents.map((value) => withoutValue(checker.value(value)));
}

/** Values would be copied between threads for nothing. */
function withoutValue({ action, warnings, errors }: ValidationResult): Verdict {
  return { action, warnings, errors };
}
