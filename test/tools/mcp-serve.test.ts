/** Tools of this program as an MCP server: spoken to by its own client, and by hand. */
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineTool } from "../../tools/functions/define.ts";
import {
  type McpServers,
  type ServedHttp,
  serveMcpHttp,
  validatorTools,
} from "../../tools/mcp/index.ts";
import { call, open } from "./mcp-support.ts";

const stopped: string[] = [];
const wait = defineTool({
  name: "wait",
  description: "Waits until it is told to end.",
  inputSchema: { type: "object" },
  execute: async (_, { signal, onProgress }) => {
    onProgress?.({ progress: 1, total: 2, message: "half" });
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    stopped.push("wait");
    return "ended";
  },
});
const raw = {
  recipient: "python",
  description: "Says what it was given.",
  inputSchema: null,
  timeoutMs: 1_000,
  execute: async (code: unknown) => ({ text: `code: ${code}` }),
};

let server: ServedHttp;
let servers: McpServers;
const stop = new AbortController();

beforeAll(async () => {
  server = await serveMcpHttp(
    {
      tools: [wait, raw, ...validatorTools()],
      version: "1",
      countTokens: (text) => Math.ceil(text.length / 4),
      limits: { calls: 2, resultTokens: 200 },
      signal: stop.signal,
      onNote: () => {},
    },
    { port: 0, token: "t0ken" },
  );
  const headers = { Authorization: "Bearer t0ken" };
  servers = await open({ own: { url: server.url, headers, timeout: 20_000 } });
}, 60_000);

afterAll(async () => {
  await servers.close();
  await server[Symbol.asyncDispose]();
});

/** A request by hand. */
function ask(headers: Readonly<Record<string, string>>, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(server.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
    });
    asked.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

const PING = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });

describe("a served tool", () => {
  test("is listed under a name that any model can write", () => {
    expect(servers.servers[0]?.tools.map(({ originalName }) => originalName)).toEqual([
      "wait",
      "python",
      "validate_json",
      "validate_xml",
    ]);
  });

  test("that takes raw text has it as an argument", async () => {
    expect(await call(servers, "mcp__own__python", { code: "1 + 1" })).toMatchObject({
      status: "completed",
      text: "code: 1 + 1",
    });
    expect(await call(servers, "mcp__own__python", { code: 7 })).toMatchObject({
      status: "failed",
    });
  });

  test("has results of a bounded length", async () => {
    const { text } = await call(servers, "mcp__own__python", { code: "x".repeat(100_000) });
    expect(text).toContain("tokens cut here");
    expect(text.length).toBeLessThan(2_000);
  });

  test("tells its progress, ends when it is cancelled, and is not run too often at once", async () => {
    const told: unknown[] = [];
    const cancel = new AbortController();
    const started = Promise.withResolvers<void>();
    const options = {
      signal: cancel.signal,
      onProgress: (progress: unknown) => {
        told.push(progress);
        if (told.length === 2) started.resolve();
      },
    };
    const both = [
      call(servers, "mcp__own__wait", {}, options),
      call(servers, "mcp__own__wait", {}, options),
    ];
    await started.promise;
    expect(told[0]).toEqual({ progress: 1, total: 2, message: "half" });
    expect(await call(servers, "mcp__own__python", { code: "1" })).toMatchObject({
      status: "failed",
      text: expect.stringContaining("2 calls are running already"),
    });
    cancel.abort();
    await Promise.all(both);
    await expect.poll(() => stopped.length).toBe(2);
    expect((await call(servers, "mcp__own__python", { code: "1" })).status).toBe("completed");
  });
});

describe("the validator", () => {
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };

  test("checks JSON", async () => {
    const good = await call(servers, "mcp__own__validate_json", { schema, text: '{"n":1}' });
    expect(good).toMatchObject({ text: "It is valid.", structuredContent: { valid: true } });
    const bad = await call(servers, "mcp__own__validate_json", { schema, text: '{"n":"x"}' });
    expect(bad).toMatchObject({
      status: "completed",
      structuredContent: { valid: false, errors: [{ path: "/n" }] },
    });
    const none = await call(servers, "mcp__own__validate_json", { schema: { type: 7 }, text: "1" });
    expect(none.status).toBe("failed");
  });

  test("checks XML", async () => {
    const xsd =
      '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="n" type="xs:int"/></xs:schema>';
    const good = await call(servers, "mcp__own__validate_xml", { xsd, text: "<n>1</n>" });
    expect(good.structuredContent).toMatchObject({ valid: true });
    const bad = await call(servers, "mcp__own__validate_xml", { xsd, text: "<n>x</n>" });
    expect(bad.structuredContent).toMatchObject({ valid: false, errors: [{ line: 1 }] });
  });
});

describe("the port", () => {
  const authorization = "Bearer t0ken";

  test("is for those who have the token", async () => {
    expect(await ask({ authorization }, PING)).toBe(200);
    expect(await ask({}, PING)).toBe(401);
    expect(await ask({ authorization: "Bearer other" }, PING)).toBe(401);
  });

  test("is for no page of another site, by whatever name it finds this machine", async () => {
    expect(await ask({ authorization, host: "evil.example" }, PING)).toBe(403);
    expect(await ask({ authorization, origin: "https://evil.example" }, PING)).toBe(403);
  });

  test("takes no body that is none, or too long", async () => {
    expect(await ask({ authorization }, "{")).toBe(400);
    expect(await ask({ authorization, "content-type": "text/plain" }, PING)).toBe(415);
    const long = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"${"x".repeat(17_000_000)}"}}`;
    expect(await ask({ authorization }, long)).toBe(413);
  });

  test("that is taken is told", async () => {
    const { port } = new URL(server.url);
    const again = serveMcpHttp(
      { tools: [], version: "1", countTokens: () => 0, signal: stop.signal, onNote: () => {} },
      { port: Number(port) },
    );
    await expect(again).rejects.toThrow(`The port ${port} cannot be served on`);
  });
});
