/** What stands around the APIs: who is let in, bodies, queues, silence, clients that leave, the end. */
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { ManualClock } from "./manual-clock.ts";
import { eventsOf, linesOf, type ServedModel, says, serve } from "./serve.ts";
import { SteppedEngine } from "./stepped-engine.ts";

const ANSWER = "<|channel|>final<|message|>Hello there.<|return|>";
const LONG = `<|channel|>final<|message|>${"word ".repeat(2000)}<|return|>`;
const model = "gpt-oss:20b";
const CHAT = { model, messages: [{ role: "user", content: "Hi" }] };

/** A request whose headers are as they are written here. */
async function raw(
  server: ServedModel,
  path: string,
  {
    body,
    ...init
  }: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<{ status: number; headers: IncomingMessage["headers"]; text: string }> {
  const asked = httpRequest({ host: "127.0.0.1", port: server.port, path, ...init });
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  for await (const piece of answer) text += piece;
  return { status: answer.statusCode ?? 0, headers: answer.headers, text };
}

describe("hosts, origins and keys", () => {
  test("a name that was made to lead here is refused, this machine's own are not", async () => {
    await using server = await serve();
    const status = async (host: string): Promise<number> =>
      (await raw(server, "/api/tags", { headers: { host } })).status;
    for (const host of [
      "localhost",
      "localhost:11434",
      "127.0.0.1:1",
      "[::1]:11434",
      "my.localhost",
      "nas.local",
      "host.docker.internal:11434",
      "192.168.1.7",
      "10.0.0.2",
      "0.0.0.0",
    ]) {
      expect([host, await status(host)]).toEqual([host, 200]);
    }
    for (const host of [
      "evil.example",
      "127.0.0.1.evil.example",
      "8.8.8.8",
      "localhost.evil.example:80",
    ]) {
      expect([host, await status(host)]).toEqual([host, 403]);
    }
  });

  test("with a key a server is reached by any name, as behind a proxy; without one by its own", async () => {
    const status = async (server: ServedModel): Promise<number> =>
      (await raw(server, "/health", { headers: { host: "box.example" } })).status;
    await using keyed = await serve([], { keys: ["secret"] });
    expect(await status(keyed)).toBe(200);
    await using open = await serve([], { host: "0.0.0.0" });
    expect(await status(open)).toBe(403);
  });

  test("pages of other places are refused, also what needs no preflight", async () => {
    await using server = await serve([ANSWER, ANSWER, ANSWER], {
      origins: ["https://*.mine.example"],
    });
    const ask = (headers: Record<string, string>): Promise<{ status: number }> =>
      raw(server, "/api/generate", {
        method: "POST",
        headers: { "content-type": "text/plain", ...headers },
        body: JSON.stringify({ model, prompt: "", keep_alive: 0 }),
      });
    const own = [
      "http://localhost:3000",
      "https://127.0.0.1",
      "app://obsidian.md",
      "tauri://localhost",
    ];
    for (const origin of [...own, "vscode-webview://x", "https://a.mine.example"]) {
      expect([origin, (await ask({ origin })).status]).toEqual([origin, 200]);
    }
    const foreign = [
      "https://evil.example",
      "null",
      "http://localhost.evil.example",
      "https://mine.example.evil",
    ];
    for (const origin of foreign) {
      expect([origin, (await ask({ origin })).status]).toEqual([origin, 403]);
    }
    expect((await ask({ "sec-fetch-site": "cross-site" })).status).toBe(403);
    const preflight = await raw(server, "/api/chat", {
      method: "OPTIONS",
      headers: { origin: "http://localhost:3000", "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe("http://localhost:3000");
    expect(preflight.headers["access-control-allow-headers"]).toMatch(/x-stainless-os/);
    const answered = await raw(server, "/api/tags", {
      headers: { origin: "http://localhost:3000" },
    });
    expect(answered.headers["access-control-allow-origin"]).toBe("http://localhost:3000");
  });

  test("without a key any is accepted, also an empty one; with keys only those", async () => {
    await using open = await serve();
    for (const authorization of ["Bearer ", "Bearer ollama", "Basic x"]) {
      expect((await raw(open, "/v1/models", { headers: { authorization } })).status).toBe(200);
    }
    await using closed = await serve([], { keys: ["first", "second"] });
    const status = async (headers: Record<string, string>, path = "/v1/models"): Promise<number> =>
      (await raw(closed, path, { headers })).status;
    expect(await status({ authorization: "Bearer second" })).toBe(200);
    expect(await status({ "x-api-key": "first" })).toBe(200);
    expect(await status({ authorization: "Bearer firs" })).toBe(401);
    expect(await status({})).toBe(401);
    expect(await status({}, "/health")).toBe(200);
    const refused = await raw(closed, "/v1/models");
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: "invalid_api_key" } });
    expect(JSON.parse((await raw(closed, "/api/tags")).text)).toEqual({
      error: expect.any(String),
    });
  });

  test("models are not changed where that is switched off", async () => {
    await using server = await serve([ANSWER], { allowsManagement: false });
    for (const [path, method] of [
      ["/api/pull", "POST"],
      ["/api/delete", "DELETE"],
    ] as const) {
      expect((await server.post(path, { model }, { method })).status).toBe(403);
    }
    await (await server.post("/api/chat", { ...CHAT, keep_alive: 0 })).text();
    expect(server.context.models.loaded).toHaveLength(1);
  });
});

describe("bodies", () => {
  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ])("is read from %s", async (encoding, encode) => {
    await using server = await serve([ANSWER]);
    const body = encode(Buffer.from(JSON.stringify({ ...CHAT, stream: false })));
    const answer = await raw(server, "/api/chat", {
      method: "POST",
      headers: { "content-encoding": encoding },
      body,
    });
    expect(answer.status).toBe(200);
  });

  test("a body without the type of JSON is read, as curl sends it", async () => {
    await using server = await serve([ANSWER]);
    const answer = await raw(server, "/api/chat", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: JSON.stringify({ ...CHAT, stream: false }),
    });
    expect(answer.status).toBe(200);
  });

  test("what is too large is refused before it is kept, also what is only large when it is decoded", async () => {
    await using server = await serve([], { maxBodyBytes: 100_000 });
    const large = JSON.stringify({ ...CHAT, padding: "x".repeat(200_000) });
    const plain = await raw(server, "/api/chat", { method: "POST", body: large });
    expect(plain.status).toBe(413);
    const chunked = await raw(server, "/v1/chat/completions", {
      method: "POST",
      headers: { "transfer-encoding": "chunked" },
      body: large,
    });
    expect(chunked.status).toBe(413);
    for (const encoded of [gzipSync(Buffer.alloc(50_000_000)), gzipSync(large)]) {
      const bomb = await raw(server, "/api/chat", {
        method: "POST",
        headers: { "content-encoding": "gzip" },
        body: encoded,
      });
      expect(bomb.status).toBe(413);
    }
  });

  test.each([
    ["an encoding that is not known", { "content-encoding": "lzma" }, "{}", 415],
    ["an encoding that is not true", { "content-encoding": "gzip" }, "{}", 400],
    ["too many encodings", { "content-encoding": "gzip, gzip, gzip" }, "{}", 415],
    ["JSON that is too deep", {}, `${"[".repeat(5000)}${"]".repeat(5000)}`, 400],
    ["a value that is no object", {}, "[1]", 400],
    ["a prototype", {}, '{"__proto__": {"model": "gpt-oss:20b"}, "messages": []}', 400],
  ])("refuses %s", async (_, headers, body, status) => {
    await using server = await serve();
    const answer = await raw(server, "/api/chat", { method: "POST", headers, body });
    expect(answer.status).toBe(status);
    expect(Object.hasOwn(Object.prototype, "model")).toBe(false);
  });

  test("the wrong method and the wrong path say so", async () => {
    await using server = await serve();
    expect((await raw(server, "/api/chat")).status).toBe(405);
    expect((await raw(server, "/api/nothing")).status).toBe(404);
    expect(JSON.parse((await raw(server, "/v1/nothing")).text)).toMatchObject({
      error: { type: "not_found_error" },
    });
  });

  test("bombs of headers are refused by the server of Node, and it goes on", async () => {
    await using server = await serve();
    const answer = await raw(server, "/api/tags", { headers: { bomb: "x".repeat(40_000) } });
    expect(answer.status).toBe(431);
    expect((await raw(server, "/api/tags")).status).toBe(200);
  });
});

describe("queues and models", () => {
  test("one request too many is told when to come again", async () => {
    const engine = new SteppedEngine([says(ANSWER), says(ANSWER)]);
    await using server = await serve([], { engine, slots: 1, maxQueue: 1 });
    const running = server.post("/api/chat", CHAT);
    await vi.waitFor(() => expect(server.context.admission.running).toBe(1));
    const waiting = server.post("/api/chat", CHAT);
    await vi.waitFor(() => expect(server.context.admission.waiting).toBe(1));
    const refused = await server.post("/api/chat", CHAT);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("2");
    expect(await refused.json()).toEqual({
      error: "server busy, please try again.  maximum pending requests exceeded",
    });
    engine.allow(100);
    expect((await linesOf(await running)).at(-1)).toMatchObject({ done: true });
    expect((await linesOf(await waiting)).at(-1)).toMatchObject({ done: true });
  });

  test("health says when a model is loaded", async () => {
    const loading = Promise.withResolvers<void>();
    await using server = await serve([ANSWER], { loading: loading.promise });
    expect((await server.get("/health")).status).toBe(200);
    const asked = server.post("/api/chat", { ...CHAT, stream: false });
    await vi.waitFor(() => expect(server.context.models.isLoading).toBe(true));
    const health = await server.get("/health");
    expect(health.status).toBe(503);
    expect(await health.json()).toEqual({
      error: { code: 503, message: "Loading model", type: "unavailable_error" },
    });
    loading.resolve();
    expect((await asked).status).toBe(200);
    expect(await (await server.get("/health")).json()).toEqual({ status: "ok" });
  });

  test("an unused model leaves memory after its time, and a request says how long that is", async () => {
    const clock = new ManualClock();
    await using server = await serve([ANSWER, ANSWER, ANSWER], { clock });
    const { models } = server.context;
    await (await server.post("/api/chat", CHAT)).text();
    clock.pass(4 * 60_000);
    expect(models.loaded).toHaveLength(1);
    clock.pass(60_000);
    await vi.waitFor(() => expect(models.loaded).toHaveLength(0));
    await (await server.post("/api/chat", { ...CHAT, keep_alive: "-1m" })).text();
    clock.pass(10 * 3_600_000);
    expect(models.loaded).toHaveLength(1);
    await (await server.post("/api/chat", { ...CHAT, keep_alive: 0 })).text();
    await vi.waitFor(() => expect(models.loaded).toHaveLength(0));
  });

  test("metrics are Prometheus' text", async () => {
    await using server = await serve([ANSWER]);
    await (await server.post("/api/chat", CHAT)).text();
    const text = await (await server.get("/metrics")).text();
    expect(text).toMatch(/^chorale_request_success_total\{finished_reason="stop"\} 1$/m);
    expect(text).toMatch(/^chorale_time_to_first_token_seconds_count 1$/m);
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    for (const line of lines) expect(line).toMatch(/^chorale_\w+(\{[^}]*\})? [\d.e+-]+$/);
  });
});

describe("silence", () => {
  test.each([
    ["/api/chat", CHAT, '"content":""},"done":false'],
    ["/api/generate", { model, prompt: "Hi" }, '"response":"","done":false'],
    ["/v1/chat/completions", { ...CHAT, stream: true }, ": still at work"],
    ["/v1/completions", { model, prompt: "Hi", stream: true }, ": still at work"],
    ["/api/chat", { ...CHAT, stream: false }, " "],
    ["/v1/chat/completions", CHAT, " "],
  ])("%s says every ten seconds that it is not forgotten", async (path, body, beat) => {
    const clock = new ManualClock();
    const engine = new SteppedEngine([says(ANSWER)]);
    await using server = await serve([], { clock, engine });
    const asked = server.post(path, body);
    await vi.waitFor(() => expect(server.context.admission.running).toBe(1));
    await vi.waitFor(() => expect(clock.waiting).toBeGreaterThan(0));
    clock.pass(10_000);
    const response = await asked;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let text = "";
    const readUntil = async (count: number): Promise<void> => {
      while (text.split(beat).length - 1 < count) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`ended: ${text}`);
        text += decoder.decode(value, { stream: true });
      }
    };
    const ticking = setInterval(() => clock.pass(10_000), 1);
    await readUntil(3);
    clearInterval(ticking);
    engine.allow(100);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    const isWhole = !("stream" in body) || body.stream === false;
    if (path.startsWith("/v1") && isWhole) expect(JSON.parse(text)).toHaveProperty("choices");
    expect(text).toContain("Hello");
  });
});

describe("clients that leave", () => {
  test.each([
    ["/api/chat", CHAT],
    ["/v1/chat/completions", { ...CHAT, stream: true }],
    ["/api/chat", { ...CHAT, stream: false }],
    ["/v1/completions", { model, prompt: "x", stream: true, max_tokens: 500 }],
  ])("%s stops within one token, and everything is given back", async (path, body) => {
    const engine = new SteppedEngine([says(LONG), says(ANSWER)]);
    await using server = await serve([], { engine, slots: 1 });
    const client = new AbortController();
    const asked = server.post(path, body, { signal: client.signal });
    asked.catch(() => {});
    engine.allow(10);
    await vi.waitFor(() => expect(engine.sampled).toBe(10));
    client.abort();
    await vi.waitFor(() => expect(server.context.admission.running).toBe(0));
    engine.allow(1000);
    expect(engine.sampled).toBeLessThanOrEqual(11);
    await vi.waitFor(() => expect(server.context.models.loaded[0]?.isBusy).toBe(false));
    const next = await server.post("/v1/chat/completions", CHAT);
    expect(await next.json()).toMatchObject({
      choices: [{ message: { content: "Hello there." } }],
    });
  });

  test("one that waits leaves the queue", async () => {
    const engine = new SteppedEngine([says(ANSWER)]);
    await using server = await serve([], { engine, slots: 1 });
    const running = server.post("/api/chat", CHAT);
    await vi.waitFor(() => expect(server.context.admission.running).toBe(1));
    const client = new AbortController();
    const waiting = server.post("/api/chat", CHAT, { signal: client.signal });
    waiting.catch(() => {});
    await vi.waitFor(() => expect(server.context.admission.waiting).toBe(1));
    client.abort();
    await vi.waitFor(() => expect(server.context.admission.waiting).toBe(0));
    engine.allow(100);
    await (await running).text();
  });

  test("one that leaves while its body is sent costs nothing", async () => {
    await using server = await serve([ANSWER]);
    const socket = connect(server.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write("POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{");
    socket.destroy();
    expect((await server.post("/api/chat", { ...CHAT, stream: false })).status).toBe(200);
  });

  test("one that does not read holds the model back, not memory", async () => {
    const words = 400_000;
    const engine = new SteppedEngine(
      [says(`<|channel|>final<|message|>${"word ".repeat(words)}`)],
      {
        contextLength: 1_000_000,
      },
    );
    engine.allow(Number.POSITIVE_INFINITY);
    await using server = await serve([], { engine, modelContext: 1_000_000, stallMs: 0 });
    const asked = httpRequest({
      host: "127.0.0.1",
      port: server.port,
      path: "/v1/chat/completions",
      method: "POST",
    });
    asked.end(JSON.stringify({ ...CHAT, stream: true }));
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    answer.pause();
    let before = -1;
    await vi.waitFor(
      () => {
        const isStill = engine.sampled === before && before > 0;
        before = engine.sampled;
        expect(isStill).toBe(true);
      },
      { timeout: 20_000, interval: 300 },
    );
    expect(engine.sampled).toBeLessThan(words);
    asked.destroy();
    await vi.waitFor(() => expect(server.context.admission.running).toBe(0));
  });
});

describe("the end", () => {
  test("what runs is answered, what comes is refused, health says so", async () => {
    const engine = new SteppedEngine([says(ANSWER)]);
    const server = await serve([], { engine });
    const running = server.post("/v1/chat/completions", CHAT);
    await vi.waitFor(() => expect(server.context.admission.running).toBe(1));
    const closed = server.close();
    expect((await server.get("/health")).status).toBe(503);
    expect((await server.post("/api/chat", CHAT)).status).toBe(503);
    engine.allow(100);
    expect((await running).status).toBe(200);
    await closed;
    await expect(server.get("/health")).rejects.toThrow();
  });

  test("what does not end in time is ended inside of its answer", async () => {
    const clock = new ManualClock();
    const engine = new SteppedEngine([says(LONG), says(LONG)]);
    const server = await serve([], { engine, clock, graceMs: 1000 });
    const chat = server.post("/api/chat", CHAT);
    const openai = server.post("/v1/chat/completions", { ...CHAT, stream: true });
    await vi.waitFor(() => expect(server.context.admission.running).toBe(2));
    const responses = await Promise.all([chat, openai]);
    const closed = server.close();
    clock.pass(1000);
    const lines = await linesOf(responses[0]);
    expect(lines.at(-1)).toEqual({ error: "The server is closing." });
    const events = await eventsOf(responses[1]);
    expect(JSON.parse(events.at(-2)?.data ?? "")).toMatchObject({
      error: { type: "server_error" },
    });
    expect(events.at(-1)?.data).toBe("[DONE]");
    await closed;
  });

  test("a server that nobody uses ends by itself, one that works does not", async () => {
    const clock = new ManualClock();
    const engine = new SteppedEngine([says(ANSWER)]);
    await using server = await serve([], { engine, clock, idleMs: 60_000 });
    let hasEnded = false;
    const ended = server.ended.then(() => {
      hasEnded = true;
    });
    const running = server.post("/v1/chat/completions", CHAT);
    await vi.waitFor(() => expect(server.context.admission.running).toBe(1));
    clock.pass(90_000);
    await Promise.resolve();
    expect(hasEnded).toBe(false);
    engine.allow(100);
    await (await running).text();
    clock.pass(120_000);
    await ended;
  });

  test("its socket is this user's, and the only way to end it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "chorale-socket-"));
    const socketPath = join(folder, "1.sock");
    {
      await using server = await serve([], { socketPath, keys: ["secret"] });
      expect(statSync(socketPath).mode & 0o777).toBe(0o600);
      expect(
        (await raw(server, "/chorale/stop", { method: "POST", headers: { "x-api-key": "secret" } }))
          .status,
      ).toBe(403);
      const asked = httpRequest({ socketPath, path: "/chorale/stop", method: "POST" });
      asked.end();
      const [answer] = (await once(asked, "response")) as [IncomingMessage];
      answer.resume();
      expect(answer.statusCode).toBe(200);
      await server.ended;
    }
    expect(() => statSync(socketPath)).toThrow();
    rmSync(folder, { recursive: true });
  });
});
