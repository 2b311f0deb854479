/** What TypeScript infers of schemas that libraries make. */
import { type } from "arktype";
import * as v from "valibot";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { Agent, type LanguageModel, runAgent } from "../../runtime/index.ts";
import { createValidator, defineTool } from "../../tools/index.ts";

declare const model: LanguageModel;

test("a tool's input is the output of zod, valibot and ArkType", () => {
  const common = { name: "f", description: "" };
  defineTool({
    ...common,
    inputSchema: z.object({ at: z.string().transform((text) => new Date(text)) }),
    needsApproval: ({ at }) => at.getTime() > 0,
    execute: (input) => expectTypeOf(input).toEqualTypeOf<{ at: Date }>(),
  });
  defineTool({
    ...common,
    inputSchema: v.object({ n: v.optional(v.number(), 1) }),
    execute: (input) => expectTypeOf(input).toEqualTypeOf<{ n: number }>(),
  });
  defineTool({
    ...common,
    inputSchema: type({ "n?": "number" }),
    execute: (input) => expectTypeOf(input).toEqualTypeOf<{ n?: number }>(),
  });
});

test("a validator's value is the output of its schema", () => {
  const schema = z.object({ n: z.number() });
  expectTypeOf(createValidator(schema).then((one) => one.validate("")))
    .resolves.toHaveProperty("value")
    .toEqualTypeOf<{ n: number } | undefined>();
  expectTypeOf(createValidator({ jsonSchema: true }).then((one) => one.validate("")))
    .resolves.toHaveProperty("value")
    .toEqualTypeOf<unknown>();
});

test("a result's value is the output of its schema", () => {
  const output = z.object({ at: z.string().transform((text) => new Date(text)) });
  expectTypeOf(runAgent({ model, prompt: "Hello", output }))
    .resolves.toHaveProperty("value")
    .toEqualTypeOf<{ at: Date } | undefined>();
  const agent = new Agent({ model, output });
  expectTypeOf(agent.run(agent.thread(), "Hello").result)
    .resolves.toHaveProperty("value")
    .toEqualTypeOf<{ at: Date } | undefined>();
});
