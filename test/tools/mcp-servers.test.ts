/** Servers from npm, as a user has them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { McpServers } from "../../tools/mcp/index.ts";
import { call, fixture, npmServer, open } from "./mcp-support.ts";

const folder = mkdtempSync(join(tmpdir(), "chorale-mcp-"));
const docs = join(folder, "docs");
const notes: string[] = [];
const asked: string[] = [];
let servers: McpServers;

beforeAll(async () => {
  mkdirSync(docs);
  writeFileSync(join(docs, "a.txt"), "first\nsecond\n");
  servers = await open(
    {
      everything: { ...npmServer("everything"), roots: [docs] },
      filesystem: { ...npmServer("filesystem", docs), excludeTools: ["move_file"] },
      memory: { ...npmServer("memory"), env: { MEMORY_FILE_PATH: join(folder, "memory.json") } },
      thinking: { ...npmServer("sequential-thinking"), trust: true },
      missing: { command: "no-such-program-anywhere" },
    },
    {
      env: { ...process.env, CHORALE_TEST_TOKEN: "a-secret", LANG: "C" },
      artifactFolder: join(folder, "artifacts"),
      onNote: (note) => notes.push(note),
      onElicit: async ({ server, message }) => {
        asked.push(`${server}: ${message}`);
        return { action: "accept", content: { name: "Ada" } };
      },
    },
  );
}, 60_000);

afterAll(async () => {
  await servers.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("servers from npm", () => {
  test("are opened together; one that is not there is a note", () => {
    const states = servers.servers.map(({ name, isConnected }) => [name, isConnected]);
    expect(states).toEqual([
      ["everything", true],
      ["filesystem", true],
      ["memory", true],
      ["thinking", true],
      ["missing", false],
    ]);
    expect(notes).toEqual([
      "The MCP server missing (no-such-program-anywhere) cannot be used: it could not be started: there is no program no-such-program-anywhere.",
    ]);
  });

  test("have tools under names of their own, which need approval unless the server is trusted", () => {
    const tool = (name: string) =>
      servers.tools.find(({ recipient }) => recipient === `functions.${name}`);
    expect(tool("mcp__filesystem__read_text_file")).toMatchObject({
      needsApproval: true,
      origin: "mcp",
      annotations: { readOnlyHint: true },
    });
    expect(tool("mcp__filesystem__move_file")).toBeUndefined();
    expect(tool("mcp__thinking__sequentialthinking")?.needsApproval).toBe(false);
    expect(servers.servers[1]?.tools[0]).toMatchObject({
      name: "mcp__filesystem__read_file",
      originalName: "read_file",
    });
  });

  test("files are read and written, also beyond the folder that was given: no", async () => {
    const path = join(docs, "b.txt");
    expect(
      await call(servers, "mcp__filesystem__write_file", { path, content: "x" }),
    ).toMatchObject({
      status: "completed",
    });
    expect(readFileSync(path, "utf8")).toBe("x");
    const outside = { path: join(folder, "memory.json") };
    expect(await call(servers, "mcp__filesystem__read_text_file", outside)).toMatchObject({
      status: "failed",
      text: expect.stringContaining("outside allowed directories"),
    });
  });

  test("memory is kept, and what is structured is kept as such", async () => {
    const entities = [{ name: "Ada", entityType: "person", observations: ["wrote programs"] }];
    await call(servers, "mcp__memory__create_entities", { entities });
    const { structuredContent } = await call(servers, "mcp__memory__read_graph");
    expect(structuredContent).toEqual({ entities, relations: [] });
  });

  test("arguments are checked before the server sees them", async () => {
    const { text, status } = await call(servers, "mcp__everything__get_sum", { a: 1 });
    expect(status).toBe("failed");
    expect(text).toContain('missing "b"');
  });

  test("structured content has passed its schema", async () => {
    const result = await call(servers, "mcp__everything__get_structured_content", {
      location: "New York",
    });
    expect(result).toMatchObject({
      status: "completed",
      structuredContent: { conditions: expect.any(String) },
    });
  });

  test("an image is a file for the user, and a sentence for the model", async () => {
    const { text, data, content } = await call(servers, "mcp__everything__get_tiny_image");
    const { artifacts } = data as { artifacts: { path: string; name: string; bytes: number }[] };
    expect(artifacts[0]?.name).toBe("everything-get-tiny-image-1.png");
    expect([...readFileSync(artifacts[0]?.path ?? "").subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
    expect(text).toContain("was saved for the user as everything-get-tiny-image-1.png");
    expect(content).toContainEqual(expect.objectContaining({ type: "image" }));
  });

  test("progress is told, and cancelling ends the call at once", async () => {
    const told: unknown[] = [];
    const name = "mcp__everything__trigger_long_running_operation";
    const onProgress = (progress: unknown) => told.push(progress);
    const { status } = await call(servers, name, { duration: 0.2, steps: 3 }, { onProgress });
    expect(status).toBe("completed");
    expect(told).toContainEqual({ progress: 1, total: 3 });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    const cancelled = await call(
      servers,
      name,
      { duration: 60, steps: 3 },
      { signal: stop.signal },
    );
    expect(cancelled).toMatchObject({
      status: "failed",
      text: expect.stringContaining("cancelled"),
    });
    // The server goes on to work.
    expect((await call(servers, "mcp__everything__echo", { message: "hi" })).text).toBe("Echo: hi");
  });

  test("questions go to the user, and answers get the schema's defaults", async () => {
    const { text } = await call(servers, "mcp__everything__trigger_elicitation_request");
    expect(asked).toEqual([expect.stringMatching(/^everything: /)]);
    expect(text).toContain("Ada");
    expect(text).toContain("It was a dark and stormy night.");
  });

  test("they are told the folders that they may work in", async () => {
    const { text } = await call(servers, "mcp__everything__get_roots_list");
    expect(text).toContain("docs");
  });

  test("their processes have no secret of this one", async () => {
    const { text } = await call(servers, "mcp__everything__get_env");
    expect(text).not.toContain("a-secret");
    expect(JSON.parse(text)).toMatchObject({ LANG: "C" });
  });

  test("resources are listed and read, by programs and by a model", async () => {
    const [first] = await servers.listResources("everything");
    expect(first).toMatchObject({ server: "everything", isTemplate: false });
    const [content] = await servers.readResource("everything", first?.uri ?? "");
    expect(content?.text).toContain("Everything Server");
    expect((await call(servers, "list_mcp_resources")).text).toContain(first?.uri);
    const read = { server: "everything", uri: first?.uri };
    expect((await call(servers, "read_mcp_resource", read)).text).toContain("Everything Server");
    const unknown = { server: "everything", uri: "demo://nothing/here" };
    expect(await call(servers, "read_mcp_resource", unknown)).toMatchObject({ status: "failed" });
  });

  test("prompts are listed and made", async () => {
    const names = (await servers.listPrompts()).map(({ name }) => name);
    expect(names).toContain("args-prompt");
    const messages = await servers.getPrompt("everything", "args-prompt", { city: "Rome" });
    expect(JSON.stringify(messages)).toContain("Rome");
    await expect(servers.getPrompt("nowhere", "x")).rejects.toThrow(
      'There is no MCP server "nowhere"; there are everything, filesystem, memory, thinking.',
    );
  });
});

describe("a server that", () => {
  test("is required and cannot be used ends the opening, and the others with it", async () => {
    const marker = join(folder, "pid");
    const code = `require("fs").writeFileSync(${JSON.stringify(marker)}, String(process.pid)); process.stdin.resume()`;
    const silent = { command: process.execPath, args: ["-e", code] };
    const wait = `const wait = () => require("fs").existsSync(${JSON.stringify(marker)}) ? process.exit(3) : setTimeout(wait, 50); wait()`;
    const broken = { command: process.execPath, args: ["-e", wait], required: true };
    const opening = open({ silent, broken });
    await expect(opening).rejects.toMatchObject({ code: "CHORALE_MCP_CONNECT", server: "broken" });
    expect(() => process.kill(Number(readFileSync(marker, "utf8")), 0)).toThrow("ESRCH");
  });

  test("has no answer for its user gets a refusal", async () => {
    await using quiet = await open({ everything: npmServer("everything") });
    const { text } = await call(quiet, "mcp__everything__trigger_elicitation_request");
    expect(text).toMatch(/declined/i);
  });

  test("says that its tools have changed has them listed anew", async () => {
    const changed = Promise.withResolvers<void>();
    await using growing = await open(
      { growing: fixture("growing-server.ts") },
      { onToolsChanged: () => changed.resolve() },
    );
    const names = () => growing.tools.map(({ recipient }) => recipient);
    expect(names()).toEqual(["functions.mcp__growing__grow"]);
    expect((await call(growing, "mcp__growing__grow")).text).toBe("done");
    await changed.promise;
    expect(names()).toEqual(["functions.mcp__growing__grow", "functions.mcp__growing__grown"]);
    expect((await call(growing, "mcp__growing__grown")).text).toBe("done");
  });
});
