import { describe, expect, test } from "vitest";
import { jsonSchemaGrammar } from "../../../../inference/constrain/json-schema/json-schema-grammar.ts";
import { JsonSchemaConstraintError } from "../../../../inference/errors.ts";
import { accepts } from "./accepts.ts";
import { SCHEMA_CASES } from "./schema-cases.ts";

describe("the grammar of a JSON Schema", () => {
  test.each(Object.entries(SCHEMA_CASES))("%s", (_, { schema, options, yes, no }) => {
    const compiled = jsonSchemaGrammar(schema, options);
    expect(compiled.checkedAfterwards).toEqual([]);
    expect(compiled.carried).toBe(true);
    const isAccepted = accepts(compiled.grammar);
    for (const text of yes) expect([text, isAccepted(text)]).toEqual([text, true]);
    for (const text of no) expect([text, isAccepted(text)]).toEqual([text, false]);
  });

  test("names what it leaves to the validator, and allows more there, not less", () => {
    const cases: [schema: unknown, keyword: string, pointer: string, text: string][] = [
      [{ type: "array", uniqueItems: true }, "uniqueItems", "", "[1,1]"],
      [
        { properties: { a: { type: "string", pattern: "(a)\\1" } } },
        "pattern",
        "/properties/a",
        '{"a":"b"}',
      ],
      [{ type: "string", format: "regex" }, "format", "", '"("'],
      [{ type: "integer", multipleOf: 7 }, "multipleOf", "", "8"],
      [{ oneOf: [{ uniqueItems: true }, { maxItems: 3 }] }, "oneOf", "", "[1]"],
      [{ type: "object", not: { patternProperties: { a: { type: "string" } } } }, "not", "", "{}"],
    ];
    for (const [schema, keyword, pointer, text] of cases) {
      const { carried, checkedAfterwards, grammar } = jsonSchemaGrammar(schema);
      expect(carried).toBe(false);
      expect(checkedAfterwards).toContainEqual({ keyword, pointer, reason: expect.any(String) });
      if (keyword !== "not") expect(accepts(grammar)(text)).toBe(true);
    }
  });

  test("names what it restricts, and keywords without effect", () => {
    const properties = Object.fromEntries("abcdefghij".split("").map((name) => [name, {}]));
    const { restrictions, unknown, carried } = jsonSchemaGrammar({
      type: "object",
      properties: { ...properties, a: { format: "phone" } },
      frobnicate: 1,
      "x-order": 2,
    });
    expect(carried).toBe(true);
    expect(restrictions).toEqual([
      { pointer: "", keyword: "properties", reason: expect.stringContaining("order") },
    ]);
    expect(unknown).toEqual([
      { pointer: "", keyword: "frobnicate", reason: expect.stringContaining("no keyword") },
      { pointer: "/properties/a", keyword: "format", reason: "the format phone is not known" },
    ]);
  });

  const refused: Readonly<Record<string, readonly [schema: unknown, reason: string]>> = {
    false: [false, "no value is valid"],
    "a type without its values": [{ type: "string", enum: [1] }, "no value is valid"],
    "a pattern that nothing matches": [{ type: "string", pattern: "^a$b" }, "no value is valid"],
    "a required property that is forbidden": [
      { type: "object", required: ["a"], properties: { a: false } },
      "no value is valid",
    ],
    "values without end": [
      { type: "object", properties: { a: { $ref: "#" } }, required: ["a"] },
      "no value is valid",
    ],
    "bounds the wrong way": [
      { allOf: [{ minimum: 3 }, { maximum: 2 }], type: "number" },
      "no value is valid",
    ],
    "a reference to nothing": [{ $ref: "#/$defs/missing" }, "leads to nothing"],
    "a reference that would have to be loaded": [
      { $ref: "https://a.example/other.json" },
      "leads out of it",
    ],
    "a reference to itself": [{ $ref: "#" }, "refers to itself without end"],
    "references in a circle": [
      { $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } }, $ref: "#/$defs/a" },
      "without end",
    ],
    "an unknown type": [{ type: "text" }, "type at the root is"],
    "a number for a schema": [{ properties: { a: 3 } }, "a schema must stand"],
    "a negative length": [
      { properties: { a: { minLength: -1 } } },
      "minLength at /properties/a is -1",
    ],
    "a text for a list": [{ required: "a" }, "required at the root"],
    "a text": ["string", "a JSON Schema is an object"],
    "a list": [[], "found an array"],
    "a schema of a megabyte": [{ description: "x".repeat(2 ** 20) }, "bytes"],
    "too many objects": [
      { $defs: { a: Array.from({ length: 60_000 }, () => []) } },
      "objects and lists",
    ],
    "levels without end": [nested(250), "nested deeper than"],
    "too many combinations": [combining(120, 16), "take too much work"],
  };

  test.each(Object.entries(refused))("refuses %s", (_, [schema, reason]) => {
    const compile = (): unknown => jsonSchemaGrammar(schema);
    expect(compile).toThrow(JsonSchemaConstraintError);
    expect(compile).toThrow(reason);
  });

  test("leaves a schema without a grammar to the validator where that is asked for", () => {
    const compiled = jsonSchemaGrammar({ $ref: "#" }, { uncarried: "validate" });
    expect(compiled.carried).toBe(false);
    expect(compiled.checkedAfterwards).toEqual([
      { pointer: "", keyword: "$schema", reason: "it refers to itself without end" },
    ]);
    expect(accepts(compiled.grammar)('{"any":["json"]}')).toBe(true);
  });

  test("refuses white space without bounds", () => {
    expect(() => jsonSchemaGrammar(true, { whitespace: 1000 })).toThrow("from 0 to 64");
  });
});

function nested(levels: number): unknown {
  let schema: unknown = {};
  for (let level = 0; level < levels; level++) schema = { items: schema };
  return schema;
}

/** Conditions of some branches each, all of which hold. */
function combining(conditions: number, branches: number): unknown {
  return {
    allOf: Array.from({ length: conditions }, (_, condition) => ({
      anyOf: Array.from({ length: branches }, (__, branch) => ({
        required: [`p${condition}-${branch}`],
      })),
    })),
  };
}
