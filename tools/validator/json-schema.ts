/**
 * JSON Schema by ajv, behind a guard: the draft is found out, formats are asserted, what would be
 * ignored is a warning or an error, and inherited properties count for nothing.
 */
import { Ajv, type ErrorObject, MissingRefError, type Options, type ValidateFunction } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats, { type FormatsPlugin } from "ajv-formats";
import { SchemaError } from "../core/errors.ts";
import { isRecord } from "../core/record.ts";
import { cut, messageOf, show } from "../core/text.ts";
import { withoutForeignPatterns } from "./foreign-patterns.ts";
import { type Dialect, type Draft, type NormalisedSchema, normaliseSchema } from "./json-draft.ts";
import { addMultipleOf } from "./multiple-of.ts";
import { compilePattern } from "./patterns.ts";
import { withPlainReferences } from "./plain-references.ts";
import { missingReference, refuseEndlessSchemas } from "./references.ts";
import type { SchemaObject } from "./schema-keywords.ts";
import { withPossibleTimes, ZONE_OPTIONAL } from "./time-formats.ts";
import { addUniqueItems } from "./unique-items.ts";

export type CompiledSchema = {
  /** What is not enforced, or read differently than written. */
  readonly warnings: readonly string[];
  /** The schema as it is compiled, where references lead into. */
  readonly root: unknown;
  /** Every violation; empty: valid. */
  readonly violations: (value: unknown) => readonly ErrorObject[];
  /**
   * The violations of each schema in a list that is a part of this schema, as `ErrorObject.schema` of
   * `anyOf` and `oneOf` is; undefined when the list has no place of its own.
   */
  readonly violationsOfEach: (
    list: unknown,
    value: unknown,
  ) => readonly (readonly ErrorObject[])[] | undefined;
};

/** Of the schema's text. */
const MAX_BYTES = 1024 * 1024;

/** Name under which the schema is known to its own compiler. */
const ROOT = "answer-schema";

const CLASSES = { "draft-07": Ajv, "2019-09": Ajv2019, "2020-12": Ajv2020 } as const;

/** The package's type says that its default export has no call signature; under Node's ESM it is one. */
const addFormats = formats as unknown as FormatsPlugin;

export type CompileOptions = {
  /** Further schemas that a `$ref` may lead into, by their URI. */
  readonly others?: readonly (readonly [uri: string, schema: unknown])[];
  readonly draft?: Draft;
  /** Default: yes. */
  readonly assertFormats?: boolean;
  readonly skipForeignPatterns: boolean;
};

/** @throws SchemaError in one sentence when the schema cannot be used */
export function compileSchema(schema: unknown, options: CompileOptions): CompiledSchema {
  const bytes = Buffer.byteLength(JSON.stringify(schema) ?? "");
  if (bytes > MAX_BYTES) {
    throw new SchemaError(`The JSON Schema has ${bytes} bytes; at most ${MAX_BYTES} are accepted.`);
  }
  const normalised = normaliseSchema(schema, options.draft);
  try {
    return compileAs(normalised, normalised.dialect, options);
  } catch (error) {
    if (!normalised.guessed || !(error instanceof SchemaError)) throw error;
    return compileOlder(schema, error, options);
  }
}

/** A schema that names no draft and is none of the newest may still be one of the older. */
function compileOlder(
  schema: unknown,
  newest: SchemaError,
  options: CompileOptions,
): CompiledSchema {
  for (const draft of ["draft-07", "draft-04"] as const) {
    try {
      const compiled = compileAs(normaliseSchema(schema, draft), "draft-07", options);
      const warning = `The schema is not valid as draft 2020-12 and is read as ${draft}; name its draft in $schema.`;
      return { ...compiled, warnings: [...compiled.warnings, warning] };
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
    }
  }
  throw newest;
}

function compileAs(
  normalised: NormalisedSchema,
  dialect: Dialect,
  options: CompileOptions,
): CompiledSchema {
  try {
    return compileOnce(normalised, dialect, options);
  } catch (error) {
    const overflowed = error instanceof SchemaError && error.cause instanceof RangeError;
    const { schema } = normalised;
    const plain = overflowed && isRecord(schema) ? withPlainReferences(schema) : undefined;
    if (plain === undefined) throw error;
    return compileOnce({ ...normalised, schema: plain }, dialect, options);
  }
}

function compileOnce(
  { schema: normalised, warnings: known }: NormalisedSchema,
  dialect: Dialect,
  { skipForeignPatterns, others = [], draft, assertFormats = true }: CompileOptions,
): CompiledSchema {
  const warnings = new Set(known);
  const warn = (...parts: unknown[]): void => {
    const text = parts.map(String).join(" ");
    const [, format, place] =
      /^unknown format "(.*)" ignored in schema at path "#(.*)"$/s.exec(text) ?? [];
    warnings.add(
      format === undefined
        ? text
        : `The format ${format} at ${place || "the root"} is not known and not enforced.`,
    );
  };
  const prepare = (own: SchemaObject): SchemaObject =>
    withPossibleTimes(skipForeignPatterns ? withoutForeignPatterns(own, warn) : own, warn);
  const options: Options = {
    strict: false,
    allErrors: true,
    verbose: true,
    // `required: ["toString"]` must not be satisfied by what every object inherits.
    ownProperties: true,
    addUsedSchema: false,
    // A large definition that is referred to often would be written out each time.
    inlineRefs: false,
    // `flawIn` has looked at the schema, by an instance that compiled the rules of the draft once.
    validateSchema: false,
    // The schemas of the drafts themselves, where one is referred to.
    meta: JSON.stringify(normalised).includes("://json-schema.org/"),
    validateFormats: assertFormats,
    logger: { log: warn, warn, error: warn },
    code: { regExp: regExpWith(warn) },
  };
  const ajv = new CLASSES[dialect](options);
  addFormats(ajv, { mode: "full" });
  for (const [name, validate] of Object.entries(ZONE_OPTIONAL)) ajv.addFormat(name, validate);
  addUniqueItems(ajv);
  addMultipleOf(ajv);
  const schema = isRecord(normalised) ? prepare(normalised) : normalised;
  refuseEndlessSchemas(schema);
  let root: ValidateFunction;
  try {
    const flaw = flawIn(schema, dialect);
    if (flaw !== undefined) throw new Error(flaw);
    ajv.addSchema(schema, ROOT);
    for (const [uri, other] of others) {
      const { schema: read } = normaliseSchema(other, draft ?? dialect);
      const known = isRecord(read) ? prepare(read) : read;
      for (const name of [uri, idOf(known)]) {
        // Schemas inside of others may have been added by their own names already.
        const isNew = name !== undefined && (ajv.schemas[name] ?? ajv.refs[name]) === undefined;
        if (isNew) ajv.addSchema(known, name);
      }
    }
    root = ajv.getSchema(ROOT) as ValidateFunction;
    // A schema that refers to itself by a way that was not seen overflows the stack on any value.
    root(null);
  } catch (cause) {
    throw new SchemaError(`The JSON Schema cannot be used: ${reasonOf(cause, schema)}.`, { cause });
  }
  const places = listPlaces(schema);
  const compiled = new Map<string, readonly ValidateFunction[]>();
  const eachOf = (place: string, length: number): readonly ValidateFunction[] => {
    const refs = Array.from({ length }, (_, index) => ({ $ref: `${ROOT}#${place}/${index}` }));
    const functions = compiled.get(place) ?? refs.map((ref) => ajv.compile(ref));
    compiled.set(place, functions);
    return functions;
  };
  return {
    warnings: [...warnings],
    root: schema,
    violations: (value) => run(root, value),
    violationsOfEach: (list, value) => {
      const place = places.get(list);
      if (place === undefined || !Array.isArray(list)) return undefined;
      try {
        return eachOf(place, list.length).map((validate) => run(validate, value));
      } catch {
        // Inside of a part with an $id of its own the path from the root leads nowhere.
        return undefined;
      }
    },
  };
}

function idOf(schema: unknown): string | undefined {
  const id = isRecord(schema) ? schema["$id"] : undefined;
  return typeof id === "string" && /^[a-z]+:/.test(id) ? id.replace(/#$/, "") : undefined;
}

/** Where in the schema each of its lists stands, as a JSON pointer for a URI fragment. */
function listPlaces(schema: unknown): ReadonlyMap<unknown, string> {
  const places = new Map<unknown, string>();
  const visit = (value: unknown, place: string): void => {
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) places.set(value, place);
    for (const [key, child] of Object.entries(value)) {
      const step = encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"));
      visit(child, `${place}/${step}`);
    }
  };
  visit(schema, "");
  return places;
}

function run(validate: ValidateFunction, value: unknown): readonly ErrorObject[] {
  // Compared with true: a promise, which an async schema gives, is no verdict.
  const valid: unknown = validate(value);
  return valid === true ? [] : (validate.errors ?? []);
}

function regExpWith(warn: (message: string) => void): RegExpEngine {
  const compile = (pattern: string): RegExp => {
    const { regExp, warning } = compilePattern(pattern);
    if (warning !== undefined) warn(warning);
    return regExp;
  };
  return Object.assign(compile, { code: "new RegExp" });
}

type RegExpEngine = NonNullable<NonNullable<Options["code"]>["regExp"]>;

/** One per dialect: compiling the rules for schemas takes longer than most schemas. */
const rules = new Map<Dialect, Ajv>();

/** The first thing that is wrong with a schema by the rules of its draft. */
function flawIn(schema: boolean | SchemaObject, dialect: Dialect): string | undefined {
  const ajv =
    rules.get(dialect) ??
    // Without formats: patterns of other languages are translated later.
    new CLASSES[dialect]({ strict: false, allErrors: true, verbose: true, logger: false });
  rules.set(dialect, ajv);
  if (ajv.validateSchema(schema) === true) return undefined;
  const errors = ajv.errors ?? [];
  const [first] = errors;
  const here = errors.filter(({ instancePath }) => instancePath === first?.instancePath);
  const error = here.find(({ keyword }) => keyword === "enum") ?? first;
  if (error === undefined) return "it breaks the rules of its draft";
  const { instancePath, params, message, data } = error;
  const allowed: unknown = params["allowedValues"];
  const wanted = Array.isArray(allowed) ? `must be one of ${allowed.join(", ")}` : message;
  return `${instancePath || "the root"} ${wanted}, found ${show(data)}`;
}

function reasonOf(error: unknown, schema: unknown): string {
  if (error instanceof RangeError)
    return "it refers to itself without end, or is nested too deeply";
  const missing =
    error instanceof MissingRefError
      ? /^can't resolve reference (.*) from id /s.exec(error.message)?.[1]
      : undefined;
  const reference = missing === undefined ? undefined : missingReference(schema, missing);
  const message = reference ?? messageOf(error);
  return cut(message, 300);
}
