/** What the model is shown of a tool means what the validator checks. */
import { Ajv2020 } from "ajv/dist/2020.js";
import formats, { type FormatsPlugin } from "ajv-formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { schemaToType } from "../../harmony/index.ts";
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
      { numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(samples / 10);
  });
});
