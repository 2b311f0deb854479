import { describe, expect, test } from "vitest";
import {
  type JsonSchemaGrammarOptions,
  jsonSchemaGrammar,
} from "../../../../inference/constrain/json-schema/json-schema-grammar.ts";
import { JsonSchemaConstraintError } from "../../../../inference/errors.ts";
import { ReferenceRecogniser } from "../reference-recogniser.ts";

type Case = {
  readonly schema: unknown;
  readonly options?: JsonSchemaGrammarOptions;
  readonly yes: readonly string[];
  readonly no: readonly string[];
};

const compact: JsonSchemaGrammarOptions = { whitespace: 0 };

const CASES: Readonly<Record<string, Case>> = {
  "any value": {
    schema: true,
    yes: ["null", "[]", '{"a":[1,{"b":"c"}]}', '"\\u00e9é\\ud83d\\ude00"', "-1.5e3", "[ 1 ,\n2 ]"],
    no: ["", "nul", "[1,]", '{"a"}', '"\\ud83d"', '"\\x"', '"\n"', "01", "[1 2]", " 1", "1 "],
  },
  "properties in any order": {
    schema: {
      type: "object",
      properties: { a: { type: "integer" }, b: { type: "string" } },
      required: ["a"],
      additionalProperties: false,
    },
    yes: ['{"a":1}', '{"a":1,"b":""}', '{"b":"","a":1}', '{ "b" : "" ,\n  "a" : 1 }'],
    no: ["{}", '{"b":""}', '{"a":1,"a":2}', '{"a":1,"c":2}', '{"a":1,}', '{"a":1.5}'],
  },
  "properties in the declared order": {
    schema: {
      type: "object",
      properties: { a: {}, b: {} },
      required: ["b"],
      additionalProperties: false,
    },
    options: { propertyOrder: "declared" },
    yes: ['{"b":1}', '{"a":1,"b":2}'],
    no: ['{"b":1,"a":2}', '{"a":1}'],
  },
  "other properties by pattern": {
    schema: {
      type: "object",
      properties: { x1: { const: 1 } },
      patternProperties: { "^x": { type: "number" }, "2$": { type: "integer" } },
      additionalProperties: { type: "null" },
    },
    yes: ['{"x1":1,"x5":1.5,"x2":3,"y2":4,"z":null}', "{}"],
    no: ['{"x1":2}', '{"x2":1.5}', '{"y2":1.5}', '{"z":1}', '{"x5":null}'],
  },
  "names of properties": {
    schema: { type: "object", propertyNames: { pattern: "^[a-z]+$", maxLength: 3 } },
    yes: ["{}", '{"abc":1,"d":[]}'],
    no: ['{"abcd":1}', '{"A":1}', '{"":1}'],
  },
  "few names of properties": {
    schema: { type: "object", propertyNames: { enum: ["a", "b"] }, minProperties: 1 },
    yes: ['{"a":1}', '{"b":1,"a":2}'],
    no: ["{}", '{"a":1,"a":2}', '{"c":1}'],
  },
  "numbers of properties": {
    schema: { type: "object", minProperties: 1, maxProperties: 2 },
    yes: ['{"a":1}', '{"a":1,"b":2}'],
    no: ["{}", '{"a":1,"b":2,"c":3}'],
  },
  "properties that need others": {
    schema: {
      type: "object",
      properties: { card: {}, cvc: {}, addr: {} },
      additionalProperties: false,
      dependentRequired: { card: ["cvc", "addr"] },
    },
    yes: ["{}", '{"cvc":1}', '{"card":1,"cvc":2,"addr":3}', '{"addr":3,"card":1,"cvc":2}'],
    no: ['{"card":1}', '{"card":1,"cvc":2}'],
  },
  "many properties that need others": {
    schema: {
      type: "object",
      properties: Object.fromEntries("abcdefghij".split("").map((name) => [name, {}])),
      additionalProperties: false,
      dependentRequired: { a: ["j"] },
    },
    yes: ["{}", '{"b":1,"d":1}', '{"a":1,"j":2}', '{"j":1}'],
    no: ['{"a":1}', '{"a":1,"b":2}', '{"d":1,"b":1}'],
  },
  "items by their place": {
    schema: { prefixItems: [{ type: "string" }, { type: "integer" }], items: false, type: "array" },
    yes: ["[]", '["a"]', '["a",1]', '[ "a" , 1 ]'],
    no: ["[1]", '["a",1,2]', '["a","b"]'],
  },
  "items of draft-07": {
    schema: {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "array",
      items: [{ type: "string" }],
      additionalItems: { type: "null" },
    },
    yes: ["[]", '["a",null,null]'],
    no: ["[null]", '["a",1]'],
  },
  "numbers of items": {
    schema: { type: "array", items: { type: "boolean" }, minItems: 2, maxItems: 3 },
    yes: ["[true,false]", "[true,true,true]"],
    no: ["[]", "[true]", "[true,true,true,true]"],
  },
  "distinct items of a small set": {
    schema: { type: "array", items: { enum: ["a", "b", 1] }, uniqueItems: true, minItems: 1 },
    yes: ['["a"]', '[1,"b","a"]'],
    no: ["[]", '["a","a"]', "[1,1.0]"],
  },
  "items among which some are contained": {
    schema: { type: "array", contains: { type: "integer" }, minContains: 2, maxContains: 3 },
    yes: ["[1,2]", '[1,"a",2,null,3]'],
    no: ["[]", "[1]", "[1,2,3,4]", '["a"]'],
  },
  "lengths in code points": {
    schema: { type: "string", minLength: 1, maxLength: 2 },
    yes: ['"😀😀"', '"\\ud83d\\ude00é"', '"\\n"'],
    no: ['""', '"abc"', '"😀😀😀"', '"\\u0061\\u0061\\u0061"'],
  },
  "patterns and what they exclude": {
    schema: { type: "string", pattern: "^[a-z]*$", not: { pattern: "x" }, maxLength: 3 },
    yes: ['""', '"abc"'],
    no: ['"axc"', '"abcd"', '"A"', '"\\u0078"'],
  },
  "a pattern finds something anywhere": {
    schema: { type: "string", pattern: "b+" },
    yes: ['"abc"', '"b"', '"\\n\\u00e9b"'],
    no: ['"ac"', '""'],
  },
  "bounds of numbers": {
    schema: { type: "integer", minimum: 5, exclusiveMaximum: 20, multipleOf: 5 },
    yes: ["5", "10", "15", "15.0"],
    no: ["0", "3", "20", "7", "-5"],
  },
  "values of an enum that the rest allows": {
    schema: { enum: ["a", "bcd", 3, null, { x: [1, "é"] }], not: { const: null }, maxLength: 2 },
    yes: ['"a"', "3", '{"x":[1,"é"]}', '{ "x": [1.0, "\\u00e9"] }'],
    no: ['"bcd"', "null", '{"x":[1]}', "{}", '{"x":[1,"é"],"y":1}'],
  },
  "one of two branches, told apart by a constant": {
    schema: {
      oneOf: [
        {
          type: "object",
          properties: { kind: { const: "a" }, n: { type: "integer" } },
          required: ["kind"],
          additionalProperties: false,
        },
        {
          type: "object",
          properties: { kind: { const: "b" }, s: { type: "string" } },
          required: ["kind", "s"],
          additionalProperties: false,
        },
      ],
    },
    yes: ['{"kind":"a"}', '{"n":1,"kind":"a"}', '{"kind":"b","s":""}'],
    no: ['{"kind":"a","s":""}', '{"kind":"b"}', '{"n":1}'],
  },
  "one of two branches that overlap": {
    schema: {
      oneOf: [
        { type: "integer", minimum: 0 },
        { type: "integer", maximum: 10 },
      ],
    },
    yes: ["-1", "11"],
    no: ["0", "10", "5", "1.5"],
  },
  "all of some schemas": {
    schema: {
      allOf: [
        { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
        { properties: { a: { minimum: 3 }, b: { type: "null" } }, required: ["b"] },
      ],
      unevaluatedProperties: false,
    },
    yes: ['{"a":3,"b":null}', '{"b":null,"a":4}'],
    no: ['{"a":2,"b":null}', '{"a":3}', '{"a":3,"b":null,"c":1}'],
  },
  "if, then, else": {
    schema: {
      type: "object",
      properties: { country: { enum: ["US", "NL"] }, zip: { type: "string" } },
      required: ["country", "zip"],
      additionalProperties: false,
      if: { properties: { country: { const: "US" } } },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema.
      then: { properties: { zip: { pattern: "^\\d{5}$" } } },
      else: { properties: { zip: { pattern: "^\\d{4}[A-Z]{2}$" } } },
    },
    yes: ['{"country":"US","zip":"12345"}', '{"zip":"1234AB","country":"NL"}'],
    no: ['{"country":"US","zip":"1234AB"}', '{"zip":"12345","country":"NL"}'],
  },
  "a schema inside of itself": {
    schema: {
      $defs: {
        node: {
          type: "object",
          properties: {
            v: { type: "number" },
            kids: { type: "array", items: { $ref: "#/$defs/node" } },
          },
          required: ["v"],
          additionalProperties: false,
        },
      },
      $ref: "#/$defs/node",
    },
    yes: ['{"v":1}', '{"v":1,"kids":[{"v":2,"kids":[{"v":3}]},{"v":4}]}', '{"kids":[],"v":0}'],
    no: ['{"v":1,"kids":[{}]}', '{"kids":[]}'],
  },
  "references by anchor and $id": {
    schema: {
      $id: "https://a.example/root",
      $defs: {
        x: { $anchor: "x", type: "integer" },
        y: { $id: "other", type: "string", $defs: { z: { type: "null" } } },
      },
      prefixItems: [{ $ref: "#x" }, { $ref: "other" }, { $ref: "other#/$defs/z" }],
      items: false,
      type: "array",
    },
    yes: ['[1,"a",null]', "[1]"],
    no: ['["a"]', "[1,1]", '[1,"a",1]'],
  },
  "nullable, as OpenAPI has it": {
    schema: { type: "string", enum: ["a"], nullable: true },
    yes: ['"a"', "null"],
    no: ['"b"', "1"],
  },
  "names with special characters": {
    schema: {
      type: "object",
      properties: { 'q"\\': {}, "é\n": {}, __proto__: {} },
      required: ['q"\\'],
      additionalProperties: false,
    },
    yes: ['{"q\\"\\\\":1}', '{"é\\n":1,"q\\"\\\\":2}', '{"\\u00e9\\n":1,"q\\"\\\\":2}'],
    no: ["{}", '{"q":1}'],
  },
  "no white space": {
    schema: { type: "object", properties: { a: { type: "array" } } },
    options: compact,
    yes: ['{"a":[1,2]}'],
    no: ['{"a": [1,2]}', '{"a":[1, 2]}', '{ "a":[]}'],
  },
  formats: {
    schema: {
      type: "array",
      items: { anyOf: [{ format: "date" }, { format: "ipv4" }], type: "string" },
    },
    yes: ['["2024-02-29","127.0.0.1"]'],
    no: ['["2023-02-29"]', '["a"]'],
  },
};

describe("the grammar of a JSON Schema", () => {
  test.each(Object.entries(CASES))("%s", (_, { schema, options, yes, no }) => {
    const compiled = jsonSchemaGrammar(schema, options);
    expect(compiled.checkedAfterwards).toEqual([]);
    expect(compiled.carried).toBe(true);
    const recogniser = new ReferenceRecogniser(compiled.grammar);
    for (const text of yes) expect([text, recogniser.read(text)]).toEqual([text, "accepted"]);
    for (const text of no) {
      expect([text, recogniser.read(text)]).not.toEqual([text, "accepted"]);
    }
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
      [{ type: "string", format: "idn-email" }, "format", "", '"x"'],
      [{ type: "integer", multipleOf: 7 }, "multipleOf", "", "8"],
      [{ oneOf: [{ uniqueItems: true }, { maxItems: 3 }] }, "oneOf", "", "[1]"],
      [{ type: "object", not: { patternProperties: { a: { type: "string" } } } }, "not", "", "{}"],
    ];
    for (const [schema, keyword, pointer, text] of cases) {
      const { carried, checkedAfterwards, grammar } = jsonSchemaGrammar(schema);
      expect(carried).toBe(false);
      expect(checkedAfterwards).toContainEqual({ keyword, pointer, reason: expect.any(String) });
      if (keyword !== "not") expect(new ReferenceRecogniser(grammar).accepts(text)).toBe(true);
    }
  });

  test("names what it restricts, and keywords without effect", () => {
    const properties = Object.fromEntries("abcdefghij".split("").map((name) => [name, {}]));
    const { restrictions, unknown, carried } = jsonSchemaGrammar({
      type: "object",
      properties,
      frobnicate: 1,
      "x-order": 2,
    });
    expect(carried).toBe(true);
    expect(restrictions).toEqual([
      { pointer: "", keyword: "properties", reason: expect.stringContaining("order") },
    ]);
    expect(unknown).toEqual([
      { pointer: "", keyword: "frobnicate", reason: expect.stringContaining("no keyword") },
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
    expect(new ReferenceRecogniser(compiled.grammar).accepts('{"any":["json"]}')).toBe(true);
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
