/** Patterns of other languages that cannot be translated. */
import { isRecord } from "../core/record.ts";
import { compilePattern, ForeignPatternError } from "./patterns.ts";
import { mapSubschemas, type SchemaObject } from "./schema-keywords.ts";

/** The schema without them; each is told as a warning. */
export function withoutForeignPatterns(
  schema: SchemaObject,
  warn: (message: string) => void,
  place = "",
): SchemaObject {
  const { pattern, ...rest } = schema;
  const problem = typeof pattern === "string" ? problemOf(pattern) : undefined;
  if (problem !== undefined) {
    warn(`The pattern ${String(pattern)} at ${place || "the root"} is not enforced: ${problem}.`);
  }
  return mapSubschemas(problem === undefined ? schema : rest, place, (child, at) =>
    isRecord(child) ? withoutForeignPatterns(child, warn, at) : child,
  );
}

function problemOf(pattern: string): string | undefined {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    // What is no pattern in any language is for the compiler to refuse.
    return error instanceof ForeignPatternError ? error.message : undefined;
  }
}
