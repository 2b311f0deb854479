import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { importsOf, packagesLoadedBy, type SourceFile } from "./import-graph.ts";
import { ALLOWED } from "./rules.ts";
import { circles, violations } from "./violations.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const repositoryFiles: readonly SourceFile[] = globSync(
  Object.keys(ALLOWED).map((folder) => `${folder}/**/*.{ts,mts,js,mjs,cjs}`),
  { cwd: root, exclude: ["**/node_modules/**", "**/target/**"] },
)
  .sort()
  .map((path) => ({ path, text: readFileSync(root + path, "utf8") }));

const rulesFor = (path: string, text: string) =>
  violations([{ path, text }]).map((violation) => violation.rule);

const file = (path: string, text: string): SourceFile => ({ path, text });

describe("who may know whom", () => {
  test("the repository keeps the tables of rules.ts", () => {
    expect(repositoryFiles.length).toBeGreaterThan(10);
    expect(violations(repositoryFiles).map(({ path, rule }) => `${path}: ${rule}`)).toEqual([]);
  });

  test.each([
    [
      "harmony/parse/parser.ts",
      `import { runAgent } from "../../runtime/index.ts";`,
      "must not import runtime",
    ],
    ["harmony/parse/parser.ts", `import { readFileSync } from "node:fs";`, "harmony is pure"],
    [
      "harmony/parse/parser.ts",
      `import { x } from "../vocabulary/index.ts";`,
      "parse/ stands below vocabulary/",
    ],
    [
      "inference/local/session.ts",
      `import { Tokenizer } from "../../harmony/index.ts";`,
      "only types from harmony",
    ],
    [
      "inference/local/session.ts",
      `import { Tool } from "../../tools/index.ts";`,
      "must not import tools",
    ],
    [
      "tools/core/execute.ts",
      `import { openModel } from "../../inference/index.ts";`,
      "must not import inference",
    ],
    [
      "tools/core/execute.ts",
      `const m = await import("../../runtime/agent/agent.ts");`,
      "must not import runtime",
    ],
    [
      "runtime/agent/agent.ts",
      `import { Kernels } from "../../inference/wasm/kernels.ts";`,
      "by its index.ts only",
    ],
    [
      "runtime/agent/agent.ts",
      `import { x } from "../../test/eval/judge.ts";`,
      "must not import test/eval",
    ],
    [
      "examples/ask.ts",
      `import { runAgent } from "../runtime/index.ts";`,
      "must not import runtime",
    ],
    ["runtime/agent/agent.ts", `new WebAssembly.Memory({ initial: 1 });`, "may use WebAssembly"],
    ["runtime/agent/agent.ts", `import { loadPyodide } from "pyodide";`, "may use pyodide"],
    ["tools/browser/open.ts", `const page = await fetch(url);`, "socket or HTTP"],
    ["tools/browser/open.ts", `import net from "node:net";`, "socket or HTTP"],
    [
      "harmony/tokenizer/split.ts",
      `import { parse } from "../parse/parser.ts";`,
      "tokenizer/ stands below parse/",
    ],
    [
      "harmony/render/render.ts",
      `import type { Header } from "../parse/header.ts";`,
      "render/ stands beside parse/, but imports harmony/parse/header.ts (types count)",
    ],
    [
      "inference/wasm/team.ts",
      `export type { Note } from "../workers/messages.ts";`,
      "wasm/ stands below workers/",
    ],
    [
      "inference/wasm/team.ts",
      `const entry = new URL("../workers/worker.ts", import.meta.url);`,
      "wasm/ stands below workers/",
    ],
    [
      "inference/model/load.ts",
      `let note: import("../workers/messages.ts").Note;`,
      "model/ stands below workers/",
    ],
    [
      "tools/core/define.ts",
      `import { Plugin } from "../plugins/index.ts";`,
      "core/ stands below plugins/",
    ],
    [
      "tools/browser/page.ts",
      `import { loadPlugin } from "../plugins/index.ts";`,
      "browser/ stands beside plugins/",
    ],
    [
      "runtime/agent/agent.ts",
      `import { EXIT } from "../cli/exit-codes.ts";`,
      "agent/ stands below cli/",
    ],
    [
      "runtime/server/http.ts",
      `import { runAgent } from "../agent/agent.ts";`,
      "a face of the runtime uses its index.ts and environment.ts",
    ],
    [
      "runtime/cli/serve.ts",
      `import { listen } from "../server/http.ts";`,
      "a face of the runtime uses its index.ts and environment.ts",
    ],
    ["runtime/helpers.ts", `export const x = 1;`, "has no row"],
  ])("%s breaks it with %s", (path, text, rule) => {
    expect(rulesFor(path, text).join("\n")).toContain(rule);
  });

  test("what is allowed is not reported", () => {
    expect(
      violations([
        {
          path: "tools/core/execute.ts",
          text: `import type { JsonSchema } from "../../harmony/index.ts";`,
        },
        {
          path: "runtime/agent/agent.ts",
          text: `import { render } from "../../harmony/index.ts";`,
        },
        {
          path: "runtime/agent/agent.ts",
          text: "// WebAssembly is not our business\nexport const x = 1;",
        },
        { path: "harmony/vocabulary/index.ts", text: `import { readFileSync } from "node:fs";` },
        { path: "examples/ask.ts", text: `import { runAgent } from "chorale";` },
        {
          path: "inference/model/load.ts",
          text: `import { openTensors } from "../checkpoint/open.ts";`,
        },
        { path: "tools/python/launch.ts", text: `import { start } from "../isolate/index.ts";` },
        { path: "runtime/cli/serve.ts", text: `import { listen } from "../server/index.ts";` },
        { path: "runtime/cli/run.ts", text: `import { open } from "../environment.ts";` },
      ]),
    ).toEqual([]);
  });
});

describe("circles of imports", () => {
  test("there is none", () => {
    expect(circles(repositoryFiles)).toEqual([]);
  });

  test("types count, and folders of one row", () => {
    expect(
      circles([
        file("harmony/tokenizer/a.ts", `import type { B } from "./b.ts";`),
        file("harmony/tokenizer/b.ts", `export { C } from "./c.ts";`),
        file("harmony/tokenizer/c.ts", `const { a } = await import("./a.ts");`),
        file("harmony/tokenizer/d.ts", `import { a } from "./a.ts";`),
        file("inference/model/a.ts", `import { a } from "../sampling/a.ts";`),
        file("inference/sampling/b.ts", `import { b } from "../model/b.ts";`),
      ]),
    ).toEqual([
      ["harmony/tokenizer/a.ts", "harmony/tokenizer/b.ts", "harmony/tokenizer/c.ts"],
      ["inference/model/", "inference/sampling/"],
    ]);
  });

  test("a worker may import from the file that starts it", () => {
    expect(
      circles([
        file("tools/core/a.ts", `new Worker(new URL("./b.ts", import.meta.url));`),
        file("tools/core/b.ts", `import { a } from "./a.ts";`),
      ]),
    ).toEqual([]);
  });
});

describe("the scanner", () => {
  test("finds every form of import and says what is left of it at run time", () => {
    const text = `
      import type { A } from "./a.ts"; import { type B } from "./b.ts"; import "./c.ts";
      export * from "./d.ts"; export type { E } from "./e.ts"; export const x = 1;
      const f = await import("./f.ts"); let g: import("./g.ts").G;
      new Worker(new URL("./h.ts", import.meta.url)); new URL("./data.bin", import.meta.url);
      // import "./comment.ts"
      const text = 'import "./text.ts"'; import fs from "node:fs";`;
    const found = importsOf(file("tools/core/x.ts", text));
    expect(Object.fromEntries(found.map(({ specifier, kind }) => [specifier, kind]))).toEqual({
      "./a.ts": "type",
      "./b.ts": "static",
      "./c.ts": "static",
      "./d.ts": "static",
      "./e.ts": "type",
      "./f.ts": "dynamic",
      "./g.ts": "type",
      "./h.ts": "entry",
      "node:fs": "static",
    });
    expect(found[0]?.target).toBe("tools/core/a.ts");
  });

  test("follows what is loaded together with a file", () => {
    const files: Readonly<Record<string, string>> = {
      "a.ts": `import "./b/b.ts"; import type { X } from "typed"; import { y } from "node:fs";`,
      "b/b.ts": `export { z } from "package/part"; import "../a.ts"; import("later");`,
    };
    expect(packagesLoadedBy("a.ts", (path) => files[path] ?? "")).toEqual(["package/part"]);
  });
});
