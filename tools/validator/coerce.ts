/**
 * Values in another spelling than the schema's: a number or a list inside of quotes, null for what may be
 * left out, a name in other letters. A change is made only where the schema leaves it one meaning, and
 * only if the whole value is valid afterwards.
 */
import type { ErrorObject } from "ajv";
import { plainName } from "../core/nearest-names.ts";
import { isRecord } from "../core/record.ts";
import { show } from "../core/text.ts";
import { chooseBranches } from "./branches.ts";
import { isExact, typesOf, unknownName } from "./json-errors.ts";
import type { CompiledSchema } from "./json-schema.ts";
import { scanJson, whitespaceEnd } from "./json-text.ts";
import { rewriteLooseJson } from "./loose-json.ts";
import { propertyNames } from "./property-names.ts";

export type Coerced = {
  readonly value: unknown;
  /** One sentence per change; none: the value as it was. */
  readonly changes: readonly string[];
  /** What is wrong with it now. */
  readonly violations: readonly ErrorObject[];
};

/** A value inside of a text may hold others in turn. */
const MAX_ROUNDS = 6;

export function coerce(schema: CompiledSchema, value: unknown): Coerced {
  const violations = schema.violations(value);
  if (violations.length === 0) return withKnownNames(schema, value);
  let current: Coerced = { value, changes: [], violations };
  /** Places whose null turned out to be needed. */
  const kept = new Set<string>();
  for (let round = 0; round < MAX_ROUNDS && current.violations.length > 0; round++) {
    const errors = chooseBranches(schema, current.violations);
    const edits = new Map<string, Edit>();
    for (const error of errors) {
      for (const edit of editsFor(schema, error, current.value)) {
        const key = JSON.stringify(edit.path);
        if (!edits.has(key) && !kept.has(key)) edits.set(key, edit);
      }
    }
    if (edits.size === 0) break;
    const changed = [...edits.values()].reduce((data, edit) => edit.apply(data), current.value);
    const after = schema.violations(changed);
    const needed = [...edits].filter(([, edit]) => edit.removes && isMissing(edit.path, after));
    if (needed.length > 0) {
      for (const [key] of needed) kept.add(key);
      continue;
    }
    const changes = [...current.changes, ...[...edits.values()].map(({ about }) => about)];
    current = { value: changed, changes, violations: after };
  }
  return current;
}

/**
 * A schema that says nothing of other names takes `Page_Size` for `pageSize` without a word, and the tool
 * never sees the value.
 */
function withKnownNames(schema: CompiledSchema, value: unknown): Coerced {
  const asItIs: Coerced = { value, changes: [], violations: [] };
  const { root } = schema;
  if (!isRecord(root) || !isRecord(value)) return asItIs;
  if (OPEN_NAMES.some((keyword) => root[keyword] !== undefined)) return asItIs;
  const names = propertyNames(root, root);
  const there = Object.keys(value);
  const edits = there
    .filter((from) => !names.includes(from))
    .flatMap((from) =>
      renamed(
        [],
        from,
        names.filter((to) => isOther(from, to) && !there.includes(to)),
      ),
    );
  if (edits.length === 0) return asItIs;
  const changed = edits.reduce<unknown>((data, edit) => edit.apply(data), value);
  if (schema.violations(changed).length > 0) return asItIs;
  return { value: changed, changes: edits.map(({ about }) => about), violations: [] };
}

/** Keywords by which a schema says something of other names than its own. */
const OPEN_NAMES = ["additionalProperties", "unevaluatedProperties", "patternProperties"] as const;

type Path = readonly string[];

type Edit = {
  readonly path: Path;
  readonly about: string;
  readonly removes?: boolean;
  readonly apply: (data: unknown) => unknown;
};

function editsFor(schema: CompiledSchema, error: ErrorObject, root: unknown): readonly Edit[] {
  const path = error.instancePath.split("/").slice(1).map(decodeStep);
  if (error.data === null) {
    // A list keeps its nulls: what stands behind one would move.
    if (path.length === 0 || Array.isArray(valueAt(root, path.slice(0, -1)))) return [];
    const about = `null at ${error.instancePath} was read as left out`;
    return [{ path, about, removes: true, apply: (data) => withoutProperty(data, path) }];
  }
  if (typeof error.data === "string") return spelledOut(error, path, error.data);
  // A part that only demands names does not know all that there are.
  if (error.parentSchema?.["properties"] === undefined) return [];
  const names = propertyNames(schema.root, error.parentSchema);
  const there = Object.keys(Object(error.data));
  switch (error.keyword) {
    case "additionalProperties":
    case "unevaluatedProperties": {
      const from = unknownName(error);
      return renamed(
        path,
        from,
        names.filter((to) => isOther(from, to) && !there.includes(to)),
      );
    }
    case "required": {
      const to = String(error.params["missingProperty"]);
      const [from, ...more] = there.filter((name) => !names.includes(name) && isOther(name, to));
      return from === undefined || more.length > 0 ? [] : renamed(path, from, [to]);
    }
    default:
      return [];
  }
}

const isOther = (a: string, b: string): boolean => a !== b && plainName(a) === plainName(b);

function renamed(path: Path, from: string, candidates: readonly string[]): readonly Edit[] {
  const [to, ...more] = candidates;
  if (to === undefined || more.length > 0) return [];
  const about = `the name ${JSON.stringify(from)} was read as ${JSON.stringify(to)}`;
  const rename = (object: unknown): unknown =>
    Object.fromEntries(
      Object.entries(Object(object)).map(([key, child]) => [key === from ? to : key, child]),
    );
  return [{ path: [...path, from], about, apply: (data) => changedAt(data, path, rename) }];
}

/** What a text says, where a value of another type is wanted. */
function spelledOut(error: ErrorObject, path: Path, text: string): readonly Edit[] {
  const wanted = wantedTypes(error);
  const found = READERS.flatMap(({ types, read }) =>
    types.some((type) => wanted.includes(type)) ? (read(text) ?? []) : [],
  ).filter(({ value }) => isWanted(value, wanted));
  const [only] = found;
  if (only === undefined) return [];
  const place = path.length === 0 ? "" : ` at ${error.instancePath}`;
  const about = `the text ${show(text, 40)}${place} was read as ${typeName(only.value)}`;
  return [{ path, about, apply: (data) => changedAt(data, path, () => only.value) }];
}

function isWanted(value: unknown, wanted: readonly unknown[]): boolean {
  const type = typeName(value);
  return wanted.includes(type) || (type === "integer" && wanted.includes("number"));
}

function wantedTypes(error: ErrorObject): readonly unknown[] {
  if (error.keyword === "type") return [error.params["type"]].flat();
  const isChoice = error.keyword === "anyOf" || error.keyword === "oneOf";
  return isChoice && Array.isArray(error.schema) ? error.schema.flatMap(typesOf) : [];
}

type Read = readonly { readonly value: unknown }[];

const READERS: readonly {
  readonly types: readonly string[];
  readonly read: (text: string) => Read | undefined;
}[] = [
  { types: ["null"], read: (text) => WORDS.get(text)?.filter(({ value }) => value === null) },
  { types: ["boolean"], read: (text) => WORDS.get(text)?.filter(({ value }) => value !== null) },
  {
    types: ["integer", "number"],
    read: (text) =>
      /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) && isExact(text) ? [{ value: Number(text) }] : [],
  },
  { types: ["array", "object"], read: (text) => (/^\s*[[{]/.test(text) ? readJson(text) : []) },
];

const WORDS: ReadonlyMap<string, Read> = new Map(
  [
    [["true", "True"], true],
    [["false", "False"], false],
    [["null", "None"], null],
  ].flatMap(([words, value]) => (words as string[]).map((word) => [word, [{ value }]] as const)),
);

/** A whole value of JSON, or of Python as far as it means the same. */
function readJson(text: string): Read {
  for (const candidate of [text, rewriteLooseJson(text)?.text]) {
    if (candidate === undefined) continue;
    const scan = scanJson(candidate);
    const isWhole =
      scan.status === "complete" && whitespaceEnd(candidate, scan.end) === candidate.length;
    if (isWhole && scan.problems.length === 0) return [{ value: JSON.parse(candidate) }];
  }
  return [];
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

/** Whether removing a property left a hole. */
function isMissing(path: Path, violations: readonly ErrorObject[]): boolean {
  const parent = path
    .slice(0, -1)
    .map((step) => `/${encodeStep(step)}`)
    .join("");
  return violations.some(
    ({ keyword, instancePath, params }) =>
      keyword === "required" &&
      instancePath === parent &&
      params["missingProperty"] === path.at(-1),
  );
}

/** The same data with another value at a path; copies only what is on the way. */
function changedAt(data: unknown, path: Path, change: (value: unknown) => unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(data);
  if (Array.isArray(data)) {
    return data.map((child, index) =>
      String(index) === step ? changedAt(child, rest, change) : child,
    );
  }
  if (typeof data !== "object" || data === null) return data;
  const entries = Object.entries(data).map(([key, child]) => [
    key,
    key === step ? changedAt(child, rest, change) : child,
  ]);
  return Object.fromEntries(entries);
}

function withoutProperty(data: unknown, path: Path): unknown {
  return changedAt(data, path.slice(0, -1), (parent) =>
    Object.fromEntries(Object.entries(Object(parent)).filter(([key]) => key !== path.at(-1))),
  );
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | undefined)?.[step],
    data,
  );
}

const decodeStep = (step: string): string => step.replaceAll("~1", "/").replaceAll("~0", "~");
const encodeStep = (step: string): string => step.replaceAll("~", "~0").replaceAll("/", "~1");
