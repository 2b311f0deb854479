/** What the model is shown of a tool means what the validator checks. */
import { Ajv2020 } from "ajv/dist/2020.js";
import formats, { type FormatsPlugin } from "ajv-formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceSchemaToType, schemaToType } from "../../harmony/index.ts";
import { ANYTHING, PrintedSignature } from "./printed-type.ts";
import { type Schema, schemas } from "./schemas.ts";

function validatorOf(schema: Schema): (value: unknown) => boolean {
  // As the project's validator is set up.
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    ownProperties: true,
    multipleOfPrecision: 9,
  });
  // Its bookkeeping for `unevaluatedProperties` fails on some values where patterns stand beside `anyOf`.
  ajv.opts.unevaluated = false;
  (formats as unknown as FormatsPlugin)(ajv, { mode: "full" });
  return ajv.compile(schema);
}

/** Seeded, so that a failing case can be run again. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("printed and validated meaning are the same", () => {
  let samples = 0;
  let accepted = 0;
  test("values of the printed type are valid, valid values are of the printed type", () => {
    fc.assert(
      fc.property(schemas, fc.integer(), (schema, seed) => {
        const text = schemaToType(schema);
        const printed = new PrintedSignature(text);
        const isValid = validatorOf(schema);
        const random = randomOf(seed);
        const values = [...ANYTHING, ...Array.from({ length: 30 }, () => printed.sample(random))];
        for (const value of values) {
          const valid = isValid(value);
          if (printed.matches(value, false)) {
            accepted++;
            if (!valid) throw new Error(`Shown but refused: ${JSON.stringify(value)} by\n${text}`);
          }
          samples++;
          if (valid && !printed.matches(value, true)) {
            throw new Error(`Accepted but not shown: ${JSON.stringify(value)} by\n${text}`);
          }
        }
      }),
      { numRuns: 120 },
    );
    expect(accepted).toBeGreaterThan(samples / 10);
  });
});

describe("text of a schema", () => {
  /** Every text of a schema in one place, the rest as it is. */
  const schemaWith = (text: string): Schema => ({
    type: "object",
    description: text,
    properties: {
      [`${text}1`]: { type: "string", title: text, description: text, default: text },
      [`${text}2`]: { enum: [text, "b"], default: text },
      c: { type: "string", examples: [text], pattern: text },
      d: {
        oneOf: [
          { const: "x", description: text },
          { type: "number", title: text },
        ],
      },
      e: { type: "array", items: { type: "string", description: text, default: text } },
      f: { const: { [text]: text } },
      g: { type: "object", patternProperties: { [text]: { $ref: "#/$defs/N" } } },
      h: { type: "object", additionalProperties: { type: "string", description: text } },
      i: { type: "object", required: [`${text}3`], not: { required: [text] } },
    },
    required: [`${text}4`],
    $defs: { N: { type: "object", title: text, properties: { n: { $ref: "#/$defs/N" } } } },
  });
  const lineEnd = fc.constantFrom("\n", "\r", "\r\n", "\u2028", "\u2029", "\u0085", "\v", "\f");
  const hostile = fc
    .array(
      fc.oneof(lineEnd, fc.constantFrom("}) => any;", "*/", "//", '"', "a: b,", "|"), fc.string()),
    )
    .map((parts) => `x${parts.join("")}x`);

  test("cannot write lines of its own, nor end a comment or a value", () => {
    const shape = (text: string): string[] =>
      schemaToType(schemaWith(text))
        .split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/)
        .map((line) => /^ *(?:\/\/|\||[}{\])]|)/.exec(line)?.[0] ?? "");
    const harmless = shape("harmless text");
    fc.assert(
      fc.property(hostile, (text) => {
        expect(shape(text)).toEqual(harmless);
        const names = new PrintedSignature(schemaToType(schemaWith(text))).propertyNames();
        for (const at of [1, 2, 3, 4]) expect(names).toContain(`${text}${at}`);
      }),
      { numRuns: 300 },
    );
  });
});

test("what the reference can say is printed as the reference prints it", () => {
  const scalar = fc.oneof(
    fc.constantFrom<Schema>({ type: "string" }, { type: "number" }, { type: "boolean" }),
    fc.constantFrom<Schema>({ type: "string", enum: ["a", "b"], default: "a" }),
    fc.constantFrom<Schema>({ type: "array" }, { type: ["string", "number"] }, {}),
    fc.constantFrom<Schema>({ type: "number", default: 1e21 }, { type: "string", default: "x" }),
  );
  const { object } = fc.letrec<{ object: Schema; value: Schema }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      scalar,
      tie("object"),
      scalar
        .map((items) => ({ type: "array", items }))
        .filter(
          ({ items }) =>
            !Array.isArray(items["type"]) &&
            items["enum"] === undefined &&
            items["default"] === undefined &&
            items["type"] !== undefined,
        ),
      scalar.map((one) => ({ ...one, title: "A title", description: "Said.", examples: ["e"] })),
      fc.constant<Schema>({
        description: "Either",
        default: 20,
        oneOf: [
          { type: "string", default: "d" },
          { type: "number", description: "a number" },
        ],
      }),
    ),
    object: fc
      .dictionary(fc.constantFrom("a", "b", "c", "x-y"), tie("value"), { minKeys: 1, maxKeys: 4 })
      .map((properties) => ({
        type: "object",
        properties,
        required: Object.keys(properties).slice(1),
      })),
  }));
  fc.assert(
    fc.property(object, (schema) => {
      expect(schemaToType(schema)).toBe(referenceSchemaToType(schema));
    }),
    { numRuns: 300 },
  );
});
