import { describe, expect, test } from "vitest";
import { createValidator, type JsonValidatorOptions } from "../../tools/index.ts";

async function verdicts(
  options: JsonValidatorOptions,
  values: readonly unknown[],
): Promise<readonly boolean[]> {
  const validator = await createValidator(options);
  const results = await Promise.all(values.map((value) => validator.validateValue(value)));
  return results.map(({ action }) => action === "accept");
}

describe("references of a JSON Schema", () => {
  test("lead into schemas that are given beside it", async () => {
    const schemas = {
      "https://a.example/money.json": {
        $defs: { amount: { type: "number", minimum: 0 } },
        type: "object",
        properties: { amount: { $ref: "#/$defs/amount" } },
      },
      "https://a.example/other": { $id: "https://b.example/named", type: "null" },
    };
    const jsonSchema = {
      properties: {
        price: { $ref: "https://a.example/money.json" },
        none: { $ref: "https://b.example/named" },
      },
    };
    const values = [{ price: { amount: 1 }, none: null }, { price: { amount: -1 } }, { none: 1 }];
    expect(await verdicts({ jsonSchema, schemas }, values)).toEqual([true, false, false]);
    await expect(createValidator({ jsonSchema })).rejects.toThrow("nothing is loaded");
  });

  test("inside of a schema with an $id begin there", async () => {
    // The compiler overflows on this one as it is.
    const jsonSchema = {
      $id: "http://a.example/one.json",
      properties: {
        foo: {
          $id: "two.json",
          $defs: { inner: { properties: { bar: { type: "string" } } } },
          $ref: "#/$defs/inner",
        },
      },
      $ref: "two.json",
    };
    const values = [{ bar: "a" }, { bar: 1 }, { foo: { bar: "a" } }, { foo: { bar: 1 } }];
    expect(await verdicts({ jsonSchema }, values)).toEqual([true, false, true, false]);
  });

  test("lead to the schema of a draft", async () => {
    const jsonSchema = { $ref: "https://json-schema.org/draft/2020-12/schema" };
    const values = [{ type: "integer" }, { type: 1 }];
    expect(await verdicts({ jsonSchema }, values)).toEqual([true, false]);
  });
});

test("a quotient beyond all numbers is no multiple", async () => {
  const jsonSchema = { multipleOf: 0.123456789 };
  expect(await verdicts({ jsonSchema }, [1e308, 0.123456789])).toEqual([false, true]);
});

test("formats only describe where that is asked for", async () => {
  const jsonSchema = { format: "ipv4" };
  expect(await verdicts({ jsonSchema }, ["1.2.3"])).toEqual([false]);
  expect(await verdicts({ jsonSchema, assertFormats: false }, ["1.2.3"])).toEqual([true]);
});
