/** Arguments as models really write them: which are taken, as what, and which are refused. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { defineTool, executeTool, verifyTool } from "../../tools/index.ts";
import { run } from "../conformance/arguments.ts";
import { context } from "./support.ts";

const shell = defineTool<{ command: string }>({
  name: "shell",
  description: "",
  inputSchema: {
    type: "object",
    properties: { command: { type: "string" } },
    required: ["command"],
    additionalProperties: false,
  },
  execute: (input) => JSON.stringify(input),
});
/** Its arguments look like a wrapper themselves. */
const noop = defineTool({
  name: "noop",
  description: "",
  inputSchema: { type: "object", properties: {}, additionalProperties: false },
  execute: (input) => JSON.stringify(input),
});
const call = defineTool({
  name: "call",
  description: "",
  inputSchema: {
    type: "object",
    properties: { name: { type: "string" }, arguments: { type: "object" } },
    required: ["name"],
  },
  execute: (input) => JSON.stringify(input),
});
const mixed = defineTool({
  name: "mixed",
  description: "",
  inputSchema: {
    type: "object",
    properties: { path: { type: "string" }, depth: { type: "integer" } },
    required: ["path"],
  },
  execute: (input) => JSON.stringify(input),
});
const TOOLS = { shell, noop, call, mixed };

test("the golden cases hold", async () => {
  const failed: unknown[] = [];
  for await (const result of run([join(import.meta.dirname, "../golden/arguments/cases.json")])) {
    if (!result.pass) failed.push(result);
  }
  expect(failed).toEqual([]);
});

describe("verifyTool", () => {
  const withSchema = (inputSchema: Record<string, unknown>) => ({ ...shell, inputSchema });

  test("says what of a schema is not enforced", async () => {
    const warnings = await verifyTool(
      withSchema({ properties: { a: { type: "int", format: "colour", "x-order": 1 } } }),
    );
    expect(warnings).toEqual([
      'type at /properties/a is "int", which is read as "integer".',
      "The format colour at /properties/a is not known and not enforced.",
    ]);
    expect(await verifyTool(shell)).toEqual([]);
  });

  test("refuses one that cannot be used, in one sentence", async () => {
    const tool = withSchema({ properties: { a: { $ref: "#/components/schemas/Pet" } } });
    await expect(verifyTool(tool)).rejects.toThrow(
      "The JSON Schema cannot be used: the $ref #/components/schemas/Pet at /properties/a leads to nothing in it.",
    );
  });
});

test("blanks without end are read as fast as other texts", async () => {
  for (const raw of [
    `{"command":"ls"${" ".repeat(300_000)}x`,
    `shell({"command":"ls"})${" ".repeat(300_000)}x`,
    `${"\n".repeat(300_000)}json {"command":"ls"}${"\t".repeat(300_000)}`,
  ]) {
    expect((await executeTool(shell, raw, context())).text).not.toContain("given up");
  }
});

describe("what can only mean one thing is taken, and said", () => {
  test.each([
    ["shell", '{"command":"ls"}', { command: "ls" }, []],
    ["shell", '{"command":"ls"}]', { command: "ls" }, ["trailing_text_after_json"]],
    ["shell", '{"command":"ls"}{"stdout":"a"}', { command: "ls" }, ["trailing_text_after_json"]],
    ["shell", '{"command":"ls"} and then', { command: "ls" }, ["trailing_text_after_json"]],
    ["shell", "ls -R\n", { command: "ls -R\n" }, ["args_not_json"]],
    ["shell", '"ls -R"', { command: "ls -R" }, ["args_not_json"]],
    ["noop", '{"name":"noop","arguments":{}}', {}, ["args_unwrapped"]],
    ["noop", '{"args":{}}', {}, ["args_unwrapped"]],
    [
      "shell",
      '{"recipient":"functions.shell","parameters":{"command":"ls"}}',
      { command: "ls" },
      ["args_unwrapped"],
    ],
    ["shell", '{"arguments":"{\\"command\\":\\"ls\\"}"}', { command: "ls" }, ["args_unwrapped"]],
    ["noop", '{"args":{}}}', {}, ["trailing_text_after_json", "args_unwrapped"]],
    // Valid as it stands: nothing is taken out of it.
    ["call", '{"name":"call","arguments":{}}', { name: "call", arguments: {} }, []],
  ] as const)("%s %s", async (tool, raw, input, codes) => {
    const result = await executeTool(TOOLS[tool], raw, context());
    expect(result.status, result.text).toBe("completed");
    expect(JSON.parse(result.text)).toEqual(input);
    expect(result.issues?.map(({ code }) => code) ?? []).toEqual(codes);
  });

  test("what is dropped is kept in the issue", async () => {
    const { issues } = await executeTool(shell, '{"command":"ls"}] x', context());
    expect(issues).toMatchObject([{ dropped: "] x" }]);
  });
});

describe("everything else goes back to the model", () => {
  test.each([
    ["shell", '{"command":"rm -rf /tm', ["incomplete_json"]],
    ["shell", '{"command":"ls"', ["incomplete_json"]],
    ["shell", '{"{"???"}', ["args_not_json"]],
    ["shell", "{command: ls}", ["args_not_json"]],
    ["shell", "```\nls\n```", ["args_not_json"]],
    ["shell", '{"cmd":"ls"}', []],
    ["shell", '{"cmd":"ls"}]', ["trailing_text_after_json"]],
    ["shell", '{"name":"other","arguments":{"command":"ls"}}', []],
    ["shell", '{"arguments":{"command":5}}', []],
    ["shell", '{"note":"x","arguments":{"command":"ls"}}', []],
    ["shell", '{"command":"a","command":"b"}]', ["trailing_text_after_json"]],
    ["mixed", "src", ["args_not_json"]],
    ["noop", "go", ["args_not_json"]],
  ] as const)("%s %s", async (tool, raw, codes) => {
    const result = await executeTool(TOOLS[tool], raw, context());
    expect(result.status).toBe("failed");
    expect(result.text).toContain("was not called");
    expect(result.issues?.map(({ code }) => code) ?? []).toEqual(codes);
  });
});
