/**
 * ajv's errors in words that a model can act on: one line per place, with what is expected, what was
 * found, and the nearest name. Of alternatives only the one that was meant is reported.
 */
import type { ErrorObject } from "ajv";
import { editDistance } from "../core/edit-distance.ts";
import type { CompiledSchema } from "./json-schema.ts";
import type { ValidationIssue } from "./validator.ts";

const MAX_ISSUES = 10;
const MAX_VALUE_UNITS = 80;
const MAX_NAMES = 20;
/** Alternatives within alternatives; deeper ones are told as a whole. */
const MAX_BRANCH_DEPTH = 5;

export function describeViolations(
  schema: CompiledSchema,
  violations: readonly ErrorObject[],
): ValidationIssue[] {
  const chosen = chooseBranches(schema, violations, 0);
  const byPath = new Map<string, ErrorObject[]>();
  for (const violation of chosen) {
    const path = violation.instancePath;
    byPath.set(path, [...(byPath.get(path) ?? []), violation]);
  }
  const issues = [...byPath].map(([path, errors]) => ({
    message: [...new Set(describePlace(errors))].join("; "),
    ...(path !== "" && { path }),
  }));
  if (issues.length <= MAX_ISSUES) return issues;
  const more = issues.length - MAX_ISSUES;
  return [...issues.slice(0, MAX_ISSUES), { message: `and ${more} more places` }];
}

const isChoice = (error: ErrorObject): boolean =>
  error.keyword === "anyOf" || error.keyword === "oneOf";

/** Puts, for every failed choice, the errors of one alternative in place of those of all. */
function chooseBranches(
  schema: CompiledSchema,
  violations: readonly ErrorObject[],
  depth: number,
): readonly ErrorObject[] {
  let remaining = violations;
  // The outermost choice comes after the errors of its alternatives, so it is found from the end.
  for (let at = violations.length - 1; at >= 0; at--) {
    const choice = violations[at];
    if (choice === undefined || !isChoice(choice) || !remaining.includes(choice)) continue;
    const alternatives = alternativesOf(schema, choice);
    if (alternatives === undefined || depth >= MAX_BRANCH_DEPTH) continue;
    const identity = identifier();
    const covered = new Set(alternatives.flat().map(identity));
    const others = remaining.filter((e) => e !== choice && !covered.has(identity(e)));
    const meant = meantAlternative(choice, alternatives);
    remaining = [...others, ...(meant ? chooseBranches(schema, meant, depth + 1) : [choice])];
  }
  return remaining;
}

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

function describePlace(errors: readonly ErrorObject[]): string[] {
  const lines: string[] = [];
  const missing = errors.filter((e) => e.keyword === "required");
  const unknown = errors.filter(isUnknownProperty);
  if (missing.length > 0) {
    lines.push(`missing ${list(missing.map((e) => String(e.params["missingProperty"])))}`);
  }
  if (unknown.length > 0) lines.push(describeUnknown(unknown));
  for (const error of errors) {
    if (error.keyword === "required" || isUnknownProperty(error)) continue;
    // Says only that the rule it leads to was broken, which that rule says itself.
    if (error.keyword === "if" && errors.length > 1) continue;
    lines.push(describe(error));
  }
  return lines;
}

const isUnknownProperty = (error: ErrorObject): boolean =>
  error.keyword === "additionalProperties" || error.keyword === "unevaluatedProperties";

function describeUnknown(errors: readonly ErrorObject[]): string {
  const names = errors.map((e) =>
    String(e.params["additionalProperty"] ?? e.params["unevaluatedProperty"]),
  );
  const parent = errors[0]?.parentSchema?.["properties"];
  const allowed = typeof parent === "object" && parent !== null ? Object.keys(parent) : [];
  const [first] = names;
  const hint = names.length === 1 && first !== undefined ? nearest(first, allowed) : undefined;
  const accepted = allowed.length > 0 ? `; allowed: ${list(allowed)}` : "";
  return `unknown ${list(names)}${hint ? ` (did you mean ${quote(hint)}?)` : ""}${accepted}`;
}

function describe(error: ErrorObject): string {
  const { keyword, params, data } = error;
  const got = `got ${show(data)}`;
  const limit = params["limit"];
  switch (keyword) {
    case "type":
      return `must be ${[params["type"]].flat().join(" or ")}, got ${kindAndValue(data)}${typeHint(params["type"], data)}`;
    case "enum": {
      const allowed: unknown = params["allowedValues"];
      const values = Array.isArray(allowed) ? allowed : [];
      const texts = values.filter((value) => typeof value === "string");
      const hint = typeof data === "string" ? nearest(data, texts) : undefined;
      const shown = values.slice(0, MAX_NAMES).map(show).join(", ");
      return `must be one of ${shown}, ${got}${hint ? ` (did you mean ${quote(hint)}?)` : ""}`;
    }
    case "const":
      return `must be ${show(params["allowedValue"])}, ${got}`;
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return `must be ${String(params["comparison"])} ${String(limit)}, ${got}`;
    case "multipleOf":
      return `must be a multiple of ${String(params["multipleOf"])}, ${got}`;
    case "minLength":
    case "maxLength":
      return `must have ${bound(keyword)} ${String(limit)} characters, ${got}`;
    case "minItems":
    case "maxItems":
      return `must have ${bound(keyword)} ${String(limit)} items, has ${Array.isArray(data) ? data.length : 0}`;
    case "minProperties":
    case "maxProperties":
      return `must have ${bound(keyword)} ${String(limit)} properties, has ${Object.keys(Object(data)).length}`;
    case "pattern":
      return `must match the pattern ${String(params["pattern"])}, ${got}`;
    case "format":
      return `must be a valid ${String(params["format"])}, ${got}`;
    case "uniqueItems":
      return `items must be different: ${String(params["j"])} and ${String(params["i"])} are equal`;
    case "dependentRequired":
    case "dependencies":
      return `with ${quote(String(params["property"]))} there must be ${quote(String(params["missingProperty"] ?? params["deps"]))} as well`;
    case "propertyNames":
      return `the property name ${quote(String(params["propertyName"]))} is not allowed`;
    case "oneOf":
    case "anyOf":
      return describeChoice(error);
    case "false schema":
      return "must not be there";
    default:
      return `${error.message ?? `breaks the rule ${keyword}`}, ${got}`;
  }
}

function describeChoice(error: ErrorObject): string {
  const got = `got ${kindAndValue(error.data)}`;
  const passing: unknown = error.params["passingSchemas"];
  if (Array.isArray(passing))
    return `must fit exactly one alternative, fits ${passing.length}, ${got}`;
  const alternatives = Array.isArray(error.schema) ? error.schema : [];
  const types = alternatives.flatMap((s: unknown) =>
    typeof s === "object" && s !== null && "type" in s ? [s.type].flat() : [undefined],
  );
  return types.length > 0 && types.every((type) => typeof type === "string")
    ? `must be ${[...new Set(types)].join(" or ")}, ${got}`
    : `must fit one of ${alternatives.length} alternatives, ${got}`;
}

const bound = (keyword: string): string => (keyword.startsWith("min") ? "at least" : "at most");

/** What most often lies behind a wrong type. */
function typeHint(expected: unknown, data: unknown): string {
  if (typeof data !== "string") return "";
  const types = [expected].flat();
  if (types.includes("object") || types.includes("array")) {
    return /^\s*[{[]/.test(data) ? "; write the value itself, not JSON inside of a string" : "";
  }
  const isNumber =
    /^-?\d+(\.\d+)?$/.test(data) && (types.includes("number") || types.includes("integer"));
  const isBoolean = types.includes("boolean") && (data === "true" || data === "false");
  const isNull = types.includes("null") && data === "null";
  return isNumber || isBoolean || isNull ? "; remove the quotes" : "";
}

function kindAndValue(value: unknown): string {
  if (value === null) return "null";
  const kind = Array.isArray(value) ? "array" : typeof value;
  return `${kind} ${show(value)}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_VALUE_UNITS
    ? `${text.slice(0, MAX_VALUE_UNITS - 3).toWellFormed()}...`
    : text;
}

function quote(text: string): string {
  return show(text);
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).map(quote).join(", ");
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown;
}

/** The candidate that differs from `name` by few letters, if one does. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > MAX_VALUE_UNITS) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates.slice(0, 200)) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}
