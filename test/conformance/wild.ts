/**
 * Area `wild`: JSON Schemas of other people, from folders such as `node_modules` of installed packages and from
 * files with what a server of the Model Context Protocol lists as its tools. Each must become a grammar, with what
 * it leaves to the validator named, or be refused by name; the shares go to stderr.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { GrammarCompiler } from "../../inference/constrain/compiler.ts";
import {
  JsonSchemaConstraintError,
  type JsonSchemaGrammar,
  jsonSchemaGrammar,
} from "../../inference/index.ts";
import { createValidator, type JsonValidatorOptions } from "../../tools/index.ts";
import type { CaseResult } from "./case-result.ts";
import { o200kVocabulary } from "./o200k.ts";

type Wild = { readonly id: string; readonly schema: Record<string, unknown> };

/** Larger files are data. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Beside `$schema`, what only a schema has. */
const SCHEMA_LIKE = ["properties", "definitions", "$defs", "oneOf", "anyOf", "allOf"];

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  const compiler = new GrammarCompiler(o200kVocabulary());
  const seen = new Set<string>();
  const counts = { carried: 0, partly: 0, refused: 0, unusable: 0 };
  const keywords = new Map<string, number>();
  const reasons = new Map<string, number>();
  const times: number[] = [];
  for (const { id, schema } of paths.flatMap(schemasIn)) {
    const text = JSON.stringify(schema);
    if (seen.has(text)) continue;
    seen.add(text);
    const started = performance.now();
    const found = compile(schema);
    if (found instanceof Error) {
      const usable = await isUsable(schema);
      counts[usable ? "refused" : "unusable"]++;
      if (usable) count(reasons, found.reason.replace(/\/\S*|\d+/g, "…"));
      yield { id, pass: true, got: found.reason };
      continue;
    }
    compiler.compile(found.grammar).matcher().mask();
    times.push(performance.now() - started);
    counts[found.carried ? "carried" : "partly"]++;
    for (const keyword of new Set(found.checkedAfterwards.map((note) => note.keyword))) {
      count(keywords, keyword);
    }
    // What is left to the validator is named with its place and the reason.
    const pass = found.checkedAfterwards.every(({ reason }) => reason !== "");
    yield { id, pass, got: found.checkedAfterwards };
  }
  const total = counts.carried + counts.partly + counts.refused;
  const share = (part: number): string => `${part} (${((part / total) * 100).toFixed(1)} %)`;
  times.sort((a, b) => a - b);
  const at = (quantile: number): string =>
    `${times[Math.min(times.length - 1, Math.floor(times.length * quantile))]?.toFixed(1)} ms`;
  console.error(
    `${total} usable schemas; ${counts.unusable} more are refused by the validator too`,
  );
  console.error(`carried as a whole: ${share(counts.carried)}`);
  console.error(`partly checked afterwards: ${share(counts.partly)}: ${listed(keywords)}`);
  console.error(`refused: ${share(counts.refused)}: ${listed(reasons)}`);
  console.error(`to the first mask: p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}`);
}

function compile(schema: Record<string, unknown>): JsonSchemaGrammar | JsonSchemaConstraintError {
  try {
    return jsonSchemaGrammar(schema);
  } catch (error) {
    if (error instanceof JsonSchemaConstraintError) return error;
    throw error;
  }
}

async function isUsable(schema: Record<string, unknown>): Promise<boolean> {
  const jsonSchema = schema as JsonValidatorOptions["jsonSchema"];
  return createValidator({ jsonSchema }).then(
    () => true,
    () => false,
  );
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function listed(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([key, times]) => `${key} ${times}`).join(", ") || "none";
}

/** Schemas in a file, or in the JSON files of a folder and all folders in it. */
function schemasIn(path: string): readonly Wild[] {
  if (!statSync(path).isDirectory()) return fromFile(path);
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) return schemasIn(inner);
    return entry.isFile() && entry.name.endsWith(".json") ? fromFile(inner) : [];
  });
}

function fromFile(path: string): readonly Wild[] {
  if (statSync(path).size > MAX_BYTES) return [];
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // Configurations with comments, tests of parsers.
    return [];
  }
  if (typeof value !== "object" || value === null) return [];
  const record = value as Record<string, unknown>;
  if (Array.isArray(record["tools"])) {
    return record["tools"].flatMap((tool: { name: string; inputSchema?: Wild["schema"] }) =>
      tool.inputSchema === undefined
        ? []
        : [{ id: `${path}#${tool.name}`, schema: tool.inputSchema }],
    );
  }
  const declared = record["$schema"];
  const isNamed = /schema\.json$|\/schemas\//.test(path) && "type" in record;
  const isDeclared = typeof declared === "string" && /json-schema\.org/.test(declared);
  const isSchema =
    (isNamed || isDeclared) && SCHEMA_LIKE.some((keyword) => typeof record[keyword] === "object");
  return isSchema ? [{ id: path, schema: record }] : [];
}
