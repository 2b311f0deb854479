/** The cases of a plugin's `tests.json`: calls, and what has to come of them. */
import type { ToolResult } from "../../tools/index.ts";
import { messageOf, UsageError } from "../errors.ts";

export type ToolCase = {
  readonly name?: string;
  /** Without `functions.`. */
  readonly tool: string;
  readonly input?: unknown;
  readonly expect: ToolExpectation;
};

/** Everything that is given must hold. */
export type ToolExpectation = {
  readonly status?: "completed" | "failed";
  /** The whole text of the result. */
  readonly text?: string;
  /** A part of it. */
  readonly contains?: string;
  /** Equal as JSON. */
  readonly data?: unknown;
};

/** @throws UsageError naming the first thing that cannot be */
export function toolCasesFrom(text: string, path: string): readonly ToolCase[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${path} is not JSON: ${messageOf(cause)}.`, { cause });
  }
  if (!Array.isArray(json)) {
    throw new UsageError(`${path} is no list; accepted: [{"tool", "input", "expect"}, …].`);
  }
  return json.map((one: unknown, at) => {
    const problem = problemOf(one);
    if (problem === null) return one as ToolCase;
    throw new UsageError(`${path}: case ${at + 1} ${problem}`);
  });
}

const EXPECTATIONS: readonly string[] = ["status", "text", "contains", "data"];

function problemOf(one: unknown): string | null {
  if (typeof one !== "object" || one === null) return "is no object.";
  const { tool, expect } = one as Record<string, unknown>;
  if (typeof tool !== "string") return 'names no "tool".';
  if (typeof expect !== "object" || expect === null) return 'has no "expect".';
  const keys = Object.keys(expect);
  const unknown = keys.filter((key) => !EXPECTATIONS.includes(key));
  if (keys.length === 0 || unknown.length > 0) {
    return `expects ${unknown.join(", ") || "nothing"}; accepted: ${EXPECTATIONS.join(", ")}.`;
  }
  return null;
}

/** @returns null when the result is as expected, else a sentence */
export function whyWrong(result: ToolResult, expected: ToolExpectation): string | null {
  const { status = "completed", text, contains, data } = expected;
  const got = `it ${result.status} with ${JSON.stringify(result.text)}`;
  if (result.status !== status) return `expected ${status}, but ${got}.`;
  if (text !== undefined && result.text !== text) {
    return `expected ${JSON.stringify(text)}, but ${got}.`;
  }
  if (contains !== undefined && !result.text.includes(contains)) {
    return `expected a text with ${JSON.stringify(contains)}, but ${got}.`;
  }
  if (data !== undefined && canonical(data) !== canonical(result.data)) {
    return `expected the data ${JSON.stringify(data)}, got ${JSON.stringify(result.data)}.`;
  }
  return null;
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, held: unknown) =>
      typeof held === "object" && held !== null && !Array.isArray(held)
        ? Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)))
        : held,
    ) ?? "undefined"
  );
}
