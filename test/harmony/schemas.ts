/** JSON Schemas as tools have them, made at random. */
import fc from "fast-check";

export type Schema = { readonly [keyword: string]: unknown };

const NAMES = ["a", "b", "c", "keel", "hull_no", "x-y", "two words"];
const PATTERNS = ["^[a-z]+$", "^a", "\\d$", "^[A-Z]{2}-\\d+$", '["/*]'];

const name = fc.constantFrom(...NAMES);

/** Some of the keywords, each with one of its values. */
function some(keywords: {
  readonly [keyword: string]: fc.Arbitrary<unknown>;
}): fc.Arbitrary<Schema> {
  return fc.record(keywords, { requiredKeys: [] });
}

const numberRules = some({
  minimum: fc.constantFrom(-1, 0, 1, 3),
  maximum: fc.constantFrom(2, 9, 100),
  exclusiveMinimum: fc.constantFrom(0, 1),
  exclusiveMaximum: fc.constantFrom(10, 640),
  multipleOf: fc.constantFrom(0.5, 3, 45),
});
const stringRules = some({
  minLength: fc.constantFrom(0, 1, 3),
  maxLength: fc.constantFrom(2, 5),
  pattern: fc.constantFrom(...PATTERNS),
  format: fc.constantFrom("date", "email"),
});
const notes = some({
  title: fc.constantFrom("Keel", "A title"),
  description: fc.constantFrom("What it is.", "Several\nlines: 3\n// of it */"),
  default: fc.constantFrom("x", 3, null, ["a\n"], "Dear\nskipper"),
  examples: fc.constantFrom(["a", 1], ["one\ntwo"]),
});

const typed: fc.Arbitrary<Schema> = fc.oneof(
  numberRules.map((rules) => ({ type: "number", ...rules })),
  numberRules.map((rules) => ({ type: "integer", ...rules })),
  stringRules.map((rules) => ({ type: "string", ...rules })),
);

const scalar: fc.Arbitrary<Schema> = fc.oneof(
  { arbitrary: typed, weight: 3 },
  fc.constantFrom<Schema>({ type: "boolean" }, { type: "null" }, {}),
  fc
    .uniqueArray(fc.constantFrom("a", "port", "nullified", 1, 2.5, true, null, '"', "\n"), {
      minLength: 1,
      maxLength: 4,
      selector: (value) => JSON.stringify(value),
    })
    .map((values) => ({ enum: values })),
  fc.constantFrom("a", "port", 3, null, false).map((value) => ({ const: value })),
  fc.record({
    type: fc.uniqueArray(
      fc.constantFrom("string", "integer", "null", "boolean", "array", "object"),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  }),
  fc.record({
    type: fc.constantFrom("string", "integer", "object", "array"),
    nullable: fc.constant(true),
  }),
);

const { schema } = fc.letrec<{ schema: Schema; object: Schema }>((tie) => ({
  object: fc
    .record(
      {
        properties: fc.dictionary(name, tie("schema"), { maxKeys: 3 }),
        required: fc.uniqueArray(name, { maxLength: 2 }),
        additionalProperties: fc.oneof(fc.boolean(), tie("schema")),
        patternProperties: fc.dictionary(fc.constantFrom(...PATTERNS), tie("schema"), {
          maxKeys: 1,
        }),
        minProperties: fc.constantFrom(0, 1),
        maxProperties: fc.constantFrom(2, 3),
        dependentRequired: fc.constant({ a: ["b"] }),
        not: fc.constantFrom(
          { required: ["c"] },
          { properties: { a: { const: 3 } }, required: ["a"] },
        ),
      },
      { requiredKeys: [] },
    )
    .map((keywords) => ({ type: "object", ...keywords })),
  schema: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { arbitrary: scalar, weight: 5 },
    { arbitrary: tie("object"), weight: 3 },
    {
      arbitrary: fc
        .record(
          {
            items: tie("schema"),
            minItems: fc.constantFrom(0, 1),
            maxItems: fc.constantFrom(2, 3),
            uniqueItems: fc.boolean(),
          },
          { requiredKeys: [] },
        )
        .map((keywords) => ({ type: "array", ...keywords })),
      weight: 2,
    },
    {
      arbitrary: fc
        .tuple(
          fc.array(tie("schema"), { minLength: 1, maxLength: 3 }),
          fc.oneof(fc.constant(false), tie("schema")),
        )
        .map(([prefixItems, items]) => ({
          type: "array",
          prefixItems,
          items,
          minItems: prefixItems.length,
        })),
      weight: 1,
    },
    {
      arbitrary: fc
        .tuple(
          fc.constantFrom("anyOf", "oneOf", "allOf"),
          fc.oneof(
            // Branches that leave the type open need one beside them.
            fc.tuple(
              fc.array(fc.oneof(tie("schema"), narrowing()), { minLength: 1, maxLength: 3 }),
              fc.oneof(tie("object"), typed),
            ),
            fc.tuple(fc.array(tie("schema"), { minLength: 1, maxLength: 3 }), fc.constant({})),
          ),
        )
        .map(([keyword, [branches, beside]]) => ({ ...beside, [keyword]: branches })),
      weight: 3,
    },
    {
      arbitrary: fc
        .tuple(tie("object"), narrowing(), tie("object"), tie("object"))
        .map(([beside, condition, then, otherwise]) => ({
          ...beside,
          if: condition,
          then,
          else: otherwise,
        })),
      weight: 1,
    },
    {
      arbitrary: fc.constantFrom<Schema>(
        { $ref: "#/$defs/Place" },
        { $ref: "#/$defs/Node" },
        { $ref: "#/$defs/Tree" },
      ),
      weight: 2,
    },
    {
      arbitrary: fc.tuple(tie("schema"), notes).map(([of, more]) => ({ ...of, ...more })),
      weight: 2,
    },
  ),
}));

/** What branches say beside a type of their own. */
function narrowing(): fc.Arbitrary<Schema> {
  return fc.oneof(
    fc.uniqueArray(name, { minLength: 1, maxLength: 2 }).map((required) => ({ required })),
    fc.constantFrom<Schema>(
      { properties: { a: { const: 3 } } },
      { properties: { a: { type: "string" } }, required: ["a"] },
      {},
      { pattern: "^a" },
      { minLength: 3 },
      { not: {} },
    ),
  );
}

const DEFINITIONS: Schema = {
  Place: {
    type: "object",
    description: "Where",
    properties: { lat: { type: "number" }, lon: { type: "number", maximum: 90 } },
    required: ["lat"],
  },
  Node: {
    type: "object",
    properties: { value: { type: "string" }, next: { $ref: "#/$defs/Node" } },
    required: ["value"],
    additionalProperties: false,
  },
  Tree: {
    anyOf: [{ type: "integer" }, { type: "array", items: { $ref: "#/$defs/Tree" }, maxItems: 3 }],
  },
};

/** Schemas in which every reference leads somewhere. */
export const schemas: fc.Arbitrary<Schema> = schema.map((one) => ({ ...one, $defs: DEFINITIONS }));
