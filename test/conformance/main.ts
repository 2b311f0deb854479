/**
 * Runs files of cases against this implementation:
 *
 *     npm run --silent conformance -- <area> <file> [more] [--out FILE.jsonl]
 *
 * One line per failing case, `N passed, N failed` as the last line; exit code 0 only when nothing
 * failed, 1 when a case did, 2 when there was nothing to run. `--out` gets one JSON line per case.
 * Paths are taken from where npm was called; the area `mcp` brings its cases, and takes names of them. An area
 * is a module beside this one; it is loaded only when asked for.
 */

import { existsSync, openSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Area, type CaseResult, ConformanceInputError } from "./case-result.ts";

const AREAS: readonly string[] = [
  "harmony",
  "tokenizer",
  "logits",
  "json",
  "json-suite",
  "wild",
  "xml",
  "malformed",
  "loop",
  "signature",
  "arguments",
  "cells",
  "pages",
  "mcp",
  "server",
  "sandbox",
  "sandbox-isolate",
  "sandbox-process",
  "plugins",
  "plugins-isolate",
  "plugins-process",
];
/** They bring their cases; what is given are names of some of them. */
const WITHOUT_FILES: ReadonlySet<string> = new Set(["mcp"]);
const MAX_SHOWN_CHARACTERS = 600;

/** The areas whose module is here. */
function presentAreas(): string[] {
  return AREAS.filter((area) => existsSync(join(import.meta.dirname, `${area}.ts`)));
}

type Arguments = {
  readonly area: string;
  readonly files: readonly string[];
  readonly out: string | undefined;
};

function parseArguments(argv: readonly string[], base: string): Arguments {
  const usage = "Usage: conformance <area> <file> [more] [--out FILE.jsonl].";
  const positional: string[] = [];
  let out: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] ?? "";
    if (argument === "--out" || argument.startsWith("--out=")) {
      const value = argument === "--out" ? argv[++i] : argument.slice("--out=".length);
      if (value === undefined || value === "") {
        throw new ConformanceInputError(`--out needs the name of a file. ${usage}`);
      }
      out = resolve(base, value);
    } else if (argument.startsWith("-")) {
      throw new ConformanceInputError(`There is no option ${argument}. ${usage}`);
    } else {
      positional.push(argument);
    }
  }
  const [area, ...files] = positional;
  const areas = presentAreas();
  if (area === undefined || !areas.includes(area)) {
    const found = area === undefined ? "No area was given" : `There is no area ${area}`;
    throw new ConformanceInputError(`${found}; there are: ${areas.join(", ")}. ${usage}`);
  }
  if (WITHOUT_FILES.has(area)) return { area, files, out };
  if (files.length === 0) {
    throw new ConformanceInputError(`No file of cases was given for ${area}. ${usage}`);
  }
  const paths = files.map((file) => resolve(base, file));
  for (const path of paths) {
    if (!existsSync(path)) throw new ConformanceInputError(`There is no file ${path}.`);
  }
  return { area, files: paths, out };
}

/** Values as JSON, strings too, so that newlines and blanks can be seen; never pages of it. */
function show(value: unknown): string {
  const text = value === undefined ? "undefined" : JSON.stringify(value);
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
}

/** Opened before the run, so that a name that cannot be written does not cost one. */
function openForWriting(path: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw new ConformanceInputError(`Cannot write to ${path}.`, { cause: error });
  }
}

async function main(): Promise<number> {
  const base = process.env["INIT_CWD"] ?? process.cwd();
  const { area, files, out } = parseArguments(process.argv.slice(2), base);
  const outFile = out === undefined ? undefined : openForWriting(out);
  const { run } = (await import(`./${area}.ts`)) as Area;
  const results: CaseResult[] = [];
  for await (const result of run(files)) {
    results.push(result);
    if (!result.pass) {
      console.log(`${result.id}: expected ${show(result.expected)} got ${show(result.got)}`);
    }
  }
  const lines = results.map(({ id, got, pass }) => `${JSON.stringify({ id, got, pass })}\n`);
  if (outFile !== undefined) writeFileSync(outFile, lines.join(""));
  const failed = results.filter((result) => !result.pass).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 && results.length > 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ConformanceInputError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
