/** Ollama's native API over a real server on loopback. */
import { expect, test } from "vitest";
import { linesOf, serve } from "./serve.ts";

const ANSWER =
  "<|channel|>analysis<|message|>Easy.<|end|><|start|>assistant<|channel|>final<|message|>It is 7 °C.<|return|>";
const CALL =
  "<|channel|>analysis<|message|>I need the weather.<|end|><|start|>assistant<|channel|>commentary" +
  ' to=functions.get_weather <|constrain|>json<|message|>{"city":"Oslo"}<|call|>';
const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Current weather of a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const ASK = { role: "user", content: "What's the weather in Oslo?" };
const model = "gpt-oss:20b";

test("streams a chat line by line, and ends with its figures", async () => {
  await using server = await serve([ANSWER]);
  const response = await server.post("/api/chat", { model, messages: [ASK] });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  expect(response.headers.get("x-request-id")).toMatch(/^req_/);
  const lines = await linesOf(response);
  const last = lines.at(-1);
  expect(lines.slice(0, -1).every(({ done }) => done === false)).toBe(true);
  const messages = lines.map(({ message }) => message as { content: string; thinking?: string });
  expect(messages.map(({ thinking = "" }) => thinking).join("")).toBe("Easy.");
  expect(messages.map(({ content }) => content).join("")).toBe("It is 7 °C.");
  expect(last).toMatchObject({
    model,
    done: true,
    done_reason: "stop",
    message: { role: "assistant", content: "" },
  });
  for (const name of ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"]) {
    expect(last?.[name]).toBeGreaterThanOrEqual(0);
  }
  expect(last?.["prompt_eval_count"]).toBeGreaterThan(50);
  expect(last?.["eval_count"]).toBeGreaterThan(5);
});

test("gives a call as an object, and takes its result without id and name", async () => {
  await using server = await serve([CALL, ANSWER]);
  const first = await server.post("/api/chat", { model, messages: [ASK], tools: [WEATHER] });
  const lines = await linesOf(first);
  const called = lines.flatMap(({ message }) => {
    return (message as { tool_calls?: { id: string; function: object }[] }).tool_calls ?? [];
  });
  expect(called).toMatchObject([
    { function: { index: 0, name: "get_weather", arguments: { city: "Oslo" } } },
  ]);
  expect(called[0]?.id).toMatch(/^call_\w{24}$/);
  const second = await server.post("/api/chat", {
    model,
    stream: false,
    tools: [WEATHER],
    messages: [
      ASK,
      {
        role: "assistant",
        content: "",
        tool_calls: [
          { id: "other", function: { name: "get_weather", arguments: { city: "Oslo" } } },
        ],
      },
      { role: "tool", content: '{"temp_c":7}' },
    ],
  });
  expect(await second.json()).toMatchObject({
    message: { role: "assistant", content: "It is 7 °C.", thinking: "Easy." },
    done: true,
    done_reason: "stop",
  });
  expect(server.prompts()[1]).toContain(
    '<|channel|>analysis<|message|>I need the weather.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city":"Oslo"}<|call|>' +
      '<|start|>functions.get_weather to=assistant<|channel|>commentary<|message|>{"temp_c":7}<|end|><|start|>assistant',
  );
});

test("loads and unloads with empty messages or an empty prompt", async () => {
  await using server = await serve();
  const loaded = await server.post("/api/chat", { model, messages: [] });
  expect(await loaded.json()).toMatchObject({ done: true, done_reason: "load" });
  const shown = (await (await server.get("/api/ps")).json()) as { models: object[] };
  expect(shown.models).toMatchObject([{ name: model, size_vram: 0, context_length: 16_384 }]);
  const unloaded = await server.post("/api/generate", { model, prompt: "", keep_alive: 0 });
  expect(await unloaded.json()).toMatchObject({ response: "", done: true, done_reason: "unload" });
  expect(await (await server.get("/api/ps")).json()).toEqual({ models: [] });
});

test("generates: text, thinking, and a context that can be sent back", async () => {
  await using server = await serve([ANSWER, ANSWER, "  raw text<|return|>"]);
  const first = await server.post("/api/generate", {
    model,
    prompt: "Hi",
    system: "Be brief.",
    stream: false,
  });
  const body = (await first.json()) as { context: number[] };
  expect(body).toMatchObject({ response: "It is 7 °C.", thinking: "Easy.", done: true });
  await (
    await server.post("/api/generate", { model, prompt: "More", context: body.context })
  ).text();
  expect(server.prompts()[0]).toContain("# Instructions\n\nBe brief.");
  expect(server.prompts()[1]).toContain(
    "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>final<|message|>It is 7 °C.<|end|><|start|>user<|message|>More<|end|>",
  );
  const raw = await server.post("/api/generate", {
    model,
    prompt: "<|start|>x",
    raw: true,
    stream: false,
  });
  const rawBody = (await raw.json()) as object;
  expect(rawBody).toMatchObject({ response: "  raw text", done_reason: "stop" });
  expect(rawBody).not.toHaveProperty("context");
  expect(server.prompts()[2]).toBe("<|start|>x");
});

test("goes on with a beginning of the answer", async () => {
  const rest = "<|return|>";
  await using server = await serve([` Oslo.${rest}`]);
  const response = await server.post("/api/chat", {
    model,
    stream: false,
    messages: [ASK, { role: "assistant", content: "It is cold in" }],
  });
  expect(await response.json()).toMatchObject({ message: { content: " Oslo." } });
  expect(server.prompts()[0]).toMatch(/<\|channel\|>final<\|message\|>It is cold in$/);
});

test("lists models, shows one, and says which version it is", async () => {
  await using server = await serve();
  const tags = (await (await server.get("/api/tags")).json()) as { models: object[] };
  expect(tags.models).toMatchObject([
    {
      name: model,
      model,
      digest: "0".repeat(64),
      capabilities: ["completion", "tools", "thinking"],
    },
  ]);
  const show = (await (await server.post("/api/show", { name: "GPT-OSS-20b" })).json()) as object;
  expect(show).toMatchObject({
    model_info: { "general.architecture": "gptoss", "gptoss.context_length": 131_072 },
    parameters: "temperature                    1",
    capabilities: ["completion", "tools", "thinking"],
  });
  const { version } = (await (await server.get("/api/version")).json()) as { version: string };
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  const head = await server.get("/", { method: "HEAD" });
  expect([head.status, await (await server.get("/")).text()]).toEqual([200, "Ollama is running"]);
});

test("pull, copy and delete answer as clients of a server without a store expect", async () => {
  await using server = await serve();
  const pulled = await server.post("/api/pull", { name: model });
  expect((await linesOf(pulled)).at(-1)).toEqual({ status: "success" });
  const missing = await server.post("/api/pull", { model: "other", stream: false });
  expect([missing.status, await missing.json()]).toEqual([
    404,
    { error: "model 'other' not found" },
  ]);
  const copied = await server.post("/api/copy", { source: "nothing", destination: "mine" });
  expect([copied.status, await copied.json()]).toEqual([
    404,
    { error: 'model "nothing" not found' },
  ]);
  const deleted = await server.post("/api/delete", { name: "mine" }, { method: "DELETE" });
  expect([deleted.status, await deleted.json()]).toEqual([
    404,
    { error: 'model "mine" not found' },
  ]);
});

test.each([
  ["an empty body", "/api/chat", "", 400, "missing request body"],
  ["broken JSON", "/api/chat", "{", 400, /no JSON/],
  ["no name", "/api/chat", { messages: [ASK] }, 400, "model is required"],
  [
    "an unknown name, as it was sent",
    "/api/chat",
    { model: "Other:X", messages: [ASK] },
    404,
    "model 'Other:X' not found",
  ],
  [
    "a wrong think",
    "/api/chat",
    { model, messages: [ASK], think: "much" },
    400,
    /invalid think value/,
  ],
  [
    "logprobs",
    "/api/chat",
    { model, messages: [ASK], top_logprobs: 21 },
    400,
    "top_logprobs must be between 0 and 20",
  ],
  [
    "a keep_alive of digits",
    "/api/chat",
    { model, messages: [ASK], keep_alive: "300" },
    400,
    /keep_alive/,
  ],
  [
    "images",
    "/api/chat",
    { model, messages: [{ ...ASK, images: ["x"] }] },
    400,
    /does not support images/,
  ],
  [
    "raw with a system message",
    "/api/generate",
    { model, prompt: "x", raw: true, system: "y" },
    400,
    "raw mode does not support template, system, or context",
  ],
  [
    "a suffix",
    "/api/generate",
    { model, prompt: "x", suffix: "y" },
    400,
    /does not support insert/,
  ],
  [
    "embeddings",
    "/api/embed",
    { model, input: "x" },
    400,
    `"${model}" does not support embeddings`,
  ],
  [
    "a schema that is none",
    "/api/chat",
    { model, messages: [ASK], format: { type: "nothing" } },
    400,
    /schema/i,
  ],
  ["a format that is none", "/api/chat", { model, messages: [ASK], format: "yaml" }, 400, /format/],
  [
    "a number out of range",
    "/api/chat",
    { model, messages: [ASK], options: { top_p: 2 } },
    400,
    /top_p/,
  ],
  ["a path that creates models", "/api/create", { model, from: "/etc/passwd" }, 403, /not offered/],
])("says what is wrong: %s", async (_, path, body, status, error) => {
  await using server = await serve();
  const response = await server.post(path, body);
  const told = (await response.json()) as { error: string };
  expect(response.status).toBe(status);
  expect(told).toEqual({ error: expect.any(String) });
  if (typeof error === "string") expect(told.error).toBe(error);
  else expect(told.error).toMatch(error);
});

test("leaves the oldest turns out where they do not fit, or says so", async () => {
  const long = "word ".repeat(60);
  const messages = [
    { role: "system", content: "Keep this." },
    { role: "user", content: `First. ${long}` },
    { role: "assistant", content: `Answer. ${long}` },
    { role: "user", content: "Second." },
  ];
  await using server = await serve([ANSWER], { modelContext: 190 });
  const refused = await server.post("/api/chat", { model, messages, truncate: false });
  expect(refused.status).toBe(400);
  const response = await server.post("/api/chat", { model, messages, stream: false });
  expect(response.status).toBe(200);
  expect(server.prompts()[0]).toContain("Keep this.");
  expect(server.prompts()[0]).not.toContain("First.");
  expect(server.prompts()[0]).toContain("<|start|>user<|message|>Second.");
});

test("a model is loaded again for a larger context, never for a smaller one", async () => {
  await using server = await serve([ANSWER, ANSWER, ANSWER]);
  const contexts: unknown[] = [];
  for (const num_ctx of [2048, 32_768, 4096]) {
    await (await server.post("/api/chat", { model, messages: [ASK], options: { num_ctx } })).text();
    const { models } = (await (await server.get("/api/ps")).json()) as {
      models: { context_length: number }[];
    };
    contexts.push(models[0]?.context_length);
  }
  expect(contexts).toEqual([16_384, 32_768, 32_768]);
});

test("a failure in the middle is a line of its own", async () => {
  await using server = await serve([new Error("broken")]);
  const response = await server.post("/api/chat", { model, messages: [ASK] });
  const lines = await linesOf(response);
  expect(lines.at(-1)).toEqual({ error: expect.any(String) });
});
