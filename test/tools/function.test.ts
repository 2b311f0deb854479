import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";
import {
  defineTool,
  executeTool,
  isClientSideTool,
  loadToolModule,
  type StandardSchema,
} from "../../tools/index.ts";
import { context, temporaryFolder } from "./support.ts";

const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };

describe("defineTool", () => {
  test("addresses the function in its namespace", () => {
    const tool = defineTool({ name: "f", description: "d", parameters: schema, execute: () => "" });
    expect(tool).toMatchObject({ recipient: "functions.f", description: "d", inputSchema: schema });
  });

  test.each([
    ["a name with a blank", { name: "get weather" }, "letters, digits, _, - or $"],
    ["a name that is a number", { name: 5 }, "letters, digits, _, - or $"],
    ["no description", { description: undefined }, "description"],
    ["no function", { execute: "f" }, "execute must be a function"],
    ["an isolate without a function", { execute: undefined, isolation: "isolate" }, "execute must"],
    ["a misspelt option", { timeOutMs: 5 }, "unknown option timeOutMs"],
    ["two schemas", { inputSchema: schema, parameters: schema }, "two names of one option"],
    ["an endless timeout", { timeoutMs: Number.POSITIVE_INFINITY }, "timeoutMs is Infinity"],
    ["an approval that is a text", { needsApproval: "no" }, "needsApproval is a string"],
    ["a schema that is a list", { inputSchema: [] }, "inputSchema must be"],
  ])("refuses %s", (_, changes, message) => {
    const definition = { name: "f", description: "d", execute: () => "", ...changes };
    expect(() => defineTool(definition as never)).toThrow(message);
  });

  test.each([
    ["a string", "text", { text: "text" }],
    ["a result", { text: "t", data: 1 }, { text: "t", data: 1 }],
    [
      "an object that has a text of its own",
      { text: "t", author: "a" },
      { text: '{"text":"t","author":"a"}' },
    ],
    ["a number", 5, { text: "5", data: 5 }],
    ["null", null, { text: "null" }],
    ["nothing", undefined, { text: "(The tool returned nothing.)" }],
    ["a map", new Map([["a", 1n]]), { text: '{"a":"1"}', data: { a: "1" } }],
    ["a number that is none", Number.NaN, { text: "NaN", data: "NaN" }],
    ["a result for programs", { structuredContent: { n: 1 } }, { text: '{"n":1}' }],
    [
      "a result whose data is no JSON",
      { text: "t", data: { big: 5n, f: () => 0 } },
      { text: "t", data: { big: "5", f: "[a function at /f]" } },
    ],
  ])("takes %s as a return value", async (_, value, expected) => {
    const tool = defineTool({ name: "f", description: "", execute: () => value });
    expect(await executeTool(tool, "{}", context())).toMatchObject({
      status: "completed",
      ...expected,
    });
  });

  test("without execute it is a client-side tool", () => {
    const tool = defineTool({ name: "f", description: "d", parameters: schema });
    expect(isClientSideTool(tool)).toBe(true);
    expect(isClientSideTool(defineTool({ name: "f", description: "", execute: () => 1 }))).toBe(
      false,
    );
  });

  test.each([
    ["a promise in it", { page: Promise.resolve(1) }, "a Promise that shows nothing"],
    ["a function", { f() {} }, "a function at /f"],
    ["bytes", { file: new Uint8Array(4) }, "bytes (Uint8Array) at /file"],
    ["half a block", { content: [{ type: "image", mimeType: "image/png" }] }, "no image block"],
  ])("%s is a failure that says what may be returned", async (_, value, message) => {
    const tool = defineTool({ name: "f", description: "", execute: () => value });
    const result = await executeTool(tool, "{}", context());
    expect(result).toMatchObject({ status: "failed" });
    expect(result.text).toMatch(/^functions\.f failed: it ran, but /);
    expect(result.text).toContain(message);
  });

  test("holds the function to its outputSchema", async () => {
    const tool = defineTool<{ n: number }>({
      name: "f",
      description: "",
      inputSchema: schema,
      outputSchema: { type: "number", minimum: 0 },
      execute: ({ n }) => n,
    });
    expect((await executeTool(tool, '{"n":1}', context())).text).toBe("1");
    const bad = await executeTool(tool, '{"n":-1}', context());
    expect(bad).toMatchObject({ status: "failed" });
    expect(bad.text).toContain("does not fit its outputSchema: must be >= 0, got -1");
  });
});

describe("Standard Schema", () => {
  /** What a schema library hands over: prints itself, checks, and changes what it checked. */
  const day: StandardSchema<{ day: Date }> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => {
        const text = (value as { day: string }).day;
        return Number.isNaN(Date.parse(text))
          ? { issues: [{ message: "no date", path: ["day"] }] }
          : { value: { day: new Date(text) } };
      },
      jsonSchema: {
        input: ({ target }) => ({
          type: "object",
          properties: { day: { type: "string", description: target } },
          required: ["day"],
        }),
      },
    },
  };

  test("prints itself for the model and parses for the function", async () => {
    const tool = defineTool({
      name: "weekday",
      description: "",
      inputSchema: day,
      execute: (input) => String(input.day.getUTCDay()),
    });
    expect(tool.inputSchema).toMatchObject({
      properties: { day: { description: "draft-2020-12" } },
    });
    expect((await executeTool(tool, '{"day":"2026-11-22"}', context())).text).toBe("0");
    expect((await executeTool(tool, '{"day":"x"}', context())).text).toContain("/day: no date");
    expect((await executeTool(tool, "{}", context())).text).toContain('missing "day"');
  });

  test("one that cannot print itself needs a JSON Schema beside it", async () => {
    const { jsonSchema: _, ...mute } = day["~standard"];
    const definition = {
      name: "f",
      description: "",
      inputSchema: { "~standard": mute },
      execute: () => "ok",
    };
    expect(() => defineTool(definition)).toThrow("give inputJsonSchema as well");
    const tool = defineTool({ ...definition, inputJsonSchema: schema });
    expect(tool.inputSchema).toBe(schema);
  });
});

describe("loadToolModule", () => {
  const write = (text: string): string => {
    const path = join(temporaryFolder(), "tools.mjs");
    writeFileSync(path, text);
    return path;
  };
  const plain = (name: string): string =>
    `{ recipient: "functions.${name}", description: "", inputSchema: true, timeoutMs: 1, execute() {} }`;

  test("collects the default export, named exports and lists, each tool once", async () => {
    const path = write(
      `const a = ${plain("a")}; export default a; export { a }; export const list = [${plain("b")}, ${plain("c")}]; export const other = 5;`,
    );
    const tools = await loadToolModule(path);
    expect(tools.map((t) => t.recipient).sort()).toEqual([
      "functions.a",
      "functions.b",
      "functions.c",
    ]);
  });

  test.each([
    ["no tool", "export const x = 1;", "it exports no tool"],
    [
      "half a tool",
      'export default { recipient: "x", description: "", timeoutMs: 1, inputSchema: true, execute: 5 };',
      "no tool",
    ],
    ["a syntax error", "export const = 1;", "it does not load. "],
    ["an error of its own", "throw new Error('boom');", "it does not load. Error: boom"],
    [
      "a schema that is none",
      `export default { ...${plain("a")}, inputSchema: { type: "strin" } };`,
      "the schema of functions.a cannot be used",
    ],
  ])("a module with %s is refused", async (_, text, message) => {
    await expect(loadToolModule(write(text))).rejects.toThrow(message);
  });

  test("says what of a schema is not enforced", async () => {
    const warnings: string[] = [];
    const path = write(
      `export default { ...${plain("a")}, inputSchema: { properties: { n: { type: "int" } } } };`,
    );
    await loadToolModule(path, { onWarning: (sentence) => warnings.push(sentence) });
    expect(warnings).toEqual([
      'functions.a: type at /properties/n is "int", which is read as "integer".',
    ]);
  });

  test("a module that never ends loading is given up", async () => {
    const path = write("await new Promise(() => {});");
    await expect(loadToolModule(path, { limitMs: 50 })).rejects.toThrow(
      "still loading after 0.05 s",
    );
  });

  test("a missing file is refused, and a folder", async () => {
    await expect(loadToolModule("/nowhere/tools.ts")).rejects.toThrow("there is no such file");
    await expect(loadToolModule(temporaryFolder())).rejects.toMatchObject({
      code: "CHORALE_TOOL_MODULE",
    });
  });
});
