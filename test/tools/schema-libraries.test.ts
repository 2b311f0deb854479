/** Tools and answers whose schemas come from a library by Standard Schema. */
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  createValidator,
  defineTool,
  executeTool,
  type StandardSchema,
} from "../../tools/index.ts";
import { context } from "./support.ts";

/** The year is a text in JSON, and a number in the program. */
type Harbour = { readonly name: string; readonly year: number };

const LIBRARIES: Record<string, StandardSchema<Harbour>> = {
  zod: z.object({ name: z.string().min(2), year: z.string().transform((text) => Number(text)) }),
  valibot: toStandardJsonSchema(
    v.object({
      name: v.pipe(v.string(), v.minLength(2)),
      year: v.pipe(v.string(), v.transform(Number)),
    }),
  ),
  arktype: type({ name: "string >= 2", year: "string.integer.parse" }),
};

describe.each(Object.entries(LIBRARIES))("%s", (_, harbour) => {
  const tool = defineTool({
    name: "age",
    description: "",
    inputSchema: harbour,
    execute: ({ name, year }) => `${name}: ${2026 - year}`,
  });

  test("prints the schema for the model, and makes of the arguments what the tool gets", async () => {
    expect(tool.inputSchema).toMatchObject({
      type: "object",
      properties: { name: { type: "string", minLength: 2 }, year: { type: "string" } },
      required: ["name", "year"],
    });
    const result = await executeTool(tool, '{"name":"Vik","year":"1900"}', context());
    expect(result.text).toBe("Vik: 126");
  });

  test("what breaks the printed schema is told as for any tool", async () => {
    const { text } = await executeTool(tool, '{"nam":"Vik"}', context());
    expect(text).toContain('missing "name", "year"; "nam" is unknown (did you mean "name"?)');
  });

  test("an answer is what the schema makes of it", async () => {
    const validator = await createValidator(harbour);
    const result = await validator.validate('Here: {"name":"Vik","year":"1900"}');
    expect(result).toMatchObject({
      action: "accept-after-extraction",
      value: { name: "Vik", year: 1900 },
      text: '{"name":"Vik","year":"1900"}',
    });
    expect(validator.jsonSchema).toEqual(tool.inputSchema);
    expect((await validator.validate('{"name":"V","year":"1"}')).action).toBe("retry");
  });
});

test("a rule that JSON Schema cannot say is a mistake like any other", async () => {
  const quiet = z
    .object({ name: z.string() })
    .refine(({ name }) => name !== name.toUpperCase(), { error: "do not shout", path: ["name"] });
  const validator = await createValidator(quiet);
  const result = await validator.validate('{"name":"VIK"}');
  expect(result.action).toBe("retry");
  expect(validator.feedback(result)).toContain("- /name: do not shout\n");
  const tool = defineTool({ name: "f", description: "", inputSchema: quiet, execute: () => "" });
  const { text } = await executeTool(tool, '{"name":"VIK"}', context());
  expect(text).toMatch(/^functions\.f was not called.*- \/name: do not shout/s);
});

test("a library that cannot print its schema is told how", async () => {
  const schema = v.object({ name: v.string() });
  const message = /its valibot schema cannot print itself.*toStandardJsonSchema/;
  expect(() => defineTool({ name: "f", description: "", inputSchema: schema })).toThrow(message);
  await expect(createValidator(schema)).rejects.toThrow(message);
  const validator = await createValidator({ jsonSchema: true, standardSchema: schema });
  expect((await validator.validateValue({ name: 1 })).errors).toMatchObject([{ path: "/name" }]);
});

test("an output schema checks results", async () => {
  const tool = defineTool({
    name: "f",
    description: "",
    outputSchema: z.object({ rows: z.array(z.number()) }),
    execute: () => ({ structuredContent: { rows: [1, "2"] } }),
  });
  expect((await executeTool(tool, "{}", context())).text).toMatch(
    /^functions\.f failed: its result does not fit its outputSchema: \/rows\/1: /,
  );
});
