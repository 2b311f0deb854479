/** The API of the page: who may use it, and that runs go on, are read on, asked and stopped. */
import { request } from "node:http";
import { afterEach, expect, test } from "vitest";
import { loadO200kHarmony } from "../../../../harmony/vocabulary/index.ts";
import { ScriptedEngine } from "../../../../inference/index.ts";
import { HarmonyModel } from "../../../../runtime/model/harmony-model.ts";
import { exportJsonLines } from "../../../../runtime/thread/import.ts";
import { eventsOf, says } from "../serve.ts";
import { answer, call, type PageServer, pageServer, python } from "./page-server.ts";

const open: PageServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function started(...args: Parameters<typeof pageServer>): Promise<PageServer> {
  const server = await pageServer(...args);
  open.push(server);
  return server;
}

type Begun = { readonly id: string; readonly thread: string };

async function begin(server: PageServer, body: object): Promise<Begun> {
  const response = await server.ask("runs", { model: "gpt-oss:20b", ...body });
  expect(response.status).toBe(200);
  return (await response.json()) as Begun;
}

async function events(
  server: PageServer,
  id: string,
  from = 0,
): Promise<Record<string, unknown>[]> {
  const response = await server.ask(`runs/${id}/events?from=${from}`);
  return (await eventsOf(response)).map(({ data }) => JSON.parse(data) as Record<string, unknown>);
}

const types = (list: readonly Record<string, unknown>[]): unknown[] => list.map(({ type }) => type);

test("the page is for browsers, the sentence of Ollama for everyone else", async () => {
  const server = await started([]);
  expect(await (await server.get("/")).text()).toBe("Ollama is running");
  const page = await server.get("/", { headers: { accept: "text/html,*/*" } });
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const html = await page.text();
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|\son\w+=|style=/);
  const main = /<script type="module" src="([^"]+)"/.exec(html)?.[1] ?? "";
  const script = await server.get(main);
  expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  for (const response of [page, script]) {
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
    expect(policy).not.toContain("unsafe");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  }
  const again = await server.get(main, {
    headers: { "if-none-match": script.headers.get("etag") ?? "" },
  });
  expect(again.status).toBe(304);
});

test.each([
  "/page/package.json",
  "/page/runtime/server/web/routes.ts",
  "/page/../package.json",
  "/page/%2e%2e/package.json",
  "/page/runtime/server/web/page/%2e%2e/routes.ts",
  "/page/node_modules/preact/package.json",
])("%s is no file of the page", async (path) => {
  const server = await started([]);
  expect((await server.get(path)).status).toBe(404);
});

test("a server without a page has none", async () => {
  await using server = await (await import("../serve.ts")).serve([]);
  expect(await (await server.get("/", { headers: { accept: "text/html" } })).text()).toBe(
    "Ollama is running",
  );
  expect((await server.get("/page/api/state", { headers: { "x-chorale-page": "1" } })).status).toBe(
    404,
  );
});

test.each([
  ["a simple request", { headers: { "content-type": "text/plain" } }],
  ["a form", { headers: { "content-type": "application/x-www-form-urlencoded" } }],
  [
    "another page of this machine",
    { headers: { "x-chorale-page": "1", origin: "http://localhost:3000" } },
  ],
  [
    "a page of the internet",
    { headers: { "x-chorale-page": "1", origin: "https://evil.example" } },
  ],
  ["a file", { headers: { "x-chorale-page": "1", origin: "null" } }],
  [
    "another site by its metadata",
    { headers: { "x-chorale-page": "1", "sec-fetch-site": "same-site" } },
  ],
])("%s neither reads nor changes conversations", async (_, init) => {
  const server = await started([answer("x")]);
  const body = JSON.stringify({ model: "gpt-oss:20b", text: "Hi" });
  const written = await fetch(`${server.url}/page/api/runs`, { method: "POST", body, ...init });
  expect(written.status).toBe(403);
  const read = await fetch(`${server.url}/page/api/threads`, init);
  expect(read.status).toBe(403);
  expect(server.engine.requests).toEqual([]);
});

test("a preflight allows nobody the header of the page", async () => {
  const server = await started([]);
  const response = await server.get("/page/api/threads", {
    method: "OPTIONS",
    headers: {
      origin: "http://localhost:3000",
      "access-control-request-method": "POST",
      "access-control-request-headers": "x-chorale-page, content-type",
    },
  });
  expect(response.headers.get("access-control-allow-headers") ?? "").not.toMatch(
    /x-chorale-page|\*/i,
  );
});

test("only JSON is taken", async () => {
  const server = await started([]);
  const response = await server.ask(
    "runs",
    { model: "x" },
    { headers: { "content-type": "text/plain" } },
  );
  expect(response.status).toBe(415);
});

test("a key guards the data, not the page", async () => {
  const server = await started([], { keys: ["secret"] });
  expect((await server.get("/", { headers: { accept: "text/html" } })).status).toBe(200);
  expect((await server.get("/page/style.css")).status).toBe(200);
  expect((await server.ask("threads")).status).toBe(401);
  const allowed = await server.ask("threads", undefined, {
    headers: { authorization: "Bearer secret" },
  });
  expect(allowed.status).toBe(200);
});

test("a page behind a proxy or at another name of the machine is its own page, with the key", async () => {
  const server = await started([], { keys: ["secret"] });
  const status = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const options = {
        method: "POST",
        headers: { "content-type": "application/json", "x-chorale-page": "1", ...headers },
      };
      request(`${server.url}/page/api/runs/none/stop`, options, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on("error", reject)
        .end("{}");
    });
  const own = { host: "chat.example", origin: "https://chat.example" };
  const authorization = "Bearer secret";
  // There is no such run: the request was let in.
  expect(await status({ ...own, authorization })).toBe(404);
  expect(await status(own)).toBe(401);
  expect(await status({ ...own, authorization, origin: "https://evil.example" })).toBe(403);
});

test("a run is read from its beginning, from any place, and again", async () => {
  const server = await started([answer("One two three.")]);
  const { id, thread } = await begin(server, { text: "Count" });
  const all = await events(server, id);
  expect(types(all).slice(0, 3)).toEqual(["page.opening", "thread.started", "turn.started"]);
  expect(all.at(-1)).toMatchObject({
    type: "run.completed",
    status: "completed",
    output: "One two three.",
  });
  expect(await events(server, id, 5)).toEqual(all.slice(5));
  expect(await events(server, id, 10_000)).toEqual([]);
  const shown = (await (await server.ask(`threads/${thread}`)).json()) as {
    turns: { question: string; events: unknown[] }[];
  };
  expect(shown.turns).toHaveLength(1);
  expect(shown.turns[0]?.question).toBe("Count");
});

test("a run goes on when nobody reads it, and a page that comes later gets all of it once", async () => {
  const server = await started([call("wait", {}), answer("Done.")]);
  const { id, thread } = await begin(server, { text: "Wait" });
  const reading = new AbortController();
  const response = await server.ask(`runs/${id}/events`, undefined, { signal: reading.signal });
  await response.body?.getReader().read();
  reading.abort();
  const shown = await (await server.ask(`threads/${thread}`)).json();
  expect(shown).toMatchObject({ run: { id, text: "Wait" }, turns: [] });
  server.open();
  expect((await events(server, id)).at(-1)).toMatchObject({ status: "completed", output: "Done." });
  expect(await (await server.ask(`threads/${thread}`)).json()).toMatchObject({
    run: null,
    is_open: false,
    turns: [{ question: "Wait" }],
  });
});

test("a call waits for its answer, which is taken once", async () => {
  const server = await started([call("send_mail", {}), answer("Sent.")]);
  const { id } = await begin(server, { text: "Mail" });
  const response = await server.ask(`runs/${id}/events`);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  while (!text.includes("approval.requested")) {
    text += new TextDecoder().decode((await reader.read()).value);
  }
  const asked = /"type":"approval.requested","item_id":"([^"]+)"/.exec(text)?.[1];
  await reader.cancel();
  const wrong = await server.ask(`runs/${id}/decision`, { call: "item_99", decision: "allow" });
  expect(wrong.status).toBe(409);
  const odd = await server.ask(`runs/${id}/decision`, { call: asked, decision: "maybe" });
  expect(odd.status).toBe(400);
  expect((await server.ask(`runs/${id}/decision`, { call: asked, decision: "allow" })).status).toBe(
    200,
  );
  const all = await events(server, id);
  expect(all.find(({ type }) => type === "approval.resolved")).toMatchObject({
    decision: "allowed",
    by: "user",
  });
  expect((await server.ask(`runs/${id}/decision`, { call: asked, decision: "allow" })).status).toBe(
    409,
  );
});

test("a run is stopped, what was said meanwhile is told as unread, and the thread can go on", async () => {
  const server = await started([call("wait", {}), answer("After.")]);
  const { id, thread } = await begin(server, { text: "Wait" });
  const busy = await server.ask("runs", { model: "gpt-oss:20b", thread, text: "Too soon" });
  expect(busy.status).toBe(409);
  expect((await server.ask(`runs/${id}/steer`, { text: "hurry" })).status).toBe(200);
  expect((await server.ask(`runs/${id}/stop`, {})).status).toBe(200);
  const all = await events(server, id);
  expect(all.find(({ type }) => type === "run.completed")).toMatchObject({ status: "cancelled" });
  expect(all.at(-1)).toEqual({ type: "page.unread", texts: ["hurry"] });
  expect((await server.ask(`runs/${id}/steer`, { text: "late" })).status).toBe(409);
});

test("an answer that has to be JSON is told while it is written", async () => {
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
  const server = await started([answer('{"n":7}')]);
  const { id } = await begin(server, { text: "Number", schema });
  expect((await events(server, id)).at(-1)).toMatchObject({
    status: "completed",
    output: '{"n":7}',
  });
  expect(server.prompts()[0]).toContain("# Response Formats");
});

test("what cannot be run is an event, not a silence", async () => {
  const server = await started([]);
  const { id } = await begin(server, { text: "Hi", tools: ["no_such_tool"] });
  const all = await events(server, id);
  expect(types(all)).toContain("run.completed");
  expect(JSON.stringify(all)).toContain("no_such_tool");
  const unknown = await server.ask("runs", { model: "no-such-model", text: "Hi" });
  expect(unknown.status).toBe(404);
});

test("a conversation that failed before its first turn began is not lost", async () => {
  let isBroken = true;
  const engine = new ScriptedEngine([says(answer("Now."))]);
  const server = await started([], {
    source: {
      open: async () => {
        if (isBroken) throw new Error("The file of the model is gone.");
        return new HarmonyModel({ engine, tokenizer: loadO200kHarmony() });
      },
    },
  });
  const { id, thread } = await begin(server, { text: "Hi" });
  expect((await events(server, id)).at(-1)).toEqual({
    type: "error",
    message: "The file of the model is gone.",
  });
  isBroken = false;
  const again = await begin(server, { thread, text: "Hi again" });
  expect(again.thread).toBe(thread);
  expect((await events(server, again.id)).at(-1)).toMatchObject({ output: "Now." });
  const foreign = await server.ask("runs", {
    model: "gpt-oss:20b",
    thread: "thread_x",
    text: "Hi",
  });
  expect(foreign.status).toBe(404);
});

test("conversations are listed, found, copied, exported, traced and removed", async () => {
  const server = await started([answer("Whales are large."), answer("And blue.")]);
  const { id, thread } = await begin(server, { text: "Whales?" });
  await events(server, id);
  const { id: second } = await begin(server, { thread, text: "Colour?" });
  await events(server, second);
  const found = async (query: string): Promise<unknown[]> =>
    ((await (await server.ask(`threads?query=${query}`)).json()) as { threads: unknown[] }).threads;
  expect(await found("whales")).toMatchObject([{ id: thread, title: "Whales?", turns: 2 }]);
  expect(await found("sharks")).toEqual([]);
  const copy = (await (await server.ask(`threads/${thread}/fork`, { turn: 1 })).json()) as {
    id: string;
  };
  expect(await (await server.ask(`threads/${copy.id}`)).json()).toMatchObject({
    parent: thread,
    turns: [{ question: "Whales?" }],
  });
  expect((await server.ask(`threads/${thread}/fork`, { turn: 9 })).status).toBe(400);
  const markdown = await (await server.ask(`threads/${thread}/export?format=markdown`)).text();
  expect(markdown).toContain("And blue.");
  const log = await (await server.ask(`threads/${thread}/export?format=jsonl`)).text();
  expect(log).toBe(exportJsonLines(await server.threads.read(thread)));
  const harmony = await (await server.ask(`threads/${thread}/export?format=harmony`)).text();
  expect(harmony).toContain("<|channel|>final<|message|>And blue.<|return|>");
  expect((await server.ask(`threads/${thread}/export?format=exe`)).status).toBe(400);
  expect((await server.ask(`threads/${thread}/title`, { title: " Sea \n animals " })).status).toBe(
    200,
  );
  expect(await found("")).toMatchObject([
    { id: thread, title: "Sea animals" },
    { id: copy.id, title: "Whales?" },
  ]);
  expect((await server.ask(`threads/${thread}/title`, { title: " " })).status).toBe(400);
  const trace = await (await server.ask(`threads/${thread}/trace`)).json();
  expect(trace).toMatchObject({ threadId: thread, turns: [{ status: "completed" }, {}] });
  const tokens = (await (await server.ask(`threads/${thread}/tokens/1/2`)).json()) as {
    tokens: { text: string }[];
  };
  expect(tokens.tokens.map(({ text }) => text).join("")).toContain("Colour?");
  expect((await server.ask(`threads/${thread}/tokens/1/99`)).status).toBe(404);
  const removed = await server.ask(`threads/${thread}`, undefined, { method: "DELETE" });
  expect(await removed.json()).toEqual({ removed: true });
  expect((await server.ask(`threads/${thread}`)).status).toBe(404);
});

test("files are those of the conversation and lie in its folder", async () => {
  const server = await started([python("plot()"), answer("Here.")]);
  const { id, thread } = await begin(server, { text: "Plot" });
  const all = await events(server, id);
  const item = all
    .map((event) => event["item"] as { id: string; type: string } | undefined)
    .find((found) => found?.type === "code_execution");
  const file = await server.ask(`threads/${thread}/files/${item?.id}/0`);
  expect(file.headers.get("content-type")).toBe("application/octet-stream");
  expect(file.headers.get("content-disposition")).toBe("attachment");
  expect(
    Buffer.from(await file.arrayBuffer())
      .subarray(1, 4)
      .toString(),
  ).toBe("PNG");
  for (const path of [`${item?.id}/1`, `${item?.id}/-1`, "item_99/0", `${item?.id}/__proto__`]) {
    expect((await server.ask(`threads/${thread}/files/${path}`)).status).toBe(404);
  }
  // A log that was imported may name any file of this machine.
  const entries = (await server.threads.read(thread)).map((entry) =>
    entry.type === "result"
      ? { ...entry, data: { artifacts: [{ name: "x", path: "/etc/hostname", bytes: 1 }] } }
      : entry,
  );
  await server.threads.append("thread_copy", ...entries);
  expect((await server.ask(`threads/thread_copy/files/${item?.id}/0`)).status).toBe(404);
});
