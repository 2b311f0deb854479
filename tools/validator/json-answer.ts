/** From a model's text to one JSON value, or to what is wrong with it. */
import { type Extraction, hasSeveralBlocks, unwrap } from "./extract.ts";
import { type JsonScan, placeOf, scanJson, whitespaceEnd } from "./json-text.ts";
import type { ValidationIssue } from "./validator.ts";

export type JsonAnswer =
  | {
      readonly kind: "value";
      readonly value: unknown;
      readonly text: string;
      /** Something around it was taken away. */
      readonly extracted: boolean;
      readonly warnings: readonly string[];
    }
  | { readonly kind: "truncated" | "broken"; readonly errors: readonly ValidationIssue[] };

/** Longer answers are refused unread. */
const MAX_UNITS = 4 * 1024 * 1024;

/** @param extract  whether what surrounds the value may be taken away */
export function readJsonAnswer(text: string, extract: boolean): JsonAnswer {
  if (text.length > MAX_UNITS) {
    return broken(`the text is longer than ${MAX_UNITS} characters`);
  }
  if (text.trim() === "") return broken("the text is empty; a JSON value must be written");
  let last = broken("there is no JSON in the text");
  for (const { text: candidate, warnings } of unwrapJson(text)) {
    const scan = scanJson(candidate);
    const answer = readWhole(candidate, scan, warnings);
    if (answer.kind === "value") return answer;
    // What was taken away makes the rest of the text easier to judge.
    last =
      answer.kind === "truncated" || /^\s*["\d[{-]/.test(candidate) ? answer : notJson(candidate);
    if (!extract || isWhole(candidate, scan)) break;
  }
  if (!hasSeveralBlocks(text)) return last;
  return broken("there is more than one code block; exactly one JSON value must be written");
}

/** The text, then what is left as more and more of what models put around JSON is taken away. */
export function unwrapJson(text: string): Iterable<Extraction> {
  return unwrap(text, { name: "JSON", findInProse });
}

function notJson(text: string): JsonAnswer {
  const begins = JSON.stringify(text.trim().slice(0, 40).toWellFormed());
  return broken(`the text is not JSON alone; it begins with ${begins}`);
}

function isWhole(text: string, scan: JsonScan): boolean {
  return scan.status === "complete" && whitespaceEnd(text, scan.end) === text.length;
}

function readWhole(text: string, scan: JsonScan, warnings: readonly string[]): JsonAnswer {
  if (scan.status === "complete" && !isWhole(text, scan)) {
    return { kind: "broken", errors: [issue(text, trailing(text, scan.end))] };
  }
  if (scan.problems.length > 0) {
    const kind = scan.status === "truncated" && scan.problems.length === 1 ? "truncated" : "broken";
    return { kind, errors: scan.problems.map((problem) => issue(text, problem)) };
  }
  const more = text.includes("\\u0000") ? [NUL_WARNING] : [];
  return {
    kind: "value",
    value: JSON.parse(text),
    text: text.trim(),
    extracted: warnings.length > 0,
    warnings: [...warnings, ...more],
  };
}

const NUL_WARNING =
  "A string contains U+0000, which is legal JSON but cut off or refused by many programs.";

function trailing(text: string, end: number): { message: string; path: string; offset: number } {
  const offset = whitespaceEnd(text, end);
  const next = text[offset] ?? "";
  const message = "{[".includes(next)
    ? "there is more than one JSON value; exactly one must be written"
    : `there is text after the value: ${JSON.stringify(text.slice(offset, offset + 20))}`;
  return { message, path: "", offset };
}

function issue(
  text: string,
  problem: { message: string; path: string; offset: number },
): ValidationIssue {
  const { line, column } = placeOf(text, problem.offset);
  return {
    message: `${problem.message} (line ${line} column ${column})`,
    ...(problem.path !== "" && { path: problem.path }),
    line,
  };
}

function broken(message: string): JsonAnswer {
  return { kind: "broken", errors: [{ message }] };
}

/**
 * The only object or array in a text. A bracket that opens no JSON ends the search: what follows may be
 * a part of it, and a part must not be taken for the whole. A value that is cut off at the end of the
 * text counts, so that it is told as cut off.
 */
function findInProse(text: string): { start: number; end: number } | undefined {
  let found: { start: number; end: number } | undefined;
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== "{" && text[at] !== "[") continue;
    if (found !== undefined) return undefined;
    const scan = scanJson(text, at);
    if (scan.status === "broken") return undefined;
    found = { start: at, end: scan.status === "truncated" ? text.length : scan.end };
    at = found.end - 1;
  }
  return found;
}
