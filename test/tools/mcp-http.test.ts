/** Servers on the network: the two transports of the protocol, sessions, and answers that no client may be harmed by. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type McpServers, openAuthorizationCallback } from "../../tools/mcp/index.ts";
import { call, open } from "./mcp-support.ts";

type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
};
type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  message: Message | null,
) => void | Promise<void>;

let running: Server | undefined;
let opened: McpServers | undefined;

afterEach(async () => {
  await opened?.close();
  opened = undefined;
  running?.closeAllConnections();
  running?.close();
  running = undefined;
});

/** @returns its address */
async function listen(handler: Handler): Promise<string> {
  running = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    await handler(request, response, body === "" ? null : JSON.parse(body));
  });
  await new Promise<void>((done) => running?.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(running.address() as AddressInfo).port}/mcp`;
}

const resultOf = ({ id, method }: Message): unknown => {
  const results: Readonly<Record<string, unknown>> = {
    initialize: {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "fixture", version: "1" },
    },
    "tools/list": { tools: [{ name: "act", inputSchema: { type: "object" } }] },
    "tools/call": { content: [{ type: "text", text: "done" }] },
  };
  return { jsonrpc: "2.0", id, result: results[method ?? ""] ?? {} };
};

const json = (response: ServerResponse, value: unknown, headers = {}): void => {
  response.writeHead(200, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
};

/** A server that does all that it should. */
const ordinary: Handler = (request, response, message) => {
  if (request.method === "GET") return void response.writeHead(405).end();
  if (request.method === "DELETE" || message === null) return void response.writeHead(200).end();
  if (message.id === undefined) return void response.writeHead(202).end();
  json(response, resultOf(message), { "mcp-session-id": "s1" });
};

/** An ordinary server, but for calls. */
const calls =
  (special: Handler): Handler =>
  (request, response, message) =>
    message?.method === "tools/call"
      ? special(request, response, message)
      : ordinary(request, response, message);

const LIMITS = { startup_timeout_sec: 20, timeout: 1_500 };

async function callAct(handler: Handler, more: object = {}, notes: string[] = []) {
  const url = await listen(handler);
  opened = await open({ net: { url, ...LIMITS, ...more } }, { onNote: (note) => notes.push(note) });
  const isThere = opened.tools.length > 0;
  return isThere ? call(opened, "mcp__net__act") : { status: "unusable", text: notes.join("\n") };
}

describe("Streamable HTTP", () => {
  test("headers, session and version are sent as they should be", async () => {
    const seen: IncomingMessage["headers"][] = [];
    const handler: Handler = (request, response, message) => {
      if (message?.method === "tools/call") seen.push(request.headers);
      return ordinary(request, response, message);
    };
    const more = { headers: { Authorization: "Bearer $MCP_TEST" } };
    const url = await listen(handler);
    const env = { ...process.env, MCP_TEST: "t0ken" };
    opened = await open({ net: { url, ...LIMITS, ...more } }, { env });
    expect(await call(opened, "mcp__net__act")).toMatchObject({ text: "done" });
    expect(seen[0]).toMatchObject({
      authorization: "Bearer t0ken",
      "mcp-session-id": "s1",
      "mcp-protocol-version": "2025-11-25",
    });
  });

  test("answers in a stream of events, with progress before them", async () => {
    const told: unknown[] = [];
    const url = await listen(
      calls((_, response, message) => {
        const progressToken = (message?.params?.["_meta"] as { progressToken: unknown })
          ?.progressToken;
        const params = { progressToken, progress: 1, total: 2, message: "half" };
        response.writeHead(200, { "content-type": "text/event-stream" });
        const progress = { jsonrpc: "2.0", method: "notifications/progress", params };
        response.write(`data: ${JSON.stringify(progress)}\n\n`);
        response.end(`data: ${JSON.stringify(resultOf(message ?? {}))}\n\n`);
      }),
    );
    opened = await open({ net: { url, ...LIMITS } });
    const onProgress = (progress: unknown) => told.push(progress);
    expect(await call(opened, "mcp__net__act", {}, { onProgress })).toMatchObject({ text: "done" });
    expect(told).toEqual([{ progress: 1, total: 2, message: "half" }]);
  });

  test("a session that the server has forgotten is begun anew", async () => {
    let sessions = 0;
    const handler: Handler = (request, response, message) => {
      if (message?.method === "initialize") {
        return json(response, resultOf(message), { "mcp-session-id": `s${++sessions}` });
      }
      const isOld = request.headers["mcp-session-id"] === "s1";
      if (message?.method === "tools/call" && isOld) return void response.writeHead(404).end();
      return ordinary(request, response, message);
    };
    expect(await callAct(handler)).toMatchObject({ status: "completed", text: "done" });
    expect(sessions).toBe(2);
  });

  test("cancelling is told to the server", async () => {
    const cancelled = Promise.withResolvers<unknown>();
    const stop = new AbortController();
    const url = await listen((request, response, message) => {
      if (message?.method === "tools/call") {
        response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
        stop.abort();
        return;
      }
      if (message?.method === "notifications/cancelled") cancelled.resolve(message.params);
      return ordinary(request, response, message);
    });
    opened = await open({ net: { url, ...LIMITS, timeout: 60_000 } });
    expect(await call(opened, "mcp__net__act", {}, { signal: stop.signal })).toMatchObject({
      status: "failed",
    });
    expect(await cancelled.promise).toMatchObject({ requestId: expect.any(Number) });
  });
});

describe("the older transport", () => {
  /** A stream of events with the address for messages, whose answers come in the stream. */
  const old = (): Handler => {
    let stream: ServerResponse | undefined;
    return (request, response, message) => {
      if (request.method === "GET") {
        stream = response.writeHead(200, { "content-type": "text/event-stream" });
        stream.write("event: endpoint\ndata: /messages?session=1\n\n");
        return;
      }
      if (!request.url?.startsWith("/messages")) return void response.writeHead(405).end();
      response.writeHead(202).end();
      if (message?.id === undefined) return;
      stream?.write(`event: message\ndata: ${JSON.stringify(resultOf(message))}\n\n`);
    };
  };

  test("is used where a server does not know the newer one", async () => {
    expect(await callAct(old())).toMatchObject({ status: "completed", text: "done" });
  });

  test("or where it is asked for", async () => {
    expect(await callAct(old(), { type: "sse" })).toMatchObject({ text: "done" });
  });

  test("but not where the newer one is", async () => {
    expect((await callAct(old(), { type: "http" })).status).toBe("unusable");
  });
});

describe("hostile servers on the network", () => {
  const endless = (response: ServerResponse, chunk: string): void => {
    const go = (): void => {
      while (response.write(chunk));
      response.once("drain", go);
    };
    go();
  };

  test.each<[string, Handler, RegExp]>([
    [
      "a redirect to another host",
      (_, response) => void response.writeHead(307, { location: "http://169.254.169.254/" }).end(),
      /cannot be used: .*(?:redirect|169\.254)/i,
    ],
    [
      "a redirect to itself",
      (request, response) => void response.writeHead(307, { location: request.url ?? "" }).end(),
      /cannot be used: .*redirect/i,
    ],
    ["no answer", () => {}, /not ready within 2 s/],
    [
      "a page",
      (_, response) => void response.end("<html>"),
      /cannot be used: Unexpected content type/,
    ],
    [
      "an error",
      (_, response) => void response.writeHead(500).end("x".repeat(1e6)),
      /cannot be used: /,
    ],
    ["no access", (_, response) => void response.writeHead(403).end(), /refuses access/],
    [
      "an answer without end",
      (_, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        endless(response, `{"a":"${"x".repeat(1e6)}"`);
      },
      /cannot be used: the server sent an answer of more than/,
    ],
    [
      "an authorization that leads into the private network",
      (_, response) => {
        const metadata = 'Bearer resource_metadata="http://169.254.169.254/latest/meta-data"';
        response.writeHead(401, { "www-authenticate": metadata }).end();
      },
      /cannot be used: .*169\.254\.169\.254.*link-local|refuses access/s,
    ],
  ])("%s", async (_, handler, expected) => {
    const isSilent = handler.length === 0;
    const { status, text } = await callAct(handler, isSilent ? { startup_timeout_sec: 2 } : {});
    expect(status).toBe("unusable");
    expect(text).toMatch(expected);
    expect(text.length).toBeLessThan(1_000);
  });

  test.each<[string, Handler, RegExp]>([
    [
      "events without end",
      (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        endless(response, ": keep waiting\n\n".repeat(1000));
      },
      /silent for 1.5 s/,
    ],
    [
      "one event without end",
      (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        endless(response, `data: ${"x".repeat(1e6)}`);
      },
      /an event of more than|silent for 1.5 s|stream disconnected/i,
    ],
    [
      "a stream that ends without an answer, and wants to be asked again at once",
      (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end("retry: 0\nid: 1\ndata: \n\n");
      },
      /silent for 1.5 s/,
    ],
    ["an answer that is none", (_, response) => json(response, { hello: 1 }), /invalid|expected/i],
    ["a connection that breaks", (_, response) => void response.destroy(), /did not answer/],
  ])("%s", async (_, handler, expected) => {
    const { status, text } = await callAct(calls(handler));
    expect(status).toBe("failed");
    expect(text).toMatch(expected);
  });

  test("a stream that ends at once is not asked for without a pause", async () => {
    let asked = 0;
    const url = await listen((request, response, message) => {
      if (request.method === "GET") {
        asked++;
        response.writeHead(200, { "content-type": "text/event-stream" });
        return void response.end("retry: 0\nid: 1\ndata: \n\n");
      }
      return ordinary(request, response, message);
    });
    opened = await open({ net: { url, ...LIMITS } });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(8);
  });

  test("what a server calls its session goes into a header as it is, or not at all", async () => {
    const seen: unknown[] = [];
    const handler: Handler = (request, response, message) => {
      if (message?.method === "tools/call") seen.push(request.headers["mcp-session-id"]);
      if (message?.method === "initialize") {
        return json(response, resultOf(message), { "mcp-session-id": "a: b\tc" });
      }
      return ordinary(request, response, message);
    };
    expect(await callAct(handler)).toMatchObject({ text: "done" });
    expect(seen).toEqual(["a: b\tc"]);
  });
});

describe("the way back from a server's page", () => {
  test("is a port of this machine, for one answer", async () => {
    const stop = new AbortController();
    const pages: string[] = [];
    await using callback = await openAuthorizationCallback(async ({ href }) => {
      pages.push(href);
      expect((await fetch(new URL("/other", callback.redirectUrl))).status).toBe(404);
      await fetch(`${callback.redirectUrl}?code=c&state=s`);
    }, stop.signal);
    expect(new URL(callback.redirectUrl).hostname).toBe("127.0.0.1");
    const url = new URL("https://example.com/authorize");
    const back = await callback.visit({ server: "net", url });
    expect(pages).toEqual(["https://example.com/authorize"]);
    expect([...back.searchParams]).toEqual([
      ["code", "c"],
      ["state", "s"],
    ]);
    const script = callback.visit({ server: "net", url: new URL("javascript:alert(1)") });
    await expect(script).rejects.toThrow("which is no web page");
  });
});
