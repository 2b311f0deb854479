/** OpenAI's chat and text completions over a real server on loopback. */
import { expect, test } from "vitest";
import { eventsOf, says, serve } from "./serve.ts";

const ANSWER =
  "<|channel|>analysis<|message|>Easy.<|end|><|start|>assistant<|channel|>final<|message|>It is 7 °C.<|return|>";
const CALL =
  "<|channel|>analysis<|message|>I need the weather.<|end|><|start|>assistant<|channel|>commentary" +
  ' to=functions.get_weather <|constrain|>json<|message|>{"city":"Oslo"}<|call|>';
const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    strict: null,
    parameters: {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
    },
  },
};
const ASK = { role: "user", content: [{ type: "text", text: "What's the weather in Oslo?" }] };
const model = "gpt-oss:20b";
const PATH = "/v1/chat/completions";

type Chunk = {
  id: string;
  object: string;
  choices: { delta: Record<string, unknown>; finish_reason: string | null }[];
  usage?: Record<string, unknown> | null;
};

async function chunksOf(response: Response): Promise<{ chunks: Chunk[]; isDone: boolean }> {
  const events = await eventsOf(response);
  const isDone = events.at(-1)?.data === "[DONE]";
  const chunks = events.slice(0, isDone ? -1 : undefined);
  return { chunks: chunks.map(({ data }) => JSON.parse(data) as Chunk), isDone };
}

test("answers a chat as one object", async () => {
  await using server = await serve([ANSWER]);
  const response = await server.post(PATH, { model, messages: [ASK] });
  expect(await response.json()).toMatchObject({
    id: expect.stringMatching(/^chatcmpl-\w{24}$/),
    object: "chat.completion",
    model,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "It is 7 °C.", reasoning: "Easy." },
        finish_reason: "stop",
      },
    ],
    usage: {
      prompt_tokens: expect.any(Number),
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: expect.any(Number) },
    },
  });
});

test("streams a chat: the role first, reasoning, content, the reason, usage, the end", async () => {
  await using server = await serve([ANSWER]);
  const response = await server.post(PATH, {
    model,
    messages: [ASK],
    stream: true,
    stream_options: { include_usage: true },
  });
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  const { chunks, isDone } = await chunksOf(response);
  expect(isDone).toBe(true);
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  const deltas = chunks.map(({ choices }) => choices[0]?.delta ?? {});
  expect(deltas[0]).toEqual({ role: "assistant", content: "" });
  expect(deltas.map(({ reasoning = "" }) => reasoning).join("")).toBe("Easy.");
  expect(deltas.map(({ content = "" }) => content).join("")).toBe("It is 7 °C.");
  expect(chunks.at(-2)?.choices).toMatchObject([{ delta: {}, finish_reason: "stop" }]);
  expect(chunks.at(-1)).toMatchObject({
    choices: [],
    usage: { prompt_tokens: expect.any(Number) },
  });
});

test("streams a call: its id and name, then its arguments", async () => {
  await using server = await serve([CALL]);
  const body = { model, messages: [ASK], tools: [WEATHER], stream: true };
  const { chunks } = await chunksOf(await server.post(PATH, body));
  const calls = chunks.flatMap(({ choices }) => choices[0]?.delta["tool_calls"] ?? []) as {
    index: number;
    id?: string;
    type?: string;
    function: { name?: string; arguments: string };
  }[];
  expect(calls[0]).toMatchObject({ index: 0, type: "function", function: { name: "get_weather" } });
  expect(calls[0]?.id).toMatch(/^call_/);
  expect(calls.map((call) => call.function.arguments).join("")).toBe('{"city":"Oslo"}');
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("tool_calls");
});

test.each(["reasoning", "reasoning_content"])(
  "takes a chain of thought back as %s",
  async (field) => {
    await using server = await serve([ANSWER]);
    const call = {
      id: "call_1",
      type: "function",
      function: { name: "get_weather", arguments: "{}" },
    };
    const response = await server.post(PATH, {
      model,
      tools: [WEATHER],
      messages: [
        { role: "developer", content: "Be brief." },
        ASK,
        { role: "assistant", content: null, [field]: "From the client.", tool_calls: [call] },
        { role: "tool", tool_call_id: "call_1", content: "7" },
      ],
    });
    await response.text();
    expect(server.prompts()[0]).toContain(
      "<|channel|>analysis<|message|>From the client.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather",
    );
  },
);

test("ends at stop strings and limits, and says which limit", async () => {
  await using server = await serve([ANSWER, ANSWER]);
  const stopped = await server.post(PATH, { model, messages: [ASK], stop: ["7"] });
  expect(await stopped.json()).toMatchObject({
    choices: [{ message: { content: "It is " }, finish_reason: "stop" }],
  });
  const cut = await server.post(PATH, { model, messages: [ASK], max_completion_tokens: 12 });
  expect(await cut.json()).toMatchObject({
    choices: [{ finish_reason: "length" }],
    usage: { completion_tokens: 12 },
  });
});

test("lists and shows models, whatever is encoded of their names", async () => {
  await using server = await serve();
  expect(await (await server.get("/v1/models")).json()).toEqual({
    object: "list",
    data: [
      {
        id: model,
        object: "model",
        created: 1_793_491_200,
        owned_by: "library",
        max_model_len: 16_384,
      },
    ],
  });
  for (const name of [
    "gpt-oss:20b",
    "gpt-oss%3A20b",
    "openai/gpt-oss-20b",
    "openai%2Fgpt-oss-20b",
  ]) {
    const response = await server.get(`/v1/models/${name}`);
    expect(await response.json()).toMatchObject({ id: decodeURIComponent(name), object: "model" });
  }
  const missing = await server.get("/v1/models/other");
  expect(missing.status).toBe(404);
  expect(await missing.json()).toMatchObject({
    error: { type: "not_found_error", code: "model_not_found" },
  });
});

test("completes text, and ids in and out as vLLM has them", async () => {
  const ids = says(" world<|return|>");
  await using server = await serve([ids, ids, ids, ids]);
  const text = await server.post("/v1/completions", { model, prompt: "Hello" });
  expect(await text.json()).toMatchObject({
    object: "text_completion",
    choices: [{ text: " world", finish_reason: "stop", logprobs: null }],
  });
  const prompt = says("Hello");
  const byIds = await server.post("/v1/completions", {
    model,
    prompt,
    return_token_ids: true,
    skip_special_tokens: false,
    stop_token_ids: [200_002, 200_012],
  });
  expect(await byIds.json()).toMatchObject({
    choices: [
      {
        text: " world<|return|>",
        token_ids: ids,
        prompt_token_ids: prompt,
        stop_reason: 200_002,
        finish_reason: "stop",
      },
    ],
  });
  const streamed = await server.post("/v1/completions", {
    model,
    prompt,
    stream: true,
    return_token_ids: true,
  });
  const events = (await eventsOf(streamed)).slice(0, -1).map(({ data }) => JSON.parse(data));
  expect(events.flatMap(({ choices }) => choices[0].token_ids)).toEqual(ids);
  expect(events[0].choices[0].prompt_token_ids).toEqual(prompt);
  const generated = await server.post("/inference/v1/generate", {
    model,
    token_ids: prompt,
    sampling_params: { max_tokens: 1 },
  });
  expect(await generated.json()).toMatchObject({
    choices: [{ token_ids: ids.slice(0, 1), finish_reason: "length" }],
  });
});

test("tells tokens of a text, and back", async () => {
  await using server = await serve();
  const told = (await (await server.post("/tokenize", { model, prompt: "Hello" })).json()) as {
    tokens: number[];
  };
  expect(told.tokens).toEqual(says("Hello"));
  const back = await server.post("/detokenize", { model, tokens: told.tokens });
  expect(await back.json()).toEqual({ prompt: "Hello" });
});

test.each([
  ["no model", { messages: [ASK] }, 400, "model", null],
  ["an unknown model", { model: "x", messages: [ASK] }, 404, "model", "model_not_found"],
  ["no messages", { model, messages: [] }, 400, "messages", null],
  ["messages that are none", { model, messages: "x" }, 400, "messages", null],
  ["a role that is none", { model, messages: [{ role: "robot" }] }, 400, "messages[0].role", null],
  [
    "an image",
    { model, messages: [{ role: "user", content: [{ type: "image_url" }] }] },
    400,
    "messages[0].content",
    null,
  ],
  ["two answers", { model, messages: [ASK], n: 2 }, 400, "n", null],
  [
    "an effort that is none",
    { model, messages: [ASK], reasoning_effort: "x" },
    400,
    "reasoning_effort",
    null,
  ],
  [
    "a format that is none",
    { model, messages: [ASK], response_format: { type: "x" } },
    400,
    "response_format.type",
    null,
  ],
  [
    "a tool that is none",
    { model, messages: [ASK], tool_choice: { type: "function", function: { name: "x" } } },
    400,
    "tool_choice",
    null,
  ],
  [
    "a call without tools",
    { model, messages: [ASK], tool_choice: "required" },
    400,
    "tool_choice",
    null,
  ],
  [
    "a tool of another type",
    { model, messages: [ASK], tools: [{ type: "x", function: { name: "x" } }] },
    400,
    "tools[0].type",
    null,
  ],
])("says what is wrong: %s", async (_, body, status, param, code) => {
  await using server = await serve();
  const response = await server.post(PATH, body);
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({
    error: { message: expect.any(String), type: expect.any(String), param, code },
  });
});

test("a conversation that does not fit is refused with the code that clients know", async () => {
  await using server = await serve([], { modelContext: 100 });
  const response = await server.post(PATH, {
    model,
    stream: true,
    messages: [{ role: "user", content: "word ".repeat(200) }],
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { type: "invalid_request_error", code: "context_length_exceeded" },
  });
});

test("a failure in the middle is an event, and the stream has its end", async () => {
  await using server = await serve([new Error("broken")]);
  const response = await server.post(PATH, { model, messages: [ASK], stream: true });
  const events = await eventsOf(response);
  expect(JSON.parse(events.at(-2)?.data ?? "")).toMatchObject({ error: { type: "server_error" } });
  expect(events.at(-1)?.data).toBe("[DONE]");
});
