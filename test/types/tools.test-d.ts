/** What TypeScript infers and refuses when a program defines its tools. */
import { expectTypeOf, test } from "vitest";
import { defineTool, type StandardSchema, type Tool, type ToolContext } from "../../tools/index.ts";

declare const city: StandardSchema<{ readonly city: string; readonly days: number }>;

test("the input of a tool is what its Standard Schema makes of the arguments", () => {
  const tool = defineTool({
    name: "forecast",
    description: "",
    inputSchema: city,
    execute(input, context) {
      expectTypeOf(input).toEqualTypeOf<{ readonly city: string; readonly days: number }>();
      expectTypeOf(context).toEqualTypeOf<ToolContext>();
    },
  });
  expectTypeOf(tool).toExtend<Tool>();
});

test("with a JSON Schema, the program says what the input is; else it is an object", () => {
  const inputSchema = { type: "object" };
  defineTool<{ id: number }>({
    name: "order",
    description: "",
    inputSchema,
    execute: (input) => expectTypeOf(input).toEqualTypeOf<{ id: number }>(),
  });
  defineTool({
    name: "order",
    description: "",
    inputSchema,
    execute: (input) => expectTypeOf(input).toEqualTypeOf<Record<string, unknown>>(),
  });
});

test("an approval rule gets the same input and context", () => {
  type Shop = { readonly shop: string };
  defineTool<{ id: number }, Shop>({
    name: "cancel",
    description: "",
    needsApproval(input, context) {
      expectTypeOf(input).toEqualTypeOf<{ id: number }>();
      expectTypeOf(context.context).toEqualTypeOf<Shop>();
      return input.id > 0;
    },
    execute: () => "cancelled",
  });
});

test("a misspelt option, a missing description and a wrong input do not compile", () => {
  // @ts-expect-error -- there is no option `timeout`
  defineTool({ name: "a", description: "", timeout: 5, execute: () => "" });
  // @ts-expect-error -- the description is missing
  defineTool({ name: "a", execute: () => "" });
  // @ts-expect-error -- `days` is a number
  defineTool({ name: "a", description: "", inputSchema: city, execute: ({ days }) => days.trim() });
});

test("a tool without execute is one that the caller carries out", () => {
  expectTypeOf(defineTool({ name: "a", description: "" }).execute).toExtend<unknown>();
  expectTypeOf<undefined>().toExtend<Tool["execute"]>();
});
