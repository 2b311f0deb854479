/** The values that break a keyword about one type. */
import { formatLanguage } from "./formats.ts";
import type { Keywords } from "./keywords.ts";
import { ALL_NUMBERS, type NumberSet } from "./numbers.ts";
import { either, literal, not } from "./regex.ts";
import { isRecord, type SchemaPlace } from "./schema-index.ts";
import type { SetContext } from "./set-context.ts";
import { ALL_STRINGS, type StringSet } from "./strings.ts";
import { formatOf, patternOf } from "./typed-keywords.ts";
import {
  ALL,
  ALL_ARRAYS,
  ALL_OBJECTS,
  ANYTHING,
  type ArraySet,
  EVERYTHING,
  type Expression,
  type Layer,
  type ObjectSet,
  type ValueSet,
  type ValueType,
} from "./value-sets.ts";

type Sets = readonly ValueSet[];

const numbers = (set: Partial<NumberSet>): ValueSet => ({
  type: "number",
  set: { ...ALL_NUMBERS, ...set },
});
const strings = (set: Partial<StringSet>): ValueSet => ({
  type: "string",
  set: { ...ALL_STRINGS, ...set },
});
const arrays = (set: Partial<ArraySet>): ValueSet => ({
  type: "array",
  set: { ...ALL_ARRAYS, ...set },
});
const objects = (set: Partial<ObjectSet>): ValueSet => ({
  type: "object",
  set: { ...ALL_OBJECTS, ...set },
});

/** Properties of a name that have a value, or must not be there. */
function property(name: string, value: Expression): Layer {
  return {
    properties: new Map([[name, value]]),
    patterns: [],
    others: undefined,
    silent: true,
  };
}

/** Each set breaks one keyword of a schema; together they have all values that break one. */
export function negatedKeywords(keywords: Keywords, context: SetContext): Sets {
  const later = (keyword: string, reason: string): void => {
    context.notes.add("checkedAfterwards", keywords.place.pointer, keyword, reason);
  };
  return [
    ...otherTypes(keywords.types()),
    ...brokenNumbers(keywords, later),
    ...brokenStrings(keywords, context, later),
    ...brokenArrays(keywords, context, later),
    ...brokenObjects(keywords, context, later),
  ];
}

type Later = (keyword: string, reason: string) => void;

function otherTypes(types: readonly string[]): Sets {
  const others = (Object.keys(ALL) as ValueType[]).filter((type) => !types.includes(type));
  const isWhole = types.includes("integer") && !types.includes("number");
  return others.map((type) =>
    type === "number" && isWhole ? numbers({ only: "fractions" }) : ALL[type],
  );
}

function brokenNumbers(keywords: Keywords, later: Later): Sets {
  const found: ValueSet[] = [];
  const low = keywords.bound("minimum");
  if (low !== undefined) found.push(numbers({ high: { ...low, exclusive: !low.exclusive } }));
  const high = keywords.bound("maximum");
  if (high !== undefined) found.push(numbers({ low: { ...high, exclusive: !high.exclusive } }));
  const step = keywords.number("multipleOf");
  if (step === 1) found.push(numbers({ only: "fractions" }));
  else if (step !== undefined) {
    later("multipleOf", "numbers that are no multiple have no grammar");
    found.push(ALL.number);
  }
  return found;
}

function brokenStrings(keywords: Keywords, context: SetContext, later: Later): Sets {
  const found: ValueSet[] = [];
  const min = keywords.count("minLength") ?? 0;
  if (min > 0) found.push(strings({ maxLength: min - 1 }));
  const max = keywords.count("maxLength");
  if (max !== undefined) found.push(strings({ minLength: max + 1 }));
  if (keywords.has("pattern")) {
    const language = patternOf(keywords, context);
    found.push(language === undefined ? ALL.string : strings({ languages: [not(language)] }));
  }
  const format = formatOf(keywords, context);
  if (format !== undefined) {
    const name = keywords.text("format") ?? "";
    if (formatLanguage(name)?.narrower !== undefined) {
      later("format", "what a format leaves out is not told from what it forbids");
    }
    found.push(strings({ languages: [not(format)] }));
  }
  return found;
}

function brokenArrays(keywords: Keywords, context: SetContext, later: Later): Sets {
  const { place } = keywords;
  const found: ValueSet[] = [];
  const min = keywords.count("minItems") ?? 0;
  if (min > 0) found.push(arrays({ max: min - 1 }));
  const max = keywords.count("maxItems");
  if (max !== undefined) found.push(arrays({ min: max + 1 }));
  const { prefix, keyword, rest, restKeyword } = keywords.items();
  for (const [at, one] of prefix.entries()) {
    const broken = context.of(context.index.child(place, one, keyword, at), true);
    const before = Array.from({ length: at }, () => ANYTHING);
    found.push(arrays({ prefix: [...before, broken], min: at + 1 }));
  }
  if (rest !== undefined) {
    const broken = context.of(context.index.child(place, rest, restKeyword), true);
    if (broken === ANYTHING) found.push(arrays({ min: prefix.length + 1 }));
    else if (broken !== context.never && prefix.length === 0) {
      found.push(arrays({ contains: [{ item: broken, min: 1, max: Number.POSITIVE_INFINITY }] }));
    } else if (broken !== context.never) {
      later(restKeyword, "items after the first ones that break it have no grammar");
      found.push(ALL.array);
    }
  }
  if (keywords.flag("uniqueItems")) {
    later("uniqueItems", "two equal items have no grammar");
    found.push(arrays({ min: 2 }));
  }
  if (keywords.has("contains")) found.push(...notContaining(keywords, context));
  return found;
}

function notContaining(keywords: Keywords, context: SetContext): Sets {
  const schema = context.index.child(keywords.place, keywords.get("contains"), "contains");
  const item = context.of(schema);
  const without = context.of(schema, true);
  const min = keywords.count("minContains") ?? 1;
  const max = keywords.count("maxContains");
  const found: ValueSet[] = [];
  if (min === 1) found.push(arrays({ rest: without }));
  else if (min > 1) found.push(arrays({ contains: [{ item, min: 0, max: min - 1 }] }));
  if (max !== undefined) {
    found.push(arrays({ contains: [{ item, min: max + 1, max: Number.POSITIVE_INFINITY }] }));
  }
  return found;
}

function brokenObjects(keywords: Keywords, context: SetContext, later: Later): Sets {
  const { place } = keywords;
  const found: ValueSet[] = [];
  for (const name of keywords.names("required")) {
    found.push(objects({ layers: [property(name, context.never)] }));
  }
  for (const [name, value] of keywords.map("properties")) {
    const broken = context.of(context.index.child(place, value, "properties", name), true);
    if (broken === context.never) continue;
    found.push(objects({ layers: [property(name, broken)], required: [name] }));
  }
  for (const keyword of ["patternProperties", "additionalProperties", "propertyNames"]) {
    const value = keywords.get(keyword);
    const isFree =
      value === undefined || value === true || (isRecord(value) && Object.keys(value).length === 0);
    if (isFree) continue;
    later(keyword, "a property that breaks it, among any others, has no grammar");
    found.push(objects({ min: 1 }));
  }
  const min = keywords.count("minProperties") ?? 0;
  if (min > 0) found.push(objects({ max: min - 1 }));
  const max = keywords.count("maxProperties");
  if (max !== undefined) found.push(objects({ min: max + 1 }));
  for (const { name, needs } of keywords.implications()) {
    for (const need of needs) {
      if (need === name) continue;
      found.push(objects({ required: [name], layers: [property(need, context.never)] }));
    }
  }
  return found;
}

/** The values that are none of some. Each union is one condition; all of them hold. */
export function negatedValues(
  values: readonly unknown[],
  place: SchemaPlace,
  context: SetContext,
): readonly Sets[] {
  const texts = values.filter((value) => typeof value === "string" && value.isWellFormed());
  const conditions: Sets[] = [];
  if (texts.length > 0) {
    const others = not(either(...texts.map((text) => literal(text as string))));
    conditions.push([...without("string"), strings({ languages: [others] })]);
  }
  for (const value of values) {
    if (typeof value !== "string") conditions.push(negatedValue(value, place, context));
  }
  return conditions;
}

const without = (type: ValueType): Sets => EVERYTHING.filter((one) => one.type !== type);

function negatedValue(value: unknown, place: SchemaPlace, context: SetContext): Sets {
  if (value === null) return without("null");
  if (typeof value === "boolean") {
    return [...without("boolean"), { type: "boolean", values: [!value] }];
  }
  if (typeof value === "number") {
    const bound = { value, exclusive: true };
    return [...without("number"), numbers({ high: bound }), numbers({ low: bound })];
  }
  const different = (one: unknown): Expression =>
    context.of(context.index.made({ const: one }, place.pointer), true);
  if (Array.isArray(value)) {
    const { length } = value;
    return [
      ...without("array"),
      ...(length > 0 ? [arrays({ max: length - 1 })] : []),
      arrays({ min: length + 1 }),
      ...value.map((one, at) =>
        arrays({
          prefix: [...value.slice(0, at).map(() => ANYTHING), different(one)],
          min: at + 1,
        }),
      ),
    ];
  }
  if (!isRecord(value)) return EVERYTHING;
  const entries = Object.entries(value);
  return [
    ...without("object"),
    objects({ min: entries.length + 1 }),
    ...entries.flatMap(([name, one]) => [
      objects({ layers: [property(name, context.never)] }),
      objects({ layers: [property(name, different(one))], required: [name] }),
    ]),
  ];
}
