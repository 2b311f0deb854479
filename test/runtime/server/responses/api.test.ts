/** `/v1/responses` over a real server on loopback, with a model that says what a test wrote. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { loadO200kHarmony } from "../../../../harmony/vocabulary/index.ts";
import { HarmonyModel } from "../../../../runtime/index.ts";
import type { ServerToolSession } from "../../../../runtime/server/responses/server-tools.ts";
import { createBrowserTools, type Tool } from "../../../../tools/index.ts";
import { RecordedEngine } from "../../../conformance/server/recorded-engine.ts";
import { ManualClock } from "../manual-clock.ts";
import { eventsOf, type Reply, type ServedModel, type ServeOptions, serve } from "../serve.ts";
import { type ReceivedEvent, responseProblems, streamProblems } from "./stream-rules.ts";

const folder = mkdtempSync(join(tmpdir(), "responses-api-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ANSWER =
  "<|channel|>analysis<|message|>Easy.<|end|><|start|>assistant<|channel|>final<|message|>It is 7 °C.<|return|>";
const CALL =
  "<|channel|>analysis<|message|>I need the weather.<|end|><|start|>assistant<|channel|>commentary" +
  ' to=functions.get_weather <|constrain|>json<|message|>{"city":"Oslo"}<|call|>';
const WEATHER = {
  type: "function",
  name: "get_weather",
  description: "Current weather of a city",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};
const MODEL = "gpt-oss:20b";
const URL_PATH = "/v1/responses";

type Json = { readonly [key: string]: unknown };

const serving = (replies: readonly Reply[], options: ServeOptions = {}): Promise<ServedModel> =>
  serve(replies, options);

async function created(server: ServedModel, body: Json): Promise<Json> {
  const response = await server.post(URL_PATH, { model: MODEL, ...body });
  const value = (await response.json()) as Json;
  if (response.status === 200) expect(responseProblems(value)).toEqual([]);
  return { http: response.status, ...value };
}

/** The events of a stream, which are held against the rules. */
async function streamed(
  server: ServedModel,
  body: Json,
): Promise<{ readonly events: readonly ReceivedEvent[]; readonly response: Json }> {
  const response = await server.post(URL_PATH, { model: MODEL, ...body, stream: true });
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  return judged(response);
}

async function judged(
  response: Response,
  from = 0,
): Promise<{ readonly events: readonly ReceivedEvent[]; readonly response: Json }> {
  const sent = await eventsOf(response);
  expect(sent.at(-1)?.data).toBe("[DONE]");
  const events = sent.slice(0, -1).map(({ event, data }) => {
    const value = JSON.parse(data) as ReceivedEvent;
    expect(event).toBe(value.type);
    return value;
  });
  expect(streamProblems(events, { from })).toEqual([]);
  return { events, response: events.at(-1)?.["response"] as Json };
}

const textsOf = (events: readonly ReceivedEvent[], type: string): string =>
  events.flatMap((event) => (event.type === type ? [event["delta"]] : [])).join("");

describe("a response", () => {
  test("is made whole, or told as a stream of the same items", async () => {
    await using server = await serving([ANSWER, ANSWER]);
    const whole = await created(server, { input: "How warm is it?", metadata: { k: "v" } });
    expect(whole).toMatchObject({
      status: "completed",
      metadata: { k: "v" },
      output: [
        { type: "reasoning", content: [{ text: "Easy." }], summary: [], encrypted_content: null },
        { type: "message", phase: "final_answer", content: [{ text: "It is 7 °C." }] },
      ],
    });
    const { events, response } = await streamed(server, { input: "How warm is it?" });
    expect(textsOf(events, "response.reasoning_text.delta")).toBe("Easy.");
    expect(textsOf(events, "response.output_text.delta")).toBe("It is 7 °C.");
    const { input_tokens, output_tokens, total_tokens } = whole["usage"] as Json;
    expect(response["usage"]).toMatchObject({ input_tokens, output_tokens, total_tokens });
    expect(response["usage"]).toMatchObject({
      // The second time the prompt was computed already.
      input_tokens_details: { cached_tokens: input_tokens },
    });
    expect(response["id"]).not.toBe(whole["id"]);
  });

  test("goes on from an earlier one, with its calls and thoughts, across a restart", async () => {
    const responsesPath = join(folder, "restart", "responses.sqlite");
    const instructions = "Be brief.";
    const tools = [WEATHER];
    let id: unknown;
    let callId: unknown;
    {
      await using server = await serving([CALL], { responsesPath });
      const { response } = await streamed(server, {
        input: "Weather in Oslo?",
        tools,
        instructions,
      });
      id = response["id"];
      [, callId] = (response["output"] as Json[]).map((item) => item["call_id"]);
    }
    await using server = await serving([ANSWER, ANSWER], { responsesPath });
    const output = { type: "function_call_output", call_id: callId, output: '{"temp_c":7}' };
    const next = await created(server, { previous_response_id: id, input: [output], tools });
    expect(next).toMatchObject({ status: "completed", previous_response_id: id });
    const [prompt = ""] = server.prompts();
    expect(prompt).toContain("Weather in Oslo?");
    expect(prompt).toContain("<|channel|>analysis<|message|>I need the weather.<|end|>");
    expect(prompt).toContain('<|message|>{"city":"Oslo"}<|call|>');
    expect(prompt).toContain('{"temp_c":7}');
    // Instructions are of one request; thoughts of an answered turn are never read again.
    expect(prompt).not.toContain("Be brief.");
    await created(server, { previous_response_id: next["id"], input: "And tomorrow?" });
    expect(server.prompts()[1]).toContain("It is 7 °C.");
    expect(server.prompts()[1]).not.toContain("I need the weather.");
  });

  test("takes references to items, and the trace from wherever it is kept", async () => {
    await using server = await serving([CALL, ANSWER, ANSWER]);
    const ask = { role: "user", content: "Weather in Oslo?" };
    const include = ["reasoning.encrypted_content"];
    const first = await created(server, { input: [ask], tools: [WEATHER], include });
    const [thought, call] = first["output"] as [Json, Json];
    const output = { type: "function_call_output", call_id: call["call_id"], output: "7" };
    const reference = { type: "item_reference", id: thought["id"] };
    await created(server, { input: [ask, reference, call, output], tools: [WEATHER] });
    const { encrypted_content } = thought;
    expect(encrypted_content).toMatch(/^ch1\./);
    const sealed = { type: "reasoning", id: "rs_other", summary: [], encrypted_content };
    await created(server, { input: [ask, sealed, call, output], tools: [WEATHER] });
    const [, byReference, bySeal] = server.prompts();
    expect(byReference).toContain("I need the weather.");
    expect(bySeal).toBe(byReference);
  });

  test("is not kept where that was not asked for", async () => {
    await using server = await serving([ANSWER]);
    const response = await created(server, { input: "Hi", store: false });
    expect(response["store"]).toBe(false);
    expect((await server.get(`${URL_PATH}/${response["id"]}`)).status).toBe(404);
    expect(
      await created(server, { input: "Hi", previous_response_id: response["id"] }),
    ).toMatchObject({
      http: 400,
      error: { param: "previous_response_id", code: "previous_response_not_found" },
    });
  });

  test("loads the model for an input that is empty", async () => {
    await using server = await serving([]);
    const { response } = await streamed(server, { input: "", max_output_tokens: 1 });
    expect(response).toMatchObject({ status: "completed", output: [] });
    expect(server.context.models.loaded).toHaveLength(1);
  });

  test("is incomplete where its tokens are used up, in the middle of an item", async () => {
    await using server = await serving([ANSWER]);
    const { events, response } = await streamed(server, { input: "Hi", max_output_tokens: 8 });
    expect(events.at(-1)?.type).toBe("response.incomplete");
    expect(response).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
    });
    const items = response["output"] as Json[];
    expect(items.at(-1)?.["status"]).toBe("incomplete");
  });

  test("fails in the stream where the model fails, with a status where nothing was sent", async () => {
    const failure = new Error("engine failed");
    await using server = await serving([failure, failure, failure, failure]);
    const { events, response } = await streamed(server, { input: "Hi" });
    expect(events.slice(-2).map(({ type }) => type)).toEqual(["error", "response.failed"]);
    expect(response["error"]).toMatchObject({ code: "server_error" });
    expect((await created(server, { input: "Hi" }))["http"]).toBe(500);
  });

  test("mirrors the trace as its summary where that is asked for", async () => {
    await using server = await serving([ANSWER]);
    const { events } = await streamed(server, { input: "Hi", reasoning: { summary: "auto" } });
    expect(textsOf(events, "response.reasoning_summary_text.delta")).toBe("Easy.");
  });
});

describe("tools", () => {
  test("of the client come back as they were declared", async () => {
    const patch = "*** Begin Patch\n*** Add File: a\n+one\n*** End Patch\n";
    await using server = await serving([
      `<|channel|>commentary to=functions.apply_patch<|message|>${patch}<|call|>`,
      '<|channel|>commentary to=agents.spawn <|constrain|>json<|message|>{"n":1}<|call|>',
    ]);
    const tools = [
      WEATHER,
      { type: "custom", name: "apply_patch", description: "Patches files." },
      {
        type: "namespace",
        name: "agents",
        description: "Other agents.",
        tools: [{ type: "function", name: "spawn", parameters: { type: "object" } }],
      },
    ];
    const custom = await streamed(server, { input: "Add a.", tools });
    expect(custom.response["output"]).toMatchObject(
      [{ type: "custom_tool_call", name: "apply_patch", input: patch, id: /^ctc_/ as unknown }].map(
        ({ id: _, ...item }) => item,
      ),
    );
    expect((custom.response["output"] as Json[])[0]?.["id"]).toMatch(/^ctc_/);
    const spaced = await streamed(server, { input: "Spawn one.", tools });
    expect(spaced.response["output"]).toMatchObject([
      { type: "function_call", namespace: "agents", name: "spawn", arguments: '{"n":1}' },
    ]);
    expect(server.prompts()[0]).toContain("type apply_patch = (_: string) => any;");
    expect(server.prompts()[0]).toContain("// Other agents.\nnamespace agents {");
  });

  test("with a grammar keep the model to it", async () => {
    const tools = [
      {
        type: "custom",
        name: "count",
        format: { type: "grammar", syntax: "regex", definition: "[0-9]+" },
      },
    ];
    const call = (text: string): string =>
      `<|channel|>commentary to=functions.count <|constrain|>json<|message|>${text}<|call|>`;
    await using server = await serving([call("42"), call("x")], { hasMatchers: true });
    expect((await created(server, { input: "Count.", tools }))["output"]).toMatchObject([
      { type: "custom_tool_call", input: "42" },
    ]);
    // The scripted engine refuses to say what the grammar forbids.
    expect(await created(server, { input: "Count.", tools })).toMatchObject({ http: 500 });
    const broken = [{ ...tools[0], format: { ...tools[0]?.format, definition: "(" } }];
    expect(await created(server, { input: "Count.", tools: broken })).toMatchObject({
      http: 400,
      error: { param: "tools" },
    });
  });

  test("and a format of the answer go together", async () => {
    const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    const text = { format: { type: "json_schema", name: "legs", schema, strict: true } };
    const answer = '<|channel|>final<|message|>{"n":8}<|return|>';
    await using server = await serving([CALL, answer], { hasMatchers: true });
    const body = { input: "Legs of a spider?", tools: [WEATHER], text };
    expect(((await created(server, body))["output"] as Json[]).at(-1)).toMatchObject({
      type: "function_call",
    });
    const { response } = await streamed(server, body);
    expect(response["output"]).toMatchObject([{ content: [{ text: '{"n":8}' }] }]);
    const broken = { format: { type: "json_schema", schema: { type: "nothing" } } };
    expect(await created(server, { input: "Hi", text: broken })).toMatchObject({
      http: 400,
      error: { param: "text.format.schema" },
    });
  });

  test("of this server are carried out, told, cited, and remembered", async () => {
    const url = "https://oslo.example/weather";
    const browser = await createBrowserTools({
      backend: {
        search: async (query) => [{ url, title: "Oslo", summary: `About ${query}` }],
        open: async () => ({ url, title: "Oslo", text: "It is 7 degrees in Oslo.", links: [] }),
        close: async () => {},
      },
    });
    const asked: unknown[] = [];
    const openWebSearch = async (request: unknown): Promise<ServerToolSession> => {
      asked.push(request);
      return { tools: browser.tools, close: async () => {} };
    };
    const calls = (name: string, args: string): string =>
      `<|channel|>analysis to=browser.${name} code<|message|>${args}<|call|>`;
    await using server = await serving(
      [
        calls("search", '{"query":"Oslo"}'),
        calls("open", '{"id":0}'),
        "<|channel|>final<|message|>It is 7 °C【1†L0】, said 【9†L1】.<|return|>",
        ANSWER,
      ],
      { serverTools: { openWebSearch } },
    );
    const tools = [{ type: "web_search", external_web_access: false }];
    const { events, response } = await streamed(server, { input: "Weather in Oslo?", tools });
    expect(asked).toEqual([{ isLive: false, allowedDomains: [], contextSize: "medium" }]);
    const text = `It is 7 °C ([oslo.example](${url})), said 【9†L1】.`;
    const link = `([oslo.example](${url}))`;
    expect(response["output"]).toMatchObject([
      { type: "web_search_call", status: "completed", action: { type: "search", query: "Oslo" } },
      { type: "web_search_call", status: "completed", action: { type: "open_page", url } },
      {
        type: "message",
        content: [
          {
            text,
            annotations: [
              {
                type: "url_citation",
                url,
                title: "Oslo",
                start_index: text.indexOf(link),
                end_index: text.indexOf(link) + link.length,
              },
            ],
          },
        ],
      },
    ]);
    expect(textsOf(events, "response.output_text.delta")).toBe(text);
    const first = events.find(({ type }) => type === "response.output_item.added");
    expect(first).toMatchObject({ item: { action: { query: "Oslo" } } });
    // Tokens are counted once, however many steps have read them.
    const usage = response["usage"] as Json;
    const prompt = server.engine.requests.at(-1)?.tokens.length ?? 0;
    expect(Number(usage["total_tokens"])).toBeGreaterThan(prompt);
    expect(Number(usage["total_tokens"])).toBeLessThan(prompt + 40);
  });

  test("of this server and of the client are called in one turn, which goes on with both", async () => {
    const search: Tool = {
      recipient: "browser.search",
      description: "",
      inputSchema: { type: "object" },
      timeoutMs: 1000,
      execute: async () => "Oslo lies in Norway.",
    };
    const openWebSearch = async (): Promise<ServerToolSession> => ({
      tools: [search],
      close: async () => {},
    });
    const call = '<|channel|>analysis to=browser.search code<|message|>{"query":"Oslo"}<|call|>';
    await using server = await serving([call, CALL, ANSWER, ANSWER], {
      serverTools: { openWebSearch },
    });
    const tools = [{ type: "web_search" }, WEATHER];
    const ask = { role: "user", content: "Weather in Oslo?" };
    const first = await created(server, { input: [ask], tools });
    const output = first["output"] as Json[];
    expect(output.map(({ type }) => type)).toEqual([
      ...["web_search_call", "reasoning", "function_call"],
    ]);
    const result = { type: "function_call_output", call_id: output[2]?.["call_id"], output: "7" };
    // By its id, or as the client has kept it.
    await created(server, { previous_response_id: first["id"], input: [result], tools });
    await created(server, { input: [ask, ...output, result], tools });
    const [, , byId, bySending] = server.prompts();
    expect(byId).toContain("Oslo lies in Norway.");
    expect(byId).toContain('to=browser.search code<|message|>{"query":"Oslo"}<|call|>');
    expect(bySending).toBe(byId);
  });

  test("run programs, and tell what they printed where that is asked for", async () => {
    const python: Tool = {
      recipient: "python",
      description: "",
      inputSchema: null,
      timeoutMs: 1000,
      execute: async (code) => `ran ${String(code)}`,
    };
    let closed = 0;
    const openCodeInterpreter = async (): Promise<ServerToolSession> => ({
      tools: [python],
      close: async () => {
        closed++;
      },
    });
    const call = "<|channel|>analysis to=python code<|message|>print(1)<|call|>";
    await using server = await serving([call, ANSWER, call, ANSWER], {
      serverTools: { openCodeInterpreter },
    });
    const tools = [{ type: "code_interpreter", container: { type: "auto" } }];
    const plain = await created(server, { input: "Run it.", tools });
    expect(plain["output"]).toMatchObject([
      { type: "code_interpreter_call", code: "print(1)", outputs: null },
      { type: "reasoning" },
      { type: "message" },
    ]);
    const include = ["code_interpreter_call.outputs"];
    const { response } = await streamed(server, { input: "Run it.", tools, include });
    expect((response["output"] as Json[])[0]).toMatchObject({
      status: "completed",
      outputs: [{ type: "logs", logs: "ran print(1)" }],
    });
    expect(closed).toBe(2);
  });

  test("of this server that it has not are left out", async () => {
    await using server = await serving([ANSWER]);
    const tools = [
      { type: "web_search" },
      { type: "code_interpreter", container: { type: "auto" } },
    ];
    expect((await created(server, { input: "Hi", tools }))["status"]).toBe("completed");
    expect(server.prompts()[0]).not.toContain("browser");
  });
});

describe("what is kept", () => {
  test("is read again, also as a stream from any event on", async () => {
    await using server = await serving([ANSWER]);
    const { events, response } = await streamed(server, { input: "Hi" });
    const path = `${URL_PATH}/${response["id"]}`;
    expect(await (await server.get(path)).json()).toEqual(response);
    const rest = await judged(await server.get(`${path}?stream=true&starting_after=3`), 4);
    expect(rest.events).toEqual(events.slice(4));
    expect((await judged(await server.get(`${path}?stream=true`))).events).toEqual(events);
    expect((await server.get(`${path}?stream=true&starting_after=x`)).status).toBe(400);
  });

  test("lists the items of its input, by pages", async () => {
    await using server = await serving([ANSWER, ANSWER]);
    const first = await created(server, { input: "One" });
    const { id } = await created(server, { input: "Two", previous_response_id: first["id"] });
    const path = `${URL_PATH}/${id}/input_items`;
    const all = (await (await server.get(`${path}?order=asc`)).json()) as Json;
    const data = all["data"] as Json[];
    expect(data.map(({ type, role }) => [type, role])).toEqual([
      ["message", "user"],
      ["reasoning", undefined],
      ["message", "assistant"],
      ["message", "user"],
    ]);
    expect(all).toMatchObject({ object: "list", has_more: false, first_id: data[0]?.["id"] });
    const page = (await (
      await server.get(`${path}?limit=1&after=${data[3]?.["id"]}`)
    ).json()) as Json;
    expect(page).toMatchObject({ has_more: true, data: [{ id: data[2]?.["id"] }] });
    expect((await server.get(`${path}?limit=0`)).status).toBe(400);
    expect((await server.get(`${path}?order=up`)).status).toBe(400);
    expect((await server.get(`${path}?after=x`)).status).toBe(400);
  });

  test("is deleted, and gone then", async () => {
    await using server = await serving([ANSWER]);
    const { id } = await created(server, { input: "Hi" });
    const path = `${URL_PATH}/${id}`;
    const deleted = await server.get(path, { method: "DELETE" });
    expect(await deleted.json()).toEqual({ id, object: "response", deleted: true });
    for (const init of [{}, { method: "DELETE" }]) {
      expect((await server.get(path, init)).status).toBe(404);
    }
    expect((await server.get(`${path}/input_items`)).status).toBe(404);
    expect((await server.post(`${path}/cancel`, {})).status).toBe(404);
    expect((await server.post(path, {})).status).toBe(405);
    expect((await server.get("/v1/conversations/conv_1")).status).toBe(404);
  });

  test("is made in the background, followed, and stopped", async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await serving([ANSWER, ANSWER], { loading: gate.promise });
    const asking = created(server, { input: "Hi", background: true });
    gate.resolve();
    const { id, status } = await asking;
    expect(status).toBe("in_progress");
    const followed = await judged(await server.get(`${URL_PATH}/${id}?stream=true`));
    expect(followed.response).toMatchObject({ id, status: "completed", background: true });
    expect(await (await server.get(`${URL_PATH}/${id}`)).json()).toEqual(followed.response);
    const cancelled = await server.post(`${URL_PATH}/${id}/cancel`, {});
    expect(await cancelled.json()).toMatchObject({ status: "completed" });
  });
});

/** A server whose model speaks until it is stopped, and lets others do something between two tokens. */
const speakingServer = (options: ServeOptions = {}): Promise<ServedModel> => {
  const tokenizer = loadO200kHarmony();
  const engine = new RecordedEngine(tokenizer);
  const text = "word ".repeat(100_000);
  engine.play(
    { items: [{ type: "message", text, citations: 0 }], end: "stop", ids: [], usage: null },
    () => "",
  );
  const open = async (): Promise<HarmonyModel> => new HarmonyModel({ engine, tokenizer });
  return serving([], { ...options, source: { open } });
};

test("a response in the background ends with its server, and is no ground to go on from", async () => {
  const responsesPath = join(folder, "background", "responses.sqlite");
  let id: unknown;
  {
    await using server = await speakingServer({ responsesPath, graceMs: 1 });
    ({ id } = await created(server, { input: "Hi", background: true }));
    expect(await created(server, { input: "More.", previous_response_id: id })).toMatchObject({
      http: 400,
      error: { param: "previous_response_id", code: null },
    });
  }
  await using server = await serving([], { responsesPath });
  const kept = (await (await server.get(`${URL_PATH}/${id}`)).json()) as Json;
  expect(kept).toMatchObject({ status: "failed", error: { code: "server_error" } });
});

describe("a client that waits, or goes", () => {
  test("hears of a response before its model is there, and that it is not forgotten", async () => {
    const clock = new ManualClock();
    const loading = Promise.withResolvers<void>();
    await using server = await serving([ANSWER], { clock, loading: loading.promise });
    const asking = server.post(URL_PATH, { model: MODEL, input: "Hi", stream: true });
    await vi.waitFor(() => expect(clock.waiting).toBeGreaterThan(0));
    clock.pass(10_000);
    const response = await asking;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let text = "";
    const read = async (until: RegExp): Promise<void> => {
      while (!until.test(text)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`the stream ended: ${text}`);
        text += decoder.decode(value, { stream: true });
      }
    };
    const beat = async (until: RegExp): Promise<void> => {
      const before = clock.waiting;
      const reading = read(until);
      await vi.waitFor(() => expect(clock.waiting).toBeGreaterThanOrEqual(before));
      clock.pass(10_000);
      await reading;
    };
    await beat(/response\.in_progress/);
    await beat(/"type":"keepalive","sequence_number":2/);
    loading.resolve();
    await read(/\[DONE\]/);
    const { events } = await judged(new Response(text));
    expect(events.map(({ type }) => type)).toContain("keepalive");
    expect(events.at(-1)?.type).toBe("response.completed");
  });

  test("is told in the stream what went wrong once the answer had begun", async () => {
    const clock = new ManualClock();
    const loading = Promise.withResolvers<void>();
    await using server = await serving([], { clock, loading: loading.promise });
    const asking = server.post(URL_PATH, { model: MODEL, input: "Hi", stream: true });
    await vi.waitFor(() => expect(clock.waiting).toBeGreaterThan(0));
    clock.pass(10_000);
    const response = await asking;
    loading.reject(new Error("no such file"));
    const { events } = await judged(response);
    expect(events.map(({ type }) => type)).toEqual([
      ...["response.created", "response.in_progress", "error", "response.failed"],
    ]);
  });

  test.each([true, false])("stops the model when it goes (stream: %s)", async (stream) => {
    await using server = await speakingServer();
    const { live } = server.context.responses;
    const gone = new AbortController();
    const body = { model: MODEL, input: "Hi", stream };
    const asking = server.post(URL_PATH, body, { signal: gone.signal });
    asking.catch(() => {});
    await vi.waitFor(() => expect([...live.values()][0]?.events.length).toBeGreaterThan(10));
    const [id] = live.keys();
    gone.abort();
    await vi.waitFor(() => expect(live.size).toBe(0));
    await vi.waitFor(() => expect(server.context.models.loaded[0]?.isBusy).toBe(false));
    expect(server.context.admission.running).toBe(0);
    const kept = (await (await server.get(`${URL_PATH}/${id}`)).json()) as Json;
    expect(kept).toMatchObject({ status: "cancelled", completed_at: null, error: null });
    expect(responseProblems(kept)).toEqual([]);
  });

  test("stops a response in the background by asking for it", async () => {
    await using server = await speakingServer();
    const { id } = await created(server, { input: "Hi", background: true });
    const path = `${URL_PATH}/${id}`;
    const following = server.get(`${path}?stream=true`).then((response) => judged(response));
    const cancelled = await server.post(`${path}/cancel`, {});
    expect(await cancelled.json()).toMatchObject({ id, status: "cancelled" });
    expect((await following).response).toMatchObject({ id, status: "cancelled" });
    expect(await (await server.get(path)).json()).toMatchObject({ status: "cancelled" });
    const deleted = await server.get(path, { method: "DELETE" });
    expect(await deleted.json()).toMatchObject({ deleted: true });
    expect((await server.get(path)).status).toBe(404);
  });

  test("is deleted while it is made, and not kept then", async () => {
    await using server = await speakingServer();
    const { id } = await created(server, { input: "Hi", background: true });
    const path = `${URL_PATH}/${id}`;
    await server.get(path, { method: "DELETE" });
    expect((await server.get(path)).status).toBe(404);
    expect(server.context.responses.store.size.responses).toBe(0);
  });

  test("is told inside of its stream that the server ends", async () => {
    const server = await speakingServer({ graceMs: 1 });
    const response = await server.post(URL_PATH, { model: MODEL, input: "Hi", stream: true });
    const closing = server.close();
    const sent = await eventsOf(response);
    await closing;
    const types = sent.map(({ event }) => event);
    expect(types.slice(-3)).toEqual(["error", "response.failed", null]);
    expect(sent.at(-1)?.data).toBe("[DONE]");
  });
});

describe("beside responses", () => {
  test("tokens of an input are counted", async () => {
    await using server = await serving([ANSWER]);
    const body = { model: MODEL, input: "Hi", tools: [WEATHER] };
    const counted = await server.post(`${URL_PATH}/input_tokens`, body);
    const { object, input_tokens } = (await counted.json()) as Json;
    expect(object).toBe("response.input_tokens");
    expect(server.engine.requests).toHaveLength(0);
    const { usage } = await created(server, body);
    expect((usage as Json)["input_tokens"]).toBe(input_tokens);
  });

  test("a conversation is made shorter, and goes on from there", async () => {
    const summary = "<|channel|>final<|message|>It was about Oslo.<|return|>";
    await using server = await serving([summary, ANSWER]);
    const input = [
      { role: "user", content: "Weather in Oslo?" },
      { role: "assistant", content: "It is 7 °C." },
    ];
    const body = { model: MODEL, input };
    const compacted = (await (await server.post(`${URL_PATH}/compact`, body)).json()) as Json;
    expect(compacted).toMatchObject({
      object: "response.compaction",
      output: [{ type: "message", role: "user" }, { type: "compaction" }],
    });
    const next = [...(compacted["output"] as Json[]), { role: "user", content: "And tomorrow?" }];
    await created(server, { input: next });
    expect(server.prompts()[1]).toContain("It was about Oslo.");
    expect(server.prompts()[1]).not.toContain("It is 7 °C.");
    expect((await server.post(`${URL_PATH}/compact`, { input })).status).toBe(400);
  });

  test("what is too long is refused, or loses its beginning", async () => {
    await using server = await serving([ANSWER], { modelContext: 900 });
    const input = Array.from({ length: 60 }, (_, at) => [
      { role: "user", content: `Question ${at}: how warm is it in Oslo today?` },
      { role: "assistant", content: "It is 7 °C." },
    ]).flat();
    const last = { role: "user", content: "And tomorrow?" };
    expect(await created(server, { input: [...input, last] })).toMatchObject({
      http: 400,
      error: { code: "context_length_exceeded", param: "input" },
    });
    const body = { input: [...input, last], truncation: "auto" };
    expect(await created(server, body)).toMatchObject({ status: "completed", truncation: "auto" });
    expect(server.prompts()[0]).toContain("And tomorrow?");
    expect(server.prompts()[0]).not.toContain("Question 0:");
  });
});
