/** Whether a run did what its task expects. The rules are in README.md. */
import { isDeepStrictEqual } from "node:util";
import type { Expectation, ExpectedCall } from "./task.ts";

/** A call as the model made it: `arguments` is its body, JSON or code. */
export type ObservedCall = { readonly recipient: string; readonly arguments: string };

export type Observation = {
  /** The final answer; null when the run ended without one. */
  readonly final: string | null;
  /** Why there is none. */
  readonly failure?: string;
  readonly calls: readonly ObservedCall[];
  /** Names of the files that Python handed out. */
  readonly outputs?: readonly string[];
};

/** Everything that is not as expected, one short sentence each; empty: the task is done. */
export function judge(expect: Expectation, observed: Observation): readonly string[] {
  const problems: string[] = [];
  const { final } = observed;
  if (final === null) return [`no answer: ${observed.failure ?? "unknown reason"}`];
  for (const wanted of expect.final_contains ?? []) {
    if (!final.includes(wanted)) problems.push(`${quote(wanted)} is not in ${quote(final)}`);
  }
  if (expect.final_json !== undefined) {
    const value = parse(final);
    if (!isDeepStrictEqual(value, expect.final_json)) {
      problems.push(`${JSON.stringify(expect.final_json)} was expected, not ${quote(final)}`);
    }
  }
  if (expect.json_holds !== undefined && !holds(parse(final), expect.json_holds)) {
    problems.push(
      `JSON with ${JSON.stringify(expect.json_holds)} was expected, not ${quote(final)}`,
    );
  }
  for (const name of expect.outputs ?? []) {
    if (!observed.outputs?.includes(name)) problems.push(`no file ${quote(name)} was written`);
  }
  if (expect.calls !== undefined) problems.push(...judgeCalls(expect.calls, observed.calls));
  return problems;
}

function judgeCalls(
  expected: readonly ExpectedCall[],
  observed: readonly ObservedCall[],
): readonly string[] {
  const made = observed.map(({ recipient }) => recipient).join(", ") || "none";
  if (expected.length !== observed.length) {
    const wanted = expected.map(({ recipient }) => recipient).join(", ") || "none";
    return [`calls: ${wanted} expected, ${made} made`];
  }
  return expected.flatMap((call, index) => {
    const actual = observed[index];
    if (actual?.recipient !== call.recipient) {
      return [`call ${index + 1}: ${call.recipient} expected, ${actual?.recipient} made`];
    }
    if (call.arguments === undefined) return [];
    // A program's text stands for itself; everything else is JSON.
    const value = typeof call.arguments === "string" ? actual.arguments : parse(actual.arguments);
    return isDeepStrictEqual(value, call.arguments)
      ? []
      : [`call ${index + 1}: ${JSON.stringify(call.arguments)} expected, not ${actual.arguments}`];
  });
}

function holds(value: unknown, wanted: unknown): boolean {
  if (isDeepStrictEqual(value, wanted)) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some((each) => holds(each, wanted));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
