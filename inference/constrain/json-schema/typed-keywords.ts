/** The keywords about values of one type, as one set for each type; and the sets of single values. */
import { JsonSchemaConstraintError } from "../../errors.ts";
import type { Regex } from "../grammar.ts";
import { FREE_FORMATS, formatLanguage, NUMBER_FORMATS } from "./formats.ts";
import type { Keywords } from "./keywords.ts";
import { ALL_NUMBERS, type NumberSet } from "./numbers.ts";
import { patternLanguage } from "./pattern.ts";
import { PatternError } from "./pattern-syntax.ts";
import { isRecord, type SchemaPlace } from "./schema-index.ts";
import type { SetContext } from "./set-context.ts";
import { ALL_STRINGS, type StringSet } from "./strings.ts";
import {
  ALL_ARRAYS,
  ALL_OBJECTS,
  ANYTHING,
  type ArraySet,
  type Expression,
  type Layer,
  type ObjectSet,
  type ValueSet,
} from "./value-sets.ts";

/** `type` and all keywords about one type. */
export function typedKeywords(keywords: Keywords, context: SetContext): readonly ValueSet[] {
  const types = keywords.types();
  const sets: ValueSet[] = [];
  if (types.includes("null")) sets.push({ type: "null" });
  if (types.includes("boolean")) sets.push({ type: "boolean", values: [true, false] });
  if (types.includes("number") || types.includes("integer")) {
    const set = numbersOf(keywords, !types.includes("number"));
    if (set !== undefined) sets.push({ type: "number", set });
  }
  if (types.includes("string")) {
    const set = stringsOf(keywords, context);
    if (set !== undefined) sets.push({ type: "string", set });
  }
  if (types.includes("array")) {
    const set = arraysOf(keywords, context);
    if (set !== undefined) sets.push({ type: "array", set });
  }
  if (types.includes("object")) sets.push({ type: "object", set: objectsOf(keywords, context) });
  return sets;
}

function numbersOf(keywords: Keywords, integers: boolean): NumberSet | undefined {
  const step = keywords.number("multipleOf");
  if (step !== undefined && step <= 0) {
    throw new JsonSchemaConstraintError(
      `multipleOf at ${keywords.place.pointer || "the root"} is ${step}; accepted: a number above 0`,
    );
  }
  const format = keywords.get("format");
  const isWhole = format === "int32" || format === "int64";
  let low = keywords.bound("minimum") ?? ALL_NUMBERS.low;
  let high = keywords.bound("maximum") ?? ALL_NUMBERS.high;
  if (format === "int32") {
    if (low.value < -(2 ** 31)) low = { value: -(2 ** 31), exclusive: false };
    if (high.value > 2 ** 31 - 1) high = { value: 2 ** 31 - 1, exclusive: false };
  }
  if (low.value > high.value) return undefined;
  if (low.value === high.value && (low.exclusive || high.exclusive)) return undefined;
  const only = integers || isWhole ? "integers" : "all";
  const isPlain = only === "all" && low === ALL_NUMBERS.low && high === ALL_NUMBERS.high;
  if (isPlain && step === undefined) return ALL_NUMBERS;
  return { only, low, high, multiples: step === undefined ? [] : [step], values: undefined };
}

/** The language of a `pattern`; undefined, with a note: it has none. */
export function patternOf(keywords: Keywords, context: SetContext): Regex | undefined {
  const pattern = keywords.text("pattern");
  if (pattern === undefined) return undefined;
  return languageOf(pattern, keywords.place, "pattern", context);
}

function languageOf(
  pattern: string,
  place: SchemaPlace,
  keyword: string,
  context: SetContext,
): Regex | undefined {
  try {
    return patternLanguage(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    context.notes.add("checkedAfterwards", place.pointer, keyword, error.message);
    return undefined;
  }
}

const NO_REGEX = "regular expressions have no grammar of useful size";

/** The language of a `format` of strings; undefined: it says nothing, or, with a note, it has none. */
export function formatOf(keywords: Keywords, context: SetContext): Regex | undefined {
  const name = keywords.text("format");
  if (name === undefined || FREE_FORMATS.has(name) || NUMBER_FORMATS.has(name)) return undefined;
  const format = formatLanguage(name);
  const { pointer } = keywords.place;
  if (format === undefined) {
    // An unknown one is not asserted by a validator either.
    if (name === "regex") context.notes.add("checkedAfterwards", pointer, "format", NO_REGEX);
    else context.notes.add("unknown", pointer, "format", `the format ${name} is not known`);
    return undefined;
  }
  if (format.narrower !== undefined) {
    const reason = `of the format ${name} these are not written: ${format.narrower}`;
    context.notes.add("restrictions", pointer, "format", reason);
  }
  return format.language;
}

function stringsOf(keywords: Keywords, context: SetContext): StringSet | undefined {
  const languages = [patternOf(keywords, context), formatOf(keywords, context)];
  const minLength = keywords.count("minLength") ?? 0;
  const maxLength = keywords.count("maxLength") ?? Number.POSITIVE_INFINITY;
  if (minLength > maxLength) return undefined;
  const given = languages.filter((language) => language !== undefined);
  if (given.length === 0 && minLength === 0 && maxLength === Infinity) return ALL_STRINGS;
  return { values: undefined, languages: given, minLength, maxLength };
}

function arraysOf(keywords: Keywords, context: SetContext): ArraySet | undefined {
  const { place } = keywords;
  const { prefix, keyword, rest, restKeyword } = keywords.items();
  const items = prefix.map((one, at) => context.of(context.index.child(place, one, keyword, at)));
  const other =
    rest === undefined ? ANYTHING : context.of(context.index.child(place, rest, restKeyword));
  const min = keywords.count("minItems") ?? 0;
  const max = keywords.count("maxItems") ?? Number.POSITIVE_INFINITY;
  if (min > max) return undefined;
  const unique = keywords.flag("uniqueItems");
  const contains = containedOf(keywords, context);
  const isPlain = items.length === 0 && rest === undefined && contains.length === 0 && !unique;
  if (isPlain && min === 0 && max === Infinity) return ALL_ARRAYS;
  const evaluated = rest === undefined ? items.length : Number.POSITIVE_INFINITY;
  return { prefix: items, rest: other, min, max, unique, contains, evaluated };
}

function containedOf(keywords: Keywords, context: SetContext): ArraySet["contains"] {
  if (!keywords.has("contains")) return [];
  const { place } = keywords;
  const item = context.of(context.index.child(place, keywords.get("contains"), "contains"));
  const min = keywords.count("minContains") ?? 1;
  const max = keywords.count("maxContains") ?? Number.POSITIVE_INFINITY;
  return [{ item, min, max }];
}

function objectsOf(keywords: Keywords, context: SetContext): ObjectSet {
  const { place } = keywords;
  const child = (value: unknown, ...steps: string[]): Expression =>
    context.of(context.index.child(place, value, ...steps));
  const properties = keywords
    .map("properties")
    .map(([name, value]) => [name, child(value, "properties", name)] as const);
  const patterns = keywords.map("patternProperties").flatMap(([source, value]) => {
    const names = languageOf(source, place, "patternProperties", context);
    return names === undefined ? [] : [{ names, value: child(value, "patternProperties", source) }];
  });
  // Names that an unreadable pattern may have cannot be counted as others.
  const isReadable = patterns.length === keywords.map("patternProperties").length;
  const others = keywords.has("additionalProperties")
    ? child(keywords.get("additionalProperties"), "additionalProperties")
    : undefined;
  const layer: Layer = {
    properties: new Map(properties),
    patterns,
    others: isReadable || others === undefined ? others : ANYTHING,
    silent: false,
  };
  const names = keywords.has("propertyNames")
    ? [child(keywords.get("propertyNames"), "propertyNames")]
    : [];
  const isEmptyLayer = properties.length === 0 && patterns.length === 0 && others === undefined;
  const set: ObjectSet = {
    layers: isEmptyLayer ? [] : [layer],
    required: keywords.has("required") ? [...new Set(requiredOf(keywords))] : [],
    names,
    min: keywords.count("minProperties") ?? 0,
    max: keywords.count("maxProperties") ?? Number.POSITIVE_INFINITY,
    implications: keywords.implications(),
  };
  const isPlain =
    isEmptyLayer &&
    set.required.length === 0 &&
    names.length === 0 &&
    set.min === 0 &&
    set.max === Infinity &&
    set.implications.length === 0;
  return isPlain ? ALL_OBJECTS : set;
}

function requiredOf(keywords: Keywords): readonly string[] {
  return keywords.names("required");
}

/** The set of one value. */
export function valueSets(
  value: unknown,
  place: SchemaPlace,
  context: SetContext,
): readonly ValueSet[] {
  if (value === null) return [{ type: "null" }];
  if (typeof value === "boolean") return [{ type: "boolean", values: [value] }];
  if (typeof value === "number") {
    return [{ type: "number", set: { ...ALL_NUMBERS, values: [value] } }];
  }
  if (typeof value === "string") {
    // No UTF-8 text holds half of a surrogate pair.
    return value.isWellFormed()
      ? [{ type: "string", set: { ...ALL_STRINGS, values: [value] } }]
      : [];
  }
  if (Array.isArray(value)) {
    const prefix = value.map((one) => exactly(one, place, context));
    const { length } = value;
    return [
      {
        type: "array",
        set: { ...ALL_ARRAYS, prefix, rest: context.never, min: length, max: length },
      },
    ];
  }
  if (!isRecord(value)) return [];
  const entries = Object.entries(value);
  const layer: Layer = {
    properties: new Map(
      entries.map(([name, one]) => [name, exactly(one, place, context)] as const),
    ),
    patterns: [],
    others: context.never,
    silent: true,
  };
  return [
    {
      type: "object",
      set: { ...ALL_OBJECTS, layers: [layer], required: entries.map(([name]) => name) },
    },
  ];
}

/** The expression of one value. */
function exactly(value: unknown, place: SchemaPlace, context: SetContext): Expression {
  return context.of(context.index.made({ const: value }, place.pointer));
}
