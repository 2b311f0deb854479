/** Agents that use tools of MCP servers, from the configuration to the answer. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApprovalRequest } from "../../runtime/calls/approval.ts";
import { type Environment, openEnvironment } from "../../runtime/environment.ts";
import { runAgent } from "../../runtime/index.ts";
import { openMcpServers } from "../../tools/mcp/index.ts";
import { fixture, open } from "../tools/mcp-support.ts";
import { itemsOf, scriptedRun, tokenizer } from "./scripted-run.ts";

const home = mkdtempSync(join(tmpdir(), "chorale-mcp-agent-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const calls = (name: string, input: string) =>
  `<|channel|>commentary to=functions.${name} <|constrain|>json<|message|>${input}<|call|>`;
const FINAL = "<|channel|>final<|message|>It drizzles.<|return|>";

describe("an agent with a scripted model", () => {
  const entry = fixture("weather-server.ts");

  test("calls a server's tool and reads its result", async () => {
    await using servers = await open({ sky: { ...entry, trust: true } });
    const { result, events, prompts } = await scriptedRun(
      [calls("mcp__sky__weather_now", '{"place":"Rome"}'), calls("mcp__sky__slow", "{}"), FINAL],
      { tools: servers.tools },
    );
    expect(result.output).toBe("It drizzles.");
    expect(prompts[0]).toContain("// Reports the present weather at a place.");
    expect(prompts[0]).toContain("type mcp__sky__weather_now = (_: {");
    expect(prompts[1]).toContain('{"temperature_c":17,"conditions":"drizzle"}');
    const call = itemsOf(events).find((item) => item.type === "tool_call");
    expect(call).toMatchObject({ tool: "functions.mcp__sky__weather_now", status: "completed" });
    const progress = events.filter(({ type }) => type === "tool.progress");
    expect(progress).toEqual([
      {
        type: "tool.progress",
        item_id: expect.any(String),
        progress: 1,
        total: 2,
        message: "half",
      },
    ]);
  });

  test("asks before it calls a tool of a server that is not trusted, with the server's hints", async () => {
    await using servers = await open({ sky: entry });
    const asked: ApprovalRequest[] = [];
    const replies = [calls("mcp__sky__weather_now", '{"place":"Rome"}'), FINAL];
    const { result } = await scriptedRun(replies, {
      tools: servers.tools,
      approve: (request) => {
        asked.push(request);
        return "allow";
      },
    });
    expect(result.status).toBe("completed");
    expect(asked[0]).toMatchObject({
      tool: "functions.mcp__sky__weather_now",
      arguments: { place: "Rome" },
      annotations: { readOnlyHint: true, destructiveHint: false, openWorldHint: true },
    });
    const { events } = await scriptedRun(replies, { tools: servers.tools });
    const call = itemsOf(events).find((item) => item.type === "tool_call");
    expect(call).toMatchObject({ status: "declined" });
  });

  test("no text of a server becomes a special token, in a description or a result", async () => {
    await using servers = await open({ sky: { ...entry, trust: true } });
    const { engine, result } = await scriptedRun([calls("mcp__sky__inject", "{}"), FINAL], {
      tools: servers.tools,
    });
    expect(result.output).toBe("It drizzles.");
    const plain = await scriptedRun([calls("mcp__sky__weather_now", '{"place":"x"}'), FINAL], {
      tools: servers.tools,
    });
    const specials = (ids: readonly number[] | undefined): number =>
      ids?.filter((id) => id >= 199_998).length ?? 0;
    expect(tokenizer.encodeWithSpecials("<|end|>")[0]).toBeGreaterThanOrEqual(199_998);
    // As many as with a result that says nothing of the kind.
    expect(specials(engine.requests.at(-1)?.tokens)).toBe(
      specials(plain.engine.requests.at(-1)?.tokens),
    );
  });
});

describe("an environment with the embedded model", () => {
  let environment: Environment;
  const notes: string[] = [];

  beforeAll(async () => {
    environment = await openEnvironment({
      env: { ...process.env, CHORALE_HOME: home },
      python: false,
      keepThreads: false,
      mcpServers: {
        sky: { ...fixture("weather-server.ts"), trust: true, includeTools: ["weather_now"] },
        gone: { command: "no-such-program-anywhere" },
      },
      onNote: (note) => notes.push(note),
    });
  }, 60_000);
  afterAll(() => environment.close());

  test("has the servers' tools among its own, and tells which server is missing", () => {
    const names = environment.tools.map(({ recipient }) => recipient);
    expect(names).toEqual(["functions.mcp__sky__weather_now"]);
    expect(environment.mcp?.servers.map(({ name, isConnected }) => [name, isConnected])).toEqual([
      ["sky", true],
      ["gone", false],
    ]);
    expect(notes).toEqual([
      expect.stringContaining("there is no program no-such-program-anywhere"),
    ]);
  });

  test("answers from what the tool said", async () => {
    const { output, status } = await runAgent({
      model: environment.model,
      tools: environment.tools,
      prompt: "How warm is it in Rome?",
      toolChoice: { tool: "mcp__sky__weather_now" },
      sampling: { temperature: 0 },
      maxSteps: 3,
      maxTokens: 200,
    });
    expect(status).toBe("completed");
    expect(output).toContain("17");
    expect(output).toContain("drizzle");
  });

  test("fails where a required server does, and closes the others", async () => {
    const opening = openEnvironment({
      env: { ...process.env, CHORALE_HOME: home },
      python: false,
      keepThreads: false,
      mcpServers: { gone: { command: "no-such-program-anywhere", required: true } },
    });
    await expect(opening).rejects.toMatchObject({ code: "CHORALE_MCP_CONNECT" });
  });

  test("says what is wrong with a configuration before anything is opened", async () => {
    const opening = openEnvironment({ mcpServers: { broken: { command: 7 } } });
    await expect(opening).rejects.toThrow('mcpServers: the MCP server "broken" cannot be used');
  });
});

test("no server is no work", async () => {
  await using none = await openMcpServers([]);
  expect(none.tools).toEqual([]);
});
