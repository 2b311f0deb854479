import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CommandContext } from "../../runtime/cli/command-context.ts";
import {
  callCommand,
  listCommand,
  newCommand,
  testCommand,
  validateCommand,
} from "../../runtime/cli/tools.ts";
import { toolCasesFrom, whyWrong } from "../../runtime/cli/tools-test.ts";
import { chorale } from "./chorale.ts";

let home = "";
let plugin = "";

/** Runs a command in this process; only the last test starts the real one. */
async function said(
  run: (context: CommandContext) => Promise<number>,
): Promise<{ code: number; stdout: string }> {
  let stdout = "";
  const line = (text: string): void => {
    stdout += `${text}\n`;
  };
  const output = {
    line,
    answer: (text: string) => line(text),
    finishAnswer() {},
    jsonLine: (value: unknown) => line(JSON.stringify(value)),
    watchLines() {},
    note() {},
  };
  const { signal } = new AbortController();
  const code = await run({ output, env: process.env, signal } as unknown as CommandContext);
  return { code, stdout };
}

const sources = () => ({ plugin: [plugin], tool: [], grant: [] });

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "chorale-tools-"));
  const here = process.cwd();
  process.chdir(home);
  try {
    await said((context) => newCommand("word-count", context));
  } finally {
    process.chdir(here);
  }
  plugin = join(home, "word-count");
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test("a new plugin passes its own tests, and says so when one fails", async () => {
  expect(existsSync(join(plugin, "index.ts"))).toBe(true);
  const test = () => said((context) => testCommand({ plugin, grant: [] }, context));
  expect(await test()).toEqual({ code: 0, stdout: "2 passed, 0 failed\n" });
  const path = join(plugin, "tests.json");
  const before = readFileSync(path, "utf8");
  writeFileSync(path, before.replace('"words": 3', '"words": 4'));
  try {
    const { code, stdout } = await test();
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^FAIL counts words: expected the data .*"words":4.*\n1 passed, 1 failed\n$/,
    );
  } finally {
    writeFileSync(path, before);
  }
});

test("names that are none, and folders that are there", async () => {
  for (const name of ["Word", "../x", "a b", "", "tools_", plugin]) {
    await expect(said((context) => newCommand(name, context))).rejects.toThrow(/is no name/);
  }
});

test("a call outside of an agent", async () => {
  const call = (name: string, input: string, json: boolean) =>
    said((context) => callCommand({ name, input, json, ...sources() }, context));
  expect(await call("word_count", '{"text":"a bb"}', false)).toEqual({
    code: 0,
    stdout: '{"words":2,"longest":"bb"}\n',
  });
  const wrong = await call("functions.word_count", "{}", true);
  expect(wrong.code).toBe(1);
  expect(JSON.parse(wrong.stdout)).toMatchObject({ status: "failed" });
  await expect(call("nothing", "{}", false)).rejects.toThrow(/there are functions.word_count/);
});

test("the signature that the model will see", async () => {
  const { stdout } = await said((context) => listCommand({ ...sources(), json: false }, context));
  expect(stdout).toContain("functions.word_count (isolate of word-count)");
  expect(stdout).toContain("type word_count = (_: {\n// The text\ntext: string,\n}) => any;");
  const listed = await said((context) => listCommand({ ...sources(), json: true }, context));
  expect(JSON.parse(listed.stdout)).toMatchObject({
    recipient: "functions.word_count",
    isolation: "isolate",
  });
});

test("what is wrong with a manifest, and with a grant", async () => {
  const validate = (grant: string[] = []) =>
    said((context) => validateCommand({ plugin, grant, json: false }, context));
  expect((await validate()).stdout).toContain("It asks for nothing.");
  const path = join(plugin, "package.json");
  const before = readFileSync(path, "utf8");
  writeFileSync(path, before.replace('"permissions"', '"permission"'));
  try {
    await expect(validate()).rejects.toThrow(/permission/);
  } finally {
    writeFileSync(path, before);
  }
  await expect(validate(["everything"])).rejects.toThrow(/accepted: net:HOST/);
});

test("what is granted to one plugin does not reach another", async () => {
  const folder = (name: string): string => {
    const path = join(home, name);
    mkdirSync(path);
    const manifest = {
      name,
      version: "1.0.0",
      type: "module",
      chorale: { entry: "./index.js", permissions: { env: ["SHARED", "OTHER"] } },
    };
    writeFileSync(join(path, "package.json"), JSON.stringify(manifest));
    writeFileSync(
      join(path, "index.js"),
      `import { defineTool, env } from "chorale/plugin";
       export default defineTool({
         name: "${name}", description: "", inputSchema: true,
         execute: () => env.get("SHARED").catch((error) => error.message),
       });`,
    );
    return path;
  };
  const plugins = [folder("first"), folder("second")];
  const call = (name: string, grant: string[]) =>
    said((context) =>
      callCommand(
        { name, input: "{}", json: false, plugin: plugins, tool: [], grant },
        { ...context, env: { SHARED: "the value" } },
      ),
    );
  expect((await call("first", ["first=env:SHARED"])).stdout).toBe("the value\n");
  expect((await call("second", ["first=env:SHARED"])).stdout).toContain("not granted");
  await expect(call("first", ["env:SHARED"])).rejects.toThrow(
    "--grant env:SHARED does not say which plugin it is for; accepted: --grant NAME=env:SHARED, with NAME one of first, second.",
  );
  await expect(call("first", ["third=env:SHARED"])).rejects.toThrow(
    "there is no plugin third; there are first, second",
  );
  await expect(call("first", ["first=environment"])).rejects.toThrow(/accepted: net:HOST/);
  plugins[1] = plugins[0] as string;
  await expect(call("first", ["first=env:SHARED"])).rejects.toThrow("Two plugins are named first");
});

test("the command line", async () => {
  const args = ["tools", "call", "word_count", '{"text":"a bb"}', "--plugin", plugin];
  const { code, stdout } = await chorale(args, { home });
  expect({ code, stdout }).toEqual({ code: 0, stdout: '{"words":2,"longest":"bb"}\n' });
});

test.each([
  ["no JSON", "{"],
  ["no list", "{}"],
  ["no tool", '[{"expect":{"text":""}}]'],
  ["no expectation", '[{"tool":"t"}]'],
  ["an unknown expectation", '[{"tool":"t","expect":{"txet":""}}]'],
])("cases with %s are refused", (_name, text) => {
  expect(() => toolCasesFrom(text, "tests.json")).toThrow(/tests\.json/);
});

test("an expectation holds the order of a list, and not of keys", () => {
  const result = {
    status: "completed",
    text: "t",
    data: { a: [1, 2], b: 1 },
    durationMs: 1,
  } as const;
  expect(whyWrong(result, { data: { b: 1, a: [1, 2] }, contains: "t" })).toBeNull();
  expect(whyWrong(result, { data: { b: 1, a: [2, 1] } })).toMatch(/expected the data/);
  expect(whyWrong(result, { status: "failed" })).toMatch(/expected failed/);
  expect(whyWrong(result, { text: "T" })).toMatch(/expected "T"/);
});
