/** Whether a value has what a client reads of another: the same keys, and values of the same kind. */
import { isObject } from "./recording.ts";

/** Where one of the two is null, the other may be anything: nothing is said about the kind. */
function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/**
 * @param wanted the recorded value; a list stands for lists of what its first element is
 * @returns what is missing or of another kind, one sentence each
 */
export function shapeProblems(wanted: unknown, got: unknown, path = ""): readonly string[] {
  if (wanted === undefined) return [];
  const where = path === "" ? "the answer" : path;
  const [kind, found] = [kindOf(wanted), kindOf(got)];
  if (got === undefined) return [`${where} is missing`];
  if (kind === "null" || found === "null") return [];
  if (kind !== found) return [`${where} is ${found}, not ${kind}`];
  if (Array.isArray(wanted) && Array.isArray(got)) {
    if (wanted.length === 0 || got.length === 0) return [];
    return got.flatMap((held, at) => {
      // A list of different things: each has to be like one of its kind.
      const alike = wanted.find((one) => sameType(one, held)) ?? wanted[0];
      return isObject(alike) && !sameType(alike, held)
        ? []
        : shapeProblems(alike, held, `${path}[${at}]`);
    });
  }
  if (!isObject(wanted) || !isObject(got)) return [];
  // What a search did is of several kinds, each with keys of its own.
  if (path.endsWith(".action") && !sameType(wanted, got)) return [];
  return Object.entries(wanted).flatMap(([key, held]) =>
    shapeProblems(held, got[key], path === "" ? key : `${path}.${key}`),
  );
}

function sameType(one: unknown, other: unknown): boolean {
  if (!isObject(one) || !isObject(other)) return kindOf(one) === kindOf(other);
  return one["type"] === other["type"];
}
