/** The package used from plain JavaScript, and without the packages that npm may leave out. */
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { folderWith, run } from "./run.ts";

const installed = join(inject("project"), "node_modules");

test("an ES module renders and parses with chorale/harmony alone", () => {
  const folder = folderWith({
    "program.js": `
      import { HarmonyParser, renderForCompletion } from "chorale/harmony";
      import { loadO200kHarmony } from "chorale/harmony/vocabulary";
      const tokenizer = loadO200kHarmony();
      const prompt = renderForCompletion(tokenizer, [
        { role: "user", content: [{ type: "text", text: "Hello" }] },
      ]);
      console.log(tokenizer.decode(prompt));
      const parser = new HarmonyParser({ tokenizer, role: "assistant" });
      for (const id of tokenizer.encodeWithSpecials("<|channel|>final<|message|>Hi<|return|>")) parser.push(id);
      parser.finish();
      console.log(parser.messages[0].text);`,
  });
  expect(run(process.execPath, [join(folder, "program.js")])).toEqual({
    status: 0,
    stdout: "<|start|>user<|message|>Hello<|end|><|start|>assistant\nHi\n",
    stderr: "",
  });
});

test("a CommonJS module can require it", () => {
  const folder = folderWith({
    "program.cjs": `
      const names = ["chorale", "chorale/harmony", "chorale/inference", "chorale/tools", "chorale/jobs", "chorale/minions"];
      console.log(names.map((name) => typeof require(name)).join(" "));`,
  });
  expect(run(process.execPath, [join(folder, "program.cjs")])).toEqual({
    status: 0,
    stdout: "object object object object object object\n",
    stderr: "",
  });
});

test("jobs say which packages they need, which do not come with this one", () => {
  const folder = folderWith({
    "program.js": `
      import { openJobs } from "chorale/jobs";
      await openJobs("postgres://127.0.0.1:9/none").catch(({ code, message }) => console.log(code, message));`,
  });
  const { status, stdout } = run(process.execPath, [join(folder, "program.js")]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^CHORALE_JOBS_PACKAGE .*npm install pg@8 pg-boss@12/);
});

test("what is no entry of the package cannot be imported", () => {
  const program = 'import("chorale/runtime/cli/main.js").catch(({ code }) => console.log(code));';
  const folder = folderWith({ "program.js": program });
  const { stdout } = run(process.execPath, [join(folder, "program.js")]);
  expect(stdout).toBe("ERR_PACKAGE_PATH_NOT_EXPORTED\n");
});

describe.each(["pyodide", "isolated-vm"])("without %s", (name) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "chorale-package-"));
    const modules = join(folder, "node_modules");
    cpSync(join(installed, "chorale"), join(modules, "chorale"), { recursive: true });
    for (const other of readdirSync(installed)) {
      if (other === "chorale" || other === name) continue;
      symlinkSync(join(installed, other), join(modules, other));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("Python says what to install, and the rest works", () => {
    const program = `
      import { createPythonTool, loadModel } from "chorale";
      try {
        createPythonTool();
      } catch ({ code, message }) {
        console.log(code, message);
      }
      const model = await loadModel();
      console.log(typeof model);
      await model.close();`;
    writeFileSync(join(folder, "program.mjs"), program);
    const { status, stdout } = run(process.execPath, ["program.mjs"], { cwd: folder });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^CHORALE_PYTHON_UNAVAILABLE .*\nobject\n$/);
    expect(stdout).toMatch(
      new RegExp(`Install it with: npm install ${name}@\\d+\\.\\d+\\.\\d+\\n`),
    );
  });

  test("the command says it too, and answers", () => {
    const launcher = join(
      folder,
      "node_modules",
      "chorale",
      "dist",
      "runtime",
      "cli",
      "launcher.js",
    );
    const args = [launcher, "run", "--seed", "1", "What is the capital of France?"];
    const { status, stderr } = run(process.execPath, args, { cwd: folder });
    expect(status).toBe(0);
    expect(stderr).toContain(`npm install ${name}@`);
  });
});
