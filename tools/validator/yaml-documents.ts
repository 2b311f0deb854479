/** YAML texts as JSON values, so that they can be held against a JSON Schema. */
import { CORE_SCHEMA, loadAll, YAMLException } from "../core/js-yaml.ts";
import { messageOf } from "../core/text.ts";
import type { ValidationIssue } from "./validator.ts";

/** Longer texts are refused unread. */
const MAX_UNITS = 4 * 1024 * 1024;
/** Aliases repeat what they name: a few lines can stand for more values than there is memory. */
const MAX_VALUES = 1_000_000;
const MAX_DEPTH = 256;

export type YamlDocuments =
  | { readonly documents: readonly unknown[] }
  | { readonly problem: ValidationIssue };

/** @returns the values of all documents of a text, or what is wrong with it */
export function readYamlDocuments(text: string): YamlDocuments {
  if (text.length > MAX_UNITS) {
    return { problem: { message: `the text is longer than ${MAX_UNITS} characters` } };
  }
  let documents: unknown[];
  try {
    // The core schema has what JSON has; duplicate keys are errors.
    documents = loadAll(text, null, { schema: CORE_SCHEMA }) as unknown[];
  } catch (error) {
    return { problem: problemOf(error) };
  }
  if (documents.length === 0) {
    return { problem: { message: "the text is empty; a YAML document must be written" } };
  }
  const counter = { values: 0 };
  for (const document of documents) {
    const message = whyUnusable(document, 0, counter);
    if (message !== null) return { problem: { message } };
  }
  return { documents };
}

function problemOf(error: unknown): ValidationIssue {
  if (!(error instanceof YAMLException)) return { message: `no YAML: ${messageOf(error)}` };
  const { reason, mark } = error;
  if (mark === undefined) return { message: `no YAML: ${reason}` };
  const line = mark.line + 1;
  return { message: `no YAML: ${reason} (line ${line} column ${mark.column + 1})`, line };
}

/** What JSON cannot say, or what is too large once aliases are written out. */
function whyUnusable(value: unknown, depth: number, counter: { values: number }): string | null {
  if (++counter.values > MAX_VALUES) {
    return `the text stands for more than ${MAX_VALUES} values, aliases written out`;
  }
  if (depth > MAX_DEPTH) return `the value is nested deeper than ${MAX_DEPTH} levels`;
  if (typeof value === "number" && !Number.isFinite(value)) {
    return `${value} is a number of YAML that JSON does not have`;
  }
  if (typeof value !== "object" || value === null) return null;
  for (const held of Object.values(value)) {
    const message = whyUnusable(held, depth + 1, counter);
    if (message !== null) return message;
  }
  return null;
}
