/** Of a value that fits no alternative of a choice, the alternative that was meant, and its errors. */
import type { ErrorObject } from "ajv";
import { isRecord } from "../core/record.ts";
import type { CompiledSchema } from "./json-schema.ts";

/** Alternatives within alternatives; deeper ones are told as a whole. */
const MAX_DEPTH = 5;
const MAX_ALTERNATIVES = 100;

/** Puts, for every failed choice, the errors of one alternative in place of those of all. */
export function chooseBranches(
  schema: CompiledSchema,
  violations: readonly ErrorObject[],
  depth = 0,
): readonly ErrorObject[] {
  let remaining = violations;
  // The outermost choice comes after the errors of its alternatives, so it is found from the end.
  for (let at = violations.length - 1; at >= 0; at--) {
    const choice = violations[at];
    if (choice === undefined || !isChoice(choice) || !remaining.includes(choice)) continue;
    const list = choice.schema as readonly unknown[];
    if (list.length > MAX_ALTERNATIVES || list.every(isValue)) {
      // A choice of values is told as such, and of very many alternatives none is meant.
      const inside = `${choice.schemaPath}/`;
      const own = new Set(list);
      remaining = remaining.filter(
        (e) => e === choice || !(own.has(e.parentSchema) || e.schemaPath.startsWith(inside)),
      );
      continue;
    }
    const alternatives = alternativesOf(schema, choice);
    if (alternatives === undefined || depth >= MAX_DEPTH) continue;
    const identity = identifier();
    const covered = new Set(alternatives.flat().map(identity));
    const meant = onlyMissing(choice, alternatives) ?? meantAlternative(choice, alternatives);
    const told = meant === undefined ? [choice] : chooseBranches(schema, meant, depth + 1);
    remaining = remaining.flatMap((e) => {
      if (e === choice) return told;
      return covered.has(identity(e)) ? [] : [e];
    });
  }
  return remaining;
}

const isValue = (alternative: unknown): boolean =>
  isRecord(alternative) && alternative["const"] !== undefined;

const isChoice = (error: ErrorObject): boolean =>
  error.keyword === "anyOf" || error.keyword === "oneOf";

/** The errors of each alternative, with paths from the root of the value. */
function alternativesOf(
  schema: CompiledSchema,
  choice: ErrorObject,
): readonly (readonly ErrorObject[])[] | undefined {
  // Several alternatives fit: then none has errors to tell.
  if (choice.keyword === "oneOf" && choice.params["passingSchemas"]) return undefined;
  return schema
    .violationsOfEach(choice.schema, choice.data)
    ?.map((errors) =>
      errors.map((e) => ({ ...e, instancePath: `${choice.instancePath}${e.instancePath}` })),
    );
}

/**
 * Errors of one rule at one place are the same, by whichever way the rule was reached: references lead
 * to the same schema object under different paths.
 */
function identifier(): (error: ErrorObject) => string {
  const numbers = new Map<unknown, number>();
  return ({ parentSchema, instancePath, keyword, params }) => {
    const number = numbers.get(parentSchema) ?? numbers.size;
    numbers.set(parentSchema, number);
    return JSON.stringify([number, instancePath, keyword, params]);
  };
}

/** Keyword of an error of ours: names are missing, of which one of several sets would do. */
export const ONE_SET_MISSING = "oneSetMissing";

/** Where every alternative wants nothing but names that are missing, each is a way out. */
function onlyMissing(
  choice: ErrorObject,
  alternatives: readonly (readonly ErrorObject[])[],
): readonly ErrorObject[] | undefined {
  const isMissing = (e: ErrorObject): boolean =>
    e.keyword === "required" && e.instancePath === choice.instancePath;
  if (!alternatives.every((errors) => errors.length > 0 && errors.every(isMissing))) {
    return undefined;
  }
  const sets = alternatives.map((errors) => [
    ...new Set(errors.map((e) => String(e.params["missingProperty"]))),
  ]);
  const different = [...new Map(sets.map((set) => [JSON.stringify(set), set])).values()];
  if (different.length === 1) return alternatives[0];
  return [{ ...choice, keyword: ONE_SET_MISSING, params: { sets: different } }];
}

/** The alternative whose tag the value carries; else the one it misses by least; none if it is unclear. */
function meantAlternative(
  choice: ErrorObject,
  alternatives: readonly (readonly ErrorObject[])[],
): readonly ErrorObject[] | undefined {
  const rightKind = alternatives.filter(
    (errors) => !errors.some((e) => e.keyword === "type" && e.instancePath === choice.instancePath),
  );
  // Not even the type fits any: that is told best as a list of types.
  if (rightKind.length === 0) return undefined;
  const isTag = (e: ErrorObject): boolean =>
    (e.keyword === "const" || e.keyword === "enum") &&
    e.instancePath.startsWith(`${choice.instancePath}/`) &&
    !e.instancePath.slice(choice.instancePath.length + 1).includes("/");
  const tagged = rightKind.filter((errors) => !errors.some(isTag));
  const candidates = tagged.length > 0 ? tagged : rightKind;
  return candidates.reduce((best, errors) => (errors.length < best.length ? errors : best));
}
