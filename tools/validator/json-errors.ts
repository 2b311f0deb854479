/**
 * ajv's errors in words that a model can act on: one line per mistake, with what is expected, what was
 * found, and the nearest name. Of alternatives only the one that was meant is reported.
 */
import type { ErrorObject } from "ajv";
import { nearestNames } from "../core/nearest-names.ts";
import { isRecord } from "../core/record.ts";
import { show } from "../core/text.ts";
import { chooseBranches, ONE_SET_MISSING } from "./branches.ts";
import type { CompiledSchema } from "./json-schema.ts";
import { propertyNames } from "./property-names.ts";
import { lacksOnlyZone } from "./time-formats.ts";
import type { ValidationIssue } from "./validator.ts";

const MAX_ISSUES = 10;
/** A long list can be wrong in every item; what is looked at for the first ten issues is bounded. */
const MAX_VIOLATIONS = 2_000;
const MAX_NAMES = 20;
/** Names that are missing: with fewer the next try would fail as well. */
const MAX_MISSING = 100;

export function describeViolations(
  schema: CompiledSchema,
  violations: readonly ErrorObject[],
): ValidationIssue[] {
  const chosen = chooseBranches(schema, firstOf(violations));
  const byPath = Map.groupBy(chosen, ({ instancePath }) => instancePath);
  const issues = [...byPath].flatMap(([path, errors]) =>
    [...new Set(describePlace(schema, errors))].map((message) => ({
      message,
      ...(path !== "" && { path }),
    })),
  );
  if (issues.length <= MAX_ISSUES) return issues;
  const more = issues.length - MAX_ISSUES;
  return [...issues.slice(0, MAX_ISSUES), { message: `and ${more} more mistakes` }];
}

/** The first violations, without those of a place that not all are there of. */
function firstOf(violations: readonly ErrorObject[]): readonly ErrorObject[] {
  const next = violations[MAX_VIOLATIONS];
  if (next === undefined) return violations;
  const first = violations.slice(0, MAX_VIOLATIONS);
  const whole = first.filter(({ instancePath }) => instancePath !== next.instancePath);
  return whole.length > 0 ? whole : first;
}

function describePlace(schema: CompiledSchema, errors: readonly ErrorObject[]): string[] {
  const lines: string[] = [];
  const missing = errors.filter((e) => e.keyword === "required");
  const unknown = errors.filter(isUnknownProperty);
  if (missing.length > 0) lines.push(describeMissing(schema, missing, unknown.length > 0));
  if (unknown.length > 0) lines.push(describeUnknown(schema, unknown));
  const listsValues = errors.some((e) => e.keyword === "enum" || e.keyword === "const");
  for (const error of errors) {
    if (error.keyword === "required" || isUnknownProperty(error)) continue;
    // Says only that the rule it leads to was broken, which that rule says itself.
    if (error.keyword === "if" && errors.length > 1) continue;
    // The values say the type as well.
    if (error.keyword === "type" && listsValues) continue;
    lines.push(describe(error));
  }
  return lines;
}

const isUnknownProperty = (error: ErrorObject): boolean =>
  error.keyword === "additionalProperties" || error.keyword === "unevaluatedProperties";

/** @param tellsUnknown  another line names what is there and unknown */
function describeMissing(
  schema: CompiledSchema,
  errors: readonly ErrorObject[],
  tellsUnknown: boolean,
): string {
  const names = [...new Set(errors.map((e) => String(e.params["missingProperty"])))];
  const line = `missing ${list(names, MAX_MISSING)}`;
  const { data, parentSchema } = errors[0] as ErrorObject;
  // A part that only demands names does not know all that there are.
  if (tellsUnknown || parentSchema?.["properties"] === undefined) return line;
  const known = new Set(propertyNames(schema.root, parentSchema));
  const others = Object.keys(Object(data)).filter((name) => !known.has(name));
  for (const name of others) {
    const [meant] = nearestNames(name, names, 1);
    if (meant !== undefined)
      return `${line}; ${show(name)} is unknown (did you mean ${show(meant)}?)`;
  }
  return line;
}

function describeUnknown(schema: CompiledSchema, errors: readonly ErrorObject[]): string {
  const names = errors.map(unknownName);
  const { keyword, parentSchema } = errors[0] as ErrorObject;
  const own: unknown = parentSchema?.["properties"];
  // Only the schema itself counts for the one keyword, also those it is made of for the other.
  const allowed =
    keyword === "unevaluatedProperties"
      ? propertyNames(schema.root, parentSchema)
      : Object.keys(typeof own === "object" && own !== null ? own : {});
  const patterns = Object.keys((parentSchema?.["patternProperties"] as object | undefined) ?? {});
  const matching = patterns.map((pattern) => `names that match ${pattern}`);
  const accepted = [...(allowed.length > 0 ? [list(allowed)] : []), ...matching].join(", ");
  const described = names.slice(0, MAX_NAMES).map((name) => {
    const [near] = nearestNames(name, allowed, 1);
    return `${show(name)}${near === undefined ? "" : ` (did you mean ${show(near)}?)`}`;
  });
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "";
  return `unknown ${described.join(", ")}${more}${accepted === "" ? "" : `; allowed: ${accepted}`}`;
}

/** The property that a schema does not know. */
export function unknownName({ params }: ErrorObject): string {
  return String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
}

function describe(error: ErrorObject): string {
  const { keyword, params, data } = error;
  const got = `got ${show(data)}`;
  const limit = params["limit"];
  switch (keyword) {
    case "type":
      return `must be ${[params["type"]].flat().join(" or ")}, got ${kindAndValue(data)}${typeHint(params["type"], data)}`;
    case "enum":
      return describeValues(params["allowedValues"] as readonly unknown[], data);
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
    case "maxProperties": {
      const known = Object.keys(Object(error.parentSchema?.["properties"]));
      const names = known.length === 0 ? "" : `; there are ${list(known)}`;
      return `must have ${bound(keyword)} ${String(limit)} properties, has ${Object.keys(Object(data)).length}${names}`;
    }
    case "pattern":
      return `must match the pattern ${String(params["pattern"])}, ${got}`;
    case "format":
      return describeFormat(String(params["format"]), data);
    case "uniqueItems":
      return `items must be different: ${String(params["j"])} and ${String(params["i"])} are equal`;
    case "dependentRequired":
    case "dependencies":
      return `with ${show(String(params["property"]))} there must be ${show(String(params["missingProperty"] ?? params["deps"]))} as well`;
    case "propertyNames":
      return `the property name ${show(String(params["propertyName"]))} is not allowed`;
    case "oneOf":
    case "anyOf":
      return describeChoice(error);
    case ONE_SET_MISSING: {
      const sets = params["sets"] as readonly (readonly string[])[];
      const shown = sets
        .slice(0, MAX_NAMES)
        .map((names) => names.map((name) => show(name)).join(" and "));
      return `missing ${shown.join(", or ")}`;
    }
    case "not": {
      const together = (error.schema as { required?: unknown } | null)?.required;
      return isTexts(together) && together.length > 1
        ? `${together.map((name) => show(name)).join(" and ")} must not be given together`
        : `must not be what the rule ${show(error.schema)} describes, ${got}`;
    }
    case "false schema":
      return "must not be there";
    default:
      return `${error.message ?? `breaks the rule ${keyword}`}, ${got}`;
  }
}

function describeValues(allowed: readonly unknown[], data: unknown): string {
  const texts = allowed.filter((value) => typeof value === "string");
  const [near] = typeof data === "string" ? nearestNames(data, texts, 1) : [];
  const shown = allowed.slice(0, MAX_NAMES).map((value) => show(value));
  const more = allowed.length > MAX_NAMES ? ` and ${allowed.length - MAX_NAMES} more` : "";
  const hint = near === undefined ? "" : ` (did you mean ${show(near)}?)`;
  return `must be one of ${shown.join(", ")}${more}, got ${show(data)}${hint}`;
}

const FORMAT_EXAMPLES: Readonly<Record<string, string>> = {
  date: "2026-05-01",
  time: "06:40:00Z",
  "date-time": "2026-05-01T06:40:00Z",
  "time-without-zone": "06:40:00",
  "date-time-without-zone": "2026-05-01T06:40:00",
  duration: "P1DT12H",
  email: "ida@example.org",
  uri: "https://example.org/a",
  uuid: "123e4567-e89b-42d3-a456-426614174000",
};

function describeFormat(format: string, data: unknown): string {
  const name = format.replace(/-without-zone$/, "");
  const got = `got ${show(data)}`;
  if (typeof data === "string" && lacksOnlyZone(format, data)) {
    return `must be a valid ${name}: its zone is missing; end it with Z or an offset such as +02:00, ${got}`;
  }
  const example = Object.hasOwn(FORMAT_EXAMPLES, format) ? FORMAT_EXAMPLES[format] : undefined;
  return `must be a valid ${name}${example === undefined ? "" : ` such as ${example}`}, ${got}`;
}

function describeChoice(error: ErrorObject): string {
  const got = `got ${kindAndValue(error.data)}`;
  const passing: unknown = error.params["passingSchemas"];
  const alternatives: readonly unknown[] = Array.isArray(error.schema) ? error.schema : [];
  if (Array.isArray(passing)) {
    const required = passing.map((index) => requiredOf(alternatives[index]));
    return required.every((names) => names.length > 0)
      ? `only one of these may be given: ${required.map((names) => names.map((name) => show(name)).join(" and ")).join(", or ")}`
      : `must fit exactly one alternative, fits ${passing.length}, ${got}`;
  }
  const values = alternatives.map((one) => (isRecord(one) && "const" in one ? [one["const"]] : []));
  if (values.every((value) => value.length > 0)) return describeValues(values.flat(), error.data);
  const types = alternatives.flatMap(typesOf);
  const isOfOne = types.includes(kindOf(error.data));
  return !isOfOne && types.length > 0 && types.every((type) => typeof type === "string")
    ? `must be ${[...new Set(types)].join(" or ")}, ${got}${typeHint(types, error.data)}`
    : `must fit one of ${alternatives.length} alternatives, ${got}`;
}

/** The types that a schema names; undefined among them where it names none. */
export function typesOf(schema: unknown): readonly unknown[] {
  return typeof schema === "object" && schema !== null && "type" in schema
    ? [schema.type].flat()
    : [undefined];
}

function requiredOf(schema: unknown): readonly string[] {
  const required = (schema as { required?: unknown } | null | undefined)?.required;
  return isTexts(required) ? required : [];
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

const bound = (keyword: string): string => (keyword.startsWith("min") ? "at least" : "at most");

/** What most often lies behind a wrong type, and what to write instead. */
function typeHint(expected: unknown, data: unknown): string {
  const types = [expected].flat();
  if (typeof data === "number" && types.includes("string")) return "; write it in quotes";
  if (typeof data !== "string") {
    return typeof data === "number" && types.includes("boolean") ? "; write true or false" : "";
  }
  if (/^\s*[{[]/.test(data) && (types.includes("object") || types.includes("array"))) {
    return "; write the value itself, not JSON inside of a string";
  }
  if (types.includes("array")) return `; write a list: [${show(data)}]`;
  const isNumber =
    (types.includes("number") && /^-?\d+(\.\d+)?$/.test(data)) ||
    (types.includes("integer") && /^-?\d+$/.test(data));
  if (isNumber && !isExact(data)) {
    return `; numbers beyond ${Number.MAX_SAFE_INTEGER} cannot be passed exactly`;
  }
  const isBoolean = types.includes("boolean") && (data === "true" || data === "false");
  const isNull = types.includes("null") && data === "null";
  if (isNumber || isBoolean || isNull) return "; remove the quotes";
  if (types.includes("boolean")) return "; write true or false";
  return types.includes("number") || types.includes("integer") ? "; write a number" : "";
}

/** Whether a number keeps all of its digits. */
export function isExact(digits: string): boolean {
  return Number.isFinite(Number(digits)) && (!/^-?\d+$/.test(digits) || isSame(digits));
}

const isSame = (digits: string): boolean => BigInt(digits) === BigInt(Number(digits));

function kindAndValue(value: unknown): string {
  return value === null ? "null" : `${kindOf(value)} ${show(value)}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function list(names: readonly string[], most: number = MAX_NAMES): string {
  const shown = names
    .slice(0, most)
    .map((name) => show(name))
    .join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
