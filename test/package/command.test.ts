/** The command of the installed package. */
import { cpSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, inject, test } from "vitest";
import { oldNode } from "../cli/old-node.ts";
import { folderWith, run } from "./run.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const chorale = join(inject("project"), "node_modules", ".bin", "chorale");
const version = expect.stringMatching(/^\d+\.\d+\.\d+\n$/);

type Event = { readonly type: string; readonly item?: Record<string, unknown> };

function itemsOf(stdout: string): Record<string, unknown>[] {
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
  return events.flatMap(({ type, item }) => (type === "item.completed" && item ? [item] : []));
}

describe("chorale", () => {
  test("answers with the embedded model and sandboxed Python", () => {
    const { status, stdout } = run(chorale, ["run", "--json", "What is 17 * 23?"]);
    expect(status).toBe(0);
    const items = itemsOf(stdout);
    expect(items).toContainEqual(
      expect.objectContaining({ type: "code_execution", status: "completed", output: "391" }),
    );
    expect(items.at(-1)).toMatchObject({
      type: "agent_message",
      text: expect.stringContaining("391"),
    });
  });

  test("runs a plugin, and functions of a file that imports from the package", () => {
    const folder = folderWith({
      "tool.ts": `
        import { defineTool } from "chorale";
        export default defineTool<{ name: string }>({
          name: "greet",
          description: "Greets.",
          inputSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
          execute: ({ name }) => \`Hello, \${name}!\`,
        });`,
    });
    const called = run(chorale, [
      "tools",
      "call",
      "greet",
      '{"name":"Ada"}',
      "--tool",
      join(folder, "tool.ts"),
    ]);
    expect(called).toMatchObject({ status: 0, stdout: expect.stringContaining("Hello, Ada!") });

    cpSync(join(root, "examples", "plugin"), join(folder, "plugin"), { recursive: true });
    const grant = `fs:read:${join(folder, "plugin", "notes")}`;
    const plugin = ["--plugin", join(folder, "plugin"), "--grant", grant];
    const searched = run(chorale, ["tools", "call", "search_notes", '{"query":"tea"}', ...plugin]);
    expect(searched).toMatchObject({ status: 0, stdout: expect.stringContaining("tea.md") });
  });

  test("writes an entry into a configuration of another program", () => {
    const folder = folderWith({ "models.json": '{ "providers": { "mine": {} } } // mine' });
    const env = { PI_CODING_AGENT_DIR: folder };
    const flags = ["--url", "http://127.0.0.1:9", "--model", "m", "--write"];
    expect(run(chorale, ["connect", "pi", ...flags], { env }).status).toBe(0);
    const written = readFileSync(join(folder, "models.json"), "utf8");
    expect(written).toMatch(/"mine": \{\}.*"chorale": \{.*127\.0\.0\.1:9.* \/\/ mine$/s);
  });

  test("makes a new plugin whose tests pass", () => {
    const folder = folderWith({});
    expect(run(chorale, ["tools", "new", "word-count"], { cwd: folder }).status).toBe(0);
    const tested = run(chorale, ["tools", "test", "word-count"], { cwd: folder });
    expect(tested).toMatchObject({ status: 0 });
  });

  test("is found by npx, by a link, and when it is installed globally", () => {
    expect(run("npx", ["--no-install", "chorale", "--version"])).toMatchObject({
      status: 0,
      stdout: version,
    });

    const link = join(folderWith({}), "linked");
    symlinkSync(chorale, link);
    expect(run(link, ["--version"])).toEqual({ status: 0, stdout: version, stderr: "" });

    const prefix = inject("globalPrefix");
    const installed =
      process.platform === "win32" ? join(prefix, "chorale.cmd") : join(prefix, "bin", "chorale");
    const { status, stdout } = run(installed, ["run", "--seed", "1", "What is 2 + 3?"], {
      cwd: "/",
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining("5") });
  });
});

const old = oldNode();

describe.skipIf(old === undefined)("under an old Node", () => {
  test("chorale says in one sentence which Node it needs", () => {
    const { status, stdout, stderr } = run(chorale, ["run", "hi"], { node: old ?? "" });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(
      /^chorale: Node 24 or newer is needed, and this is [\d.]+: install .*\n$/,
    );
  });
});
