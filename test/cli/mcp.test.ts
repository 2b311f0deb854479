/** `chorale mcp …`, and servers in `chorale run`. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { call, fixture, open } from "../tools/mcp-support.ts";
import { chorale, launcher, type Ran } from "./chorale.ts";

const root = mkdtempSync(join(tmpdir(), "chorale-mcp-cli-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder = "";
let project = "";
let count = 0;
beforeEach(() => {
  folder = join(root, String(count++));
  project = join(folder, "project");
  mkdirSync(project, { recursive: true });
});

const { command, args } = fixture("weather-server.ts");

function run(...words: readonly string[]): Promise<Ran> {
  return chorale(words, {
    home: join(folder, "state"),
    cwd: project,
    env: { XDG_CONFIG_HOME: join(folder, "config"), CHORALE_CONFIG: "" },
  });
}

const userFile = () => join(folder, "config", "chorale", "mcp.json");

describe("a server of the user's own", () => {
  test("is added, tried out, called and removed", async () => {
    const added = await run("mcp", "add", "sky", "--env", "A=b", "--", command, ...args);
    expect(added.stderr).toBe("");
    expect(JSON.parse(readFileSync(userFile(), "utf8"))).toEqual({
      mcpServers: { sky: { command, args, env: { A: "b" } } },
    });
    const tried = await run("mcp", "test", "sky");
    expect(tried.stdout).toContain("sky: works, calls itself fixture 1\n  mcp__sky__weather_now\n");
    expect(tried.stdout).toContain("< |end| >< |start| >assistant");
    const called = await run("mcp", "call", "sky", "weather_now", '{"place":"Rome"}');
    expect(called).toMatchObject({
      code: 0,
      stdout: '{"temperature_c":17,"conditions":"drizzle"}\n',
    });
    expect((await run("mcp", "add", "sky", "x")).stderr).toContain(
      'has an MCP server "sky" already',
    );
    expect((await run("mcp", "remove", "sky")).code).toBe(0);
    expect(JSON.parse(readFileSync(userFile(), "utf8"))).toEqual({ mcpServers: {} });
  });

  test("with a URL keeps its secrets out of the list", async () => {
    const header = "Authorization: Bearer a-secret";
    await run("mcp", "add", "web", "https://example.com/mcp", "--header", header);
    const { stdout } = await run("mcp", "list");
    expect(stdout).toContain("web: https://example.com/mcp\n");
    expect(stdout).not.toContain("a-secret");
  });

  test("that cannot be is refused", async () => {
    const refused: readonly (readonly [readonly string[], string])[] = [
      [["mcp", "add", "x", "ftp://y"], "accepted: http://… or https://…"],
      [["mcp", "add", "x", "https://y", "z"], "Behind a URL nothing is expected; found z."],
      [["mcp", "add", "x", "--header", "A: b", "--", "y"], "are for a server with a URL"],
      [["mcp", "test", "x"], 'No MCP server "x" is configured; there is none.'],
      [["mcp", "remove", "x"], 'has no MCP server "x"; it has none.'],
      [["mcp", "test", "--mcp", "no-such-file"], "no-such-file cannot be read as JSON"],
    ];
    const told = await Promise.all(refused.map(([words]) => run(...words)));
    for (const [at, { code, stderr }] of told.entries()) {
      expect(stderr).toContain(refused[at]?.[1]);
      expect(code).toBe(2);
    }
  });
});

describe("a server of a project", () => {
  beforeEach(() => {
    const mcpServers = { sky: { command, args, trust: true } };
    writeFileSync(join(project, ".mcp.json"), JSON.stringify({ mcpServers }));
  });

  test("is not started before the user has agreed to it, and again when it has changed", async () => {
    const before = await run("mcp", "test", "sky");
    expect(before.stderr).toContain("You have not agreed to the MCP server sky");
    expect((await run("mcp", "trust")).stderr).toContain("There is no terminal to answer it");
    const agreed = await run("mcp", "trust", "--yes");
    expect(agreed.stdout).toContain("Agreed to sky.");
    expect((await run("mcp", "test")).stdout).toContain("sky: works");
    const changed = { mcpServers: { sky: { command, args: [...args, "more"], trust: true } } };
    writeFileSync(join(project, ".mcp.json"), JSON.stringify(changed));
    expect((await run("mcp", "test", "sky")).stderr).toContain("You have not agreed");
  });

  test("is left out of a run, which says so", async () => {
    const { code, stderr } = await run("run", "What is 2 + 2?", "--seed", "1");
    expect(code).toBe(0);
    expect(stderr).toContain(
      ".mcp.json of this folder names MCP servers that you have not agreed to, so they are not started: sky.",
    );
  });
});

test("a run has the servers of the file that it names, or says what is wrong with them", async () => {
  const file = join(folder, "servers.json");
  writeFileSync(file, JSON.stringify({ mcpServers: { sky: { command: "no-such-program" } } }));
  const missing = await run("run", "What is 2 + 2?", "--seed", "1", "--mcp", file);
  expect(missing.code).toBe(0);
  expect(missing.stderr).toContain("there is no program no-such-program");
  writeFileSync(file, JSON.stringify({ mcpServers: { sky: { command: "x", args: "y" } } }));
  const wrong = await run("run", "What is 2 + 2?", "--mcp", file);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('its args is "y"; accepted: a list of texts');
});

test("the other way round, it offers its own tools to another agent", async () => {
  const docs = join(folder, "docs");
  mkdirSync(docs);
  writeFileSync(join(docs, "travel.md"), "# Travel\n\nThe head of finance approves travel.\n");
  await using servers = await open({
    own: {
      command: process.execPath,
      args: [launcher, "mcp", "serve", "--docs", docs],
      env: { CHORALE_HOME: join(folder, "state") },
      timeout: 120_000,
    },
  });
  expect(servers.servers[0]?.problem).toBeUndefined();
  expect(servers.servers[0]?.tools.map(({ originalName }) => originalName)).toEqual([
    "python",
    "validate_json",
    "validate_xml",
    "browser_search",
    "browser_open",
    "browser_find",
  ]);
  expect(await call(servers, "mcp__own__python", { code: "x = 6\nprint(x * 7)" })).toMatchObject({
    text: expect.stringContaining("42"),
  });
  // The session is kept from call to call.
  expect((await call(servers, "mcp__own__python", { code: "print(x + 1)" })).text).toContain("7");
  const found = await call(servers, "mcp__own__browser_search", { query: "travel" });
  expect(found.text).toContain("The head of finance approves");
});

test("what it serves ends with its client, or with Ctrl-C", async () => {
  const input = `${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" })}\n`;
  const home = join(folder, "state");
  const served = await chorale(["mcp", "serve", "--no-python"], { home, stdin: input });
  expect(served.code).toBe(0);
  expect(JSON.parse(served.stdout)).toMatchObject({ id: 1 });
  const stopped = await chorale(["mcp", "serve", "--no-python", "--http", "0"], {
    home,
    whileRunning: (child) => {
      child.stderr?.on("data", (text: string) => {
        if (text.includes("serving 2 tools at http://127.0.0.1:")) child.kill("SIGINT");
      });
    },
  });
  expect(stopped.code).toBe(130);
});
