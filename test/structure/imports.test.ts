import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ALLOWED, type SourceFile, violations } from "./imports.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

function repositoryFiles(): SourceFile[] {
  const patterns = Object.keys(ALLOWED).map((folder) => `${folder}/**/*.{ts,mts,js,mjs,cjs}`);
  return globSync(patterns, { cwd: root, exclude: ["**/node_modules/**", "**/target/**"] })
    .sort()
    .map((path) => ({ path, text: readFileSync(root + path, "utf8") }));
}

const rulesFor = (path: string, text: string) =>
  violations([{ path, text }]).map((violation) => violation.rule);

describe("who may know whom", () => {
  test("the repository keeps the table of ARCHITECTURE.md", () => {
    const files = repositoryFiles();
    expect(files.length).toBeGreaterThan(10);
    expect(violations(files)).toEqual([]);
  });

  test.each([
    [
      "harmony/parser.ts",
      `import { runAgent } from "../runtime/index.ts";`,
      "must not import runtime",
    ],
    ["harmony/parser.ts", `import { readFileSync } from "node:fs";`, "harmony is pure"],
    [
      "harmony/parser.ts",
      `import { x } from "./vocabulary/index.ts";`,
      "must not load the vocabulary",
    ],
    [
      "inference/session.ts",
      `import { Tokenizer } from "../harmony/index.ts";`,
      "only types from harmony",
    ],
    ["inference/session.ts", `import { Tool } from "../tools/index.ts";`, "must not import tools"],
    [
      "tools/execute.ts",
      `import { openModel } from "../inference/index.ts";`,
      "must not import inference",
    ],
    [
      "tools/execute.ts",
      `const m = await import("../runtime/agent.ts");`,
      "must not import runtime",
    ],
    [
      "runtime/agent.ts",
      `import { Kernels } from "../inference/wasm/kernels.ts";`,
      "by its index.ts only",
    ],
    ["runtime/agent.ts", `import { x } from "../test/eval/judge.ts";`, "must not import test/eval"],
    [
      "examples/ask.ts",
      `import { runAgent } from "../runtime/index.ts";`,
      "must not import runtime",
    ],
    ["runtime/agent.ts", `new WebAssembly.Memory({ initial: 1 });`, "may use WebAssembly"],
    ["runtime/agent.ts", `import { loadPyodide } from "pyodide";`, "may use pyodide"],
    ["tools/browser/open.ts", `const page = await fetch(url);`, "socket or HTTP"],
    ["tools/browser/open.ts", `import net from "node:net";`, "socket or HTTP"],
  ])("%s breaks it with %s", (path, text, rule) => {
    expect(rulesFor(path, text).join("\n")).toContain(rule);
  });

  test("what is allowed is not reported", () => {
    expect(
      violations([
        {
          path: "tools/execute.ts",
          text: `import type { JsonSchema } from "../harmony/index.ts";`,
        },
        { path: "runtime/agent.ts", text: `import { render } from "../harmony/index.ts";` },
        {
          path: "runtime/agent.ts",
          text: "// WebAssembly is not our business\nexport const x = 1;",
        },
        { path: "harmony/vocabulary/index.ts", text: `import { readFileSync } from "node:fs";` },
        { path: "examples/ask.ts", text: `import { runAgent } from "chorale";` },
      ]),
    ).toEqual([]);
  });
});
