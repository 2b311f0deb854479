import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executeTool } from "../../tools/calls/execute.ts";
import type { Tool, ToolResult } from "../../tools/core/tool.ts";
import { defineTool } from "../../tools/functions/define.ts";
import { loadPlugin, parseGrants, readManifest } from "../../tools/plugins/index.ts";
import { intersect, missingGrants } from "../../tools/plugins/permissions.ts";

let root = "";
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "chorale-plugins-")));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function folder(name: string, files: Readonly<Record<string, string | object>>): string {
  const path = join(root, name);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(path, file, ".."), { recursive: true });
    writeFileSync(
      join(path, file),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  }
  return path;
}

const manifest = (chorale: unknown, more: object = {}): object => ({
  name: "some-plugin",
  version: "1.2.3",
  type: "module",
  chorale,
  ...more,
});

function run(tool: Tool | undefined, input: unknown): Promise<ToolResult> {
  if (tool === undefined) throw new Error("no such tool");
  return executeTool(tool, JSON.stringify(input), {
    signal: new AbortController().signal,
    callId: "call_7",
    approved: true,
    countTokens: (text) => text.length,
    resultTokenLimit: 100_000,
  });
}

describe("manifests", () => {
  test("a search that the code does not define is refused", async () => {
    const path = folder("search", {
      "package.json": manifest({ entry: "./index.js", search: ["nowhere"] }),
      "index.js": `import { defineTool } from "chorale/plugin";
        export default defineTool({ name: "here", description: "d", execute: () => [] });`,
    });
    await expect(loadPlugin(path, { folder: root })).rejects.toThrow(
      "its manifest promises the search nowhere, and its code defines here.",
    );
  });

  test("what is not said has its default", async () => {
    const path = folder("plain", { "package.json": manifest({ entry: "./src/index.ts" }) });
    expect(await readManifest(path, root)).toEqual({
      name: "some-plugin",
      version: "1.2.3",
      description: "",
      folder: path,
      entry: "src/index.ts",
      isolation: "isolate",
      permissions: {},
      search: [],
      limits: {
        memoryMb: 64,
        timeoutMs: 30_000,
        cpuMs: 10_000,
        outputChars: 262_144,
        hostCalls: 256,
      },
      tools: undefined,
    });
  });

  test("an installed package is found by its name, from folders below as well", async () => {
    const path = folder("node_modules/@scope/installed", {
      "package.json": manifest({ entry: "./a.js" }, { name: "@scope/installed" }),
    });
    mkdirSync(join(root, "deep/er"), { recursive: true });
    const found = await readManifest("@scope/installed", join(root, "deep/er"));
    expect(found.folder).toBe(path);
  });

  test.each([
    ["no package.json", {}, /no package.json/],
    ["not JSON", { "package.json": "{" }, /not JSON/],
    ["a list", { "package.json": "[]" }, /no object/],
    [
      "nested 20,000 deep",
      {
        "package.json": `{"name":"a","version":"1.0.0","chorale":${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}}`,
      },
      /package.json nests data deeper than 64/,
    ],
    ["no chorale key", { "package.json": manifest(undefined) }, /no "chorale" key/],
    ["no entry", { "package.json": manifest({}) }, /entry/],
    ["an entry above", { "package.json": manifest({ entry: "../x.js" }) }, /entry/],
    ["an entry of another kind", { "package.json": manifest({ entry: "./x.wasm" }) }, /entry/],
    ["inline", { "package.json": manifest({ entry: "./x.js", isolation: "inline" }) }, /isolation/],
    [
      "a misspelt key",
      { "package.json": manifest({ entry: "./x.js", permision: {} }) },
      /permision/,
    ],
    [
      "a limit beyond what is accepted",
      { "package.json": manifest({ entry: "./x.js", limits: { memoryMb: 100_000 } }) },
      /memoryMb/,
    ],
    [
      "a host that is none",
      { "package.json": manifest({ entry: "./x.js", permissions: { net: ["http://a.com"] } }) },
      /is no host/,
    ],
    ["no version", { "package.json": manifest({ entry: "./x.js" }, { version: "1" }) }, /version/],
    [
      "a name that is none",
      { "package.json": manifest({ entry: "./x.js" }, { name: "A B" }) },
      /name/,
    ],
  ])("%s is refused", async (name, files, problem) => {
    const path = folder(name.replaceAll(/\W/g, "-"), { "other.txt": "", ...files });
    await expect(readManifest(path, root)).rejects.toThrow(problem);
  });

  test("what is neither a folder nor a package is refused", async () => {
    await expect(readManifest("no-such-plugin", root)).rejects.toThrow(/no such folder/);
  });
});

describe("grants", () => {
  test("are read from the words of the command line", () => {
    const words = ["net:a.com", "fs:read:./x", "fs:write:/y", "tools:python", "env:KEY", "process"];
    expect(parseGrants(words)).toEqual({
      net: ["a.com"],
      fs: { read: ["./x"], write: ["/y"] },
      tools: ["python"],
      env: ["KEY"],
      process: true,
    });
  });

  test.each([
    "",
    "net",
    "net:",
    "fs:./x",
    "fs:read:*",
    "net:http://a",
    "env:A-B",
    "tools:a b",
    "all",
  ])("%j is none", (grant) => expect(() => parseGrants([grant])).toThrow(/cannot be given/));

  test("nothing is given that was not asked for, nor asked for that was not given", () => {
    const asked = {
      net: ["api.a.com", "*.b.com"],
      fs: { read: ["./docs", "/etc/hosts"], write: ["*"] },
      tools: ["python", "functions.x"],
      env: ["*"],
    };
    const grant = parseGrants([
      "net:*.a.com",
      "net:b.com",
      "net:x.b.com",
      "fs:read:.",
      "fs:write:./out",
      "tools:*",
      "env:A",
    ]);
    const granted = intersect(asked, grant, "/work");
    expect(granted).toEqual({
      net: ["api.a.com", "x.b.com"],
      fs: { read: ["/work/docs"], write: ["/work/out"] },
      tools: ["python", "functions.x"],
      env: ["A"],
    });
    expect(missingGrants(asked, granted, "/work")).toEqual(["net:*.b.com", "fs:read:/etc/hosts"]);
  });

  test("a star that asks gets nothing where nothing is granted", () => {
    const star = { net: ["*"], fs: { read: ["*"], write: ["*"] }, tools: ["*"], env: ["*"] };
    const nothing = { net: [], fs: { read: [], write: [] }, tools: [], env: [] };
    const stars = intersect(star, parseGrants(["tools:*", "env:*"]), "/work");
    expect(stars).toEqual({ ...nothing, tools: ["*"] });
    expect(missingGrants(star, stars, "/work")).toContain("env:NAME");
    const granted = intersect(star, parseGrants([]), "/work");
    expect(granted).toEqual(nothing);
    expect(missingGrants(star, granted, "/work")).toEqual([
      "net:HOST",
      "fs:read:PATH",
      "fs:write:PATH",
      "tools:NAME",
      "env:NAME",
    ]);
    expect(intersect({}, parseGrants(["net:*", "env:*", "tools:*"]), "/work")).toEqual(nothing);
  });
});

describe("a plugin", () => {
  test("in an isolate: modules, TypeScript, host functions, state, logs", async () => {
    const path = folder("whole", {
      "package.json": manifest({
        entry: "./src/index.ts",
        permissions: {
          fs: { read: ["*"], write: ["*"] },
          env: ["WHO"],
          tools: ["functions.double", "functions.careful"],
        },
        tools: ["greet", "files", "use", "misuse"],
      }),
      "src/index.ts": `
        import { defineTool, fs, env, tools, granted, type ToolContext } from "chorale/plugin";
        import { count } from "./counter.mts";
        import words from "../words.json" with { type: "json" };
        export const greet = defineTool<{ n: number }>({
          name: "greet", description: "Greets", annotations: { readOnlyHint: true }, needsApproval: false,
          inputSchema: { type: "object", properties: { n: { type: "number" } }, required: ["n"] },
          async execute({ n }: { n: number }, context: ToolContext) {
            console.log("greeting", n, { call: context.callId });
            return words.hello + " " + (await env.get("WHO")) + " " + count() + " " + n;
          },
        });
        export default [
          defineTool({ name: "files", description: "", async execute() {
            const [folder] = granted.fs.write;
            await fs.writeText(folder + "/made.txt", "made");
            const listed = await fs.list(folder);
            return { listed, text: await fs.readText("made.txt"), base64: await fs.readBase64("made.txt") };
          } }),
          defineTool({ name: "use", description: "", timeoutMs: 5000, async execute() {
            return { text: (await tools.call("functions.double", { n: 4 })).text, data: [1] };
          } }),
          defineTool({ name: "misuse", description: "", needsApproval: true, async execute() {
            return await tools.call("functions.careful", {});
          } }),
        ];`,
      "src/counter.mts":
        "let n: number = 0; export function count(): number { n += 1; return n as number; }",
      "words.json": '{ "hello": "hello" }',
    });
    const place = folder("place", { "in.txt": "in" });
    const double = defineTool<{ n: number }>({
      name: "double",
      description: "",
      inputSchema: { type: "object", properties: { n: { type: "number" } } },
      execute: ({ n }) => n * 2,
    });
    const careful = defineTool({
      name: "careful",
      description: "",
      needsApproval: true,
      execute: () => "done without asking",
    });
    const logs: string[] = [];
    const plugin = await loadPlugin(path, {
      grant: parseGrants([`fs:write:${place}`, "env:WHO", "tools:*"]),
      folder: place,
      env: { WHO: "you" },
      tools: () => [double as Tool, careful as Tool],
      onLog: (text) => logs.push(text),
    });
    try {
      expect(plugin.missing).toEqual(["fs:read:PATH"]);
      const [byName] = plugin.tools.filter(({ recipient }) => recipient === "functions.greet");
      expect(byName).toMatchObject({ description: "Greets", annotations: { readOnlyHint: true } });
      const tool = (name: string) =>
        plugin.tools.find(({ recipient }) => recipient === `functions.${name}`);
      expect((await run(tool("greet"), { n: 5 })).text).toBe("hello you 1 5");
      expect((await run(tool("greet"), { n: 6 })).text).toBe("hello you 2 6");
      expect(await run(tool("greet"), { n: "six" })).toMatchObject({ status: "failed" });
      expect(logs).toEqual(['greeting 5 {"call":"call_7"}', 'greeting 6 {"call":"call_7"}']);
      expect((await run(tool("files"), {})).data).toEqual({
        listed: [
          { name: "in.txt", kind: "file" },
          { name: "made.txt", kind: "file" },
        ],
        text: "made",
        base64: "bWFkZQ==",
      });
      expect(await run(tool("use"), {})).toMatchObject({ text: "8", data: [1] });
      const misused = await run(tool("misuse"), {});
      expect(misused).toMatchObject({ status: "failed" });
      expect(misused.text).toMatch(/needs the user's approval/);
      const both = await Promise.all([run(tool("greet"), { n: 1 }), run(tool("greet"), { n: 2 })]);
      expect(both.map(({ status }) => status)).toEqual(["completed", "completed"]);
    } finally {
      await plugin.close();
    }
  });

  test("that calls itself has the bounds of one call", async () => {
    const path = folder("recursive", {
      "package.json": manifest({
        entry: "./index.js",
        permissions: { tools: ["*"], env: ["*"] },
        limits: { hostCalls: 20, cpuMs: 300, timeoutMs: 20_000 },
      }),
      "index.js": `import { defineTool, env, tools } from "chorale/plugin";
        export const asks = defineTool({ name: "asks", description: "", inputSchema: true, async execute({ depth }) {
          let asked = 0;
          if (depth > 0) asked = Number((await tools.call("functions.asks", { depth: depth - 1 })).text);
          try {
            for (;; asked++) await env.get("A");
          } catch {
            return asked;
          }
        } });
        export const computes = defineTool({ name: "computes", description: "", inputSchema: true, async execute({ depth }) {
          for (const end = Date.now() + 200; Date.now() < end; );
          return depth === 0 ? "done" : (await tools.call("functions.computes", { depth: depth - 1 })).text;
        } });`,
    });
    const plugin = await loadPlugin(path, {
      grant: parseGrants(["tools:*", "env:A"]),
      tools: (): readonly Tool[] => plugin.tools,
    });
    try {
      const [asks, computes] = plugin.tools;
      expect((await run(asks, { depth: 0 })).text).toBe("20");
      // Calling itself takes five of the 20.
      expect((await run(asks, { depth: 5 })).text).toBe("15");
      expect((await run(computes, { depth: 12 })).text).toMatch(/computed longer than 0.3 s/);
    } finally {
      await plugin.close();
    }
  });

  test("says what its code defines and its manifest does not", async () => {
    const path = folder("other", {
      "package.json": manifest({ entry: "./index.js", tools: ["a"] }),
      "index.js": `import { defineTool } from "chorale/plugin";
        export default defineTool({ name: "b", description: "", execute() {} });`,
    });
    await expect(loadPlugin(path)).rejects.toThrow(/promises the tools a, and its code defines b/);
  });

  test("says what of a tool's schema is not enforced", async () => {
    const path = folder("loose-schema", {
      "package.json": manifest({ entry: "./a.js" }),
      "a.js": `import { defineTool } from "chorale/plugin";
        export default defineTool({
          name: "a", description: "", inputSchema: { properties: { n: { type: "int" } } },
          execute: () => "",
        });`,
    });
    const warnings: string[] = [];
    await using _plugin = await loadPlugin(path, { onWarning: (said) => warnings.push(said) });
    expect(warnings).toEqual([
      'functions.a: type at /properties/n is "int", which is read as "integer".',
    ]);
  });

  test("in a process: npm dependencies, and only with a grant", async () => {
    const path = folder("native", {
      "package.json": manifest({ entry: "./index.js", isolation: "process", tools: ["up"] }),
      "index.js": `import { defineTool } from "chorale/plugin"; import { upper } from "dep";
        export default defineTool({ name: "up", description: "", execute: ({ text }) => upper(text), inputSchema: true });`,
      "node_modules/dep/package.json": { name: "dep", version: "1.0.0", main: "./main.cjs" },
      "node_modules/dep/main.cjs": "exports.upper = (text) => text.toUpperCase();",
    });
    await expect(loadPlugin(path)).rejects.toThrow(/The grant "process" allows it/);
    const plugin = await loadPlugin(path, { grant: parseGrants(["process"]) });
    try {
      expect((await run(plugin.tools[0], { text: "up" })).text).toBe("UP");
    } finally {
      await plugin.close();
    }
  });

  test("reached through a link is the folder that the link leads to", async () => {
    const path = folder("target", {
      "package.json": manifest({ entry: "./index.js" }),
      "index.js": `import { defineTool } from "chorale/plugin";
        export default defineTool({ name: "t", description: "", execute: () => "t" });`,
    });
    symlinkSync(path, join(root, "linked"));
    const plugin = await loadPlugin("linked", { folder: root });
    try {
      expect((await run(plugin.tools[0], {})).text).toBe("t");
    } finally {
      await plugin.close();
    }
    expect((await run(plugin.tools[0], {})).text).toMatch(/the plugin is closed/);
  });
});

describe("a function of the program in an isolate", () => {
  test("runs from its source text, with what the program grants", async () => {
    const tool = defineTool<{ n: number }>({
      name: "square",
      description: "",
      isolation: "isolate",
      permissions: { env: ["PATH"] },
      limits: { memoryMb: 16 },
      inputSchema: { type: "object", properties: { n: { type: "number" } } },
      outputSchema: { type: "object", required: ["square"] },
      async execute({ n }, context) {
        const path = await context.env.get("PATH");
        const outside = "process" in globalThis;
        return { square: n * n, hasPath: typeof path === "string", outside };
      },
    });
    try {
      const result = await run(tool as Tool, { n: 3 });
      expect(result.data).toEqual({ square: 9, hasPath: true, outside: false });
    } finally {
      await tool.close?.();
    }
  });

  test("an arrow function as well; what it refers to outside is not there", async () => {
    const outside = 5;
    const tool = defineTool({
      name: "outer",
      description: "",
      isolation: "isolate",
      execute: () => outside,
    });
    try {
      expect((await run(tool as Tool, {})).text).toMatch(/outside is not defined/);
    } finally {
      await tool.close?.();
    }
  });

  test.each([
    [{ isolation: "isolate", execute: Math.max }, /source text/],
    [{ isolation: "worker", execute: () => 1 }, /isolation is/],
    [{ isolation: "isolate", limits: { memoryMb: 1 }, execute: () => 1 }, /memoryMb/],
    [{ isolation: "isolate", limits: { speed: 1 }, execute: () => 1 }, /unknown limit/],
    [{ permissions: { net: ["a.com"] }, execute: () => 1 }, /has all rights/],
  ])("%o is refused", (definition, problem) => {
    const whole = { name: "t", description: "", ...definition } as never;
    expect(() => defineTool(whole)).toThrow(problem);
  });
});
