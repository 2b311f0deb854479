/** Schemas that are carried as a whole, each with texts that are valid and texts that are not. */
import type { JsonSchemaGrammarOptions } from "../../../../inference/index.ts";

export type SchemaCase = {
  readonly schema: unknown;
  readonly options?: JsonSchemaGrammarOptions;
  readonly yes: readonly string[];
  readonly no: readonly string[];
};

const compact: JsonSchemaGrammarOptions = { whitespace: 0 };

export const SCHEMA_CASES: Readonly<Record<string, SchemaCase>> = {
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
