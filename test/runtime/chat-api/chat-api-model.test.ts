/** Models behind chat APIs: Chorale's own server in each of its dialects, and servers with dialects of their own. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import {
  Agent,
  type ChatApiModelOptions,
  type LanguageModel,
  openChatApiModel,
  runAgent,
  Thread,
} from "../../../runtime/index.ts";
import { defineTool } from "../../../tools/index.ts";
import { serve } from "../server/serve.ts";

const weather = defineTool({
  name: "get_weather",
  description: "Weather of a place",
  inputSchema: {
    type: "object",
    properties: { place: { type: "string" } },
    required: ["place"],
    additionalProperties: false,
  },
  execute: async ({ place }: { place: string }) => `Rain in ${place}`,
});

const CALL =
  '<|channel|>analysis<|message|>The tool knows.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"place":"Bonn"}<|call|>';
const ANSWER =
  "<|channel|>analysis<|message|>It rains.<|end|><|start|>assistant<|channel|>final<|message|>Rain 🙂.<|return|>";

const APIS = ["chat", "responses", "ollama"] as const;

describe.each(APIS)("the API %s of Chorale", (api) => {
  const open = (url: string, options: Partial<ChatApiModelOptions> = {}): Promise<LanguageModel> =>
    openChatApiModel({
      url: api === "ollama" ? url : `${url}/v1`,
      model: "gpt-oss:20b",
      api,
      reasons: true,
      ...options,
    });

  it("calls a tool, and gets back what was thought before the call", async () => {
    await using server = await serve([CALL, ANSWER]);
    await using model = await open(server.url);
    const { output, usage } = await runAgent({
      model,
      prompt: "Weather in Bonn?",
      tools: [weather],
    });
    expect(output).toBe("Rain 🙂.");
    expect(usage.output_tokens).toBeGreaterThan(10);
    const [, second = ""] = server.prompts();
    expect(second).toContain("<|channel|>analysis<|message|>The tool knows.<|end|>");
    expect(second).toContain("Rain in Bonn");
  });

  it("streams reasoning and answer as items of their own", async () => {
    await using server = await serve([ANSWER]);
    await using model = await open(server.url);
    const run = new Agent({ model }).run(Thread.create(), "Weather?");
    const said: string[] = [];
    for await (const event of run) {
      if (event.type === "item.completed" && "text" in event.item) {
        said.push(`${event.item.type}: ${event.item.text}`);
      }
    }
    expect(said).toEqual(["reasoning: It rains.", "agent_message: Rain 🙂."]);
  });

  it("takes a schema of the answer to the server", async () => {
    const json = '<|channel|>final<|message|>{"rain":true}<|return|>';
    await using server = await serve([json]);
    await using model = await open(server.url);
    const { value } = await runAgent({
      model,
      prompt: "Does it rain?",
      output: {
        jsonSchema: {
          type: "object",
          properties: { rain: { type: "boolean" } },
          required: ["rain"],
        },
      },
    });
    expect(value).toEqual({ rain: true });
    expect(server.prompts()[0]).toContain('"rain"');
  });

  it("says that an answer was cut off by its limit", async () => {
    await using server = await serve([ANSWER]);
    await using model = await open(server.url);
    const { status, error } = await runAgent({ model, prompt: "Weather?", maxTokens: 5 });
    expect(status).toBe("failed");
    expect(error).toMatchObject({ code: "CHORALE_TOKEN_LIMIT" });
  });
});

type Body = Record<string, unknown> & {
  readonly messages: readonly Record<string, unknown>[];
  readonly input: readonly Record<string, unknown>[];
};

/** A server that sends the events of each answer, one after another. */
async function dialect(answers: readonly (readonly object[] | number | "silent")[]) {
  const bodies: Body[] = [];
  const keys: (string | undefined)[] = [];
  let cancelled = 0;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      bodies.push(JSON.parse(Buffer.concat(chunks).toString("utf8")) as Body);
      keys.push(request.headers.authorization);
      const events = answers[bodies.length - 1] ?? 500;
      if (typeof events === "number") {
        const message = `refused ${request.headers.authorization ?? ""}`;
        response.writeHead(events).end(JSON.stringify({ error: { message } }));
        return;
      }
      response.writeHead(200, { "content-type": "text/event-stream" });
      if (events === "silent") {
        response.on("close", () => cancelled++);
        response.write(": at work\n\n");
        return;
      }
      for (const event of events) response.write(`data: ${JSON.stringify(event)}\n\n`);
      response.end("data: [DONE]\n\n");
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    bodies,
    keys,
    cancelled: () => cancelled,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const chunk = (delta: object, finish: string | null = null): object => ({
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const toolCall = (index: number, name: string, text: string): object => ({
  tool_calls: [
    { index, id: `call_${index}`, type: "function", function: { name, arguments: text } },
  ],
});

it("sends reasoning back in the field that the server has for it", async () => {
  using server = await dialect([
    [
      chunk({ reasoning_content: "The tool " }),
      chunk({ reasoning_content: "knows." }),
      chunk({ content: "One moment." }),
      chunk(toolCall(0, "get_weather", '{"place"')),
      chunk(toolCall(0, "", ':"Bonn"}')),
      // A second call of the same step would be left without a result.
      chunk(toolCall(1, "get_weather", '{"place":"Rome"}')),
      chunk({}, "tool_calls"),
    ],
    [
      chunk({ content: "Rain." }),
      chunk({}, "stop"),
      { choices: [], usage: { prompt_tokens: 9, completion_tokens: 3 } },
    ],
  ]);
  await using model = await openChatApiModel({ url: server.url, model: "other" });
  const { output, usage } = await runAgent({ model, prompt: "Weather in Bonn?", tools: [weather] });
  expect(output).toBe("Rain.");
  expect(usage.input_tokens).toBeGreaterThanOrEqual(9);
  const messages = server.bodies[1]?.messages ?? [];
  expect(messages.find((one) => "reasoning_content" in one)).toMatchObject({
    role: "assistant",
    reasoning_content: "The tool knows.",
  });
  const calls = messages.flatMap(({ tool_calls: made }) => (made as object[] | undefined) ?? []);
  expect(calls).toHaveLength(1);
  expect(messages.at(-1)).toMatchObject({ role: "tool", content: "Rain in Bonn" });
  expect(messages.at(-1)?.["tool_call_id"]).toBe((calls[0] as { id: string }).id);
});

it("gives sealed reasoning of the Responses API back as it came", async () => {
  const sealed = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "sealed" };
  const end = {
    type: "response.completed",
    response: { usage: { input_tokens: 5, output_tokens: 2 } },
  };
  using server = await dialect([
    [
      { type: "response.output_item.done", output_index: 0, item: sealed },
      {
        type: "response.output_item.added",
        output_index: 1,
        item: { type: "function_call", name: "get_weather" },
      },
      {
        type: "response.function_call_arguments.delta",
        output_index: 1,
        delta: '{"place":"Bonn"}',
      },
      end,
    ],
    [{ type: "response.output_text.delta", delta: "Rain." }, end],
  ]);
  await using model = await openChatApiModel({ url: server.url, model: "other", api: "responses" });
  const { output } = await runAgent({ model, prompt: "Weather in Bonn?", tools: [weather] });
  expect(output).toBe("Rain.");
  const input = server.bodies[1]?.input ?? [];
  const at = input.findIndex(({ type }) => type === "reasoning");
  expect(input[at]).toEqual(sealed);
  expect(input[at + 1]).toMatchObject({ type: "function_call", name: "get_weather" });
});

it("tries a busy server again, and tells its refusal without the key", async () => {
  using server = await dialect([503, [chunk({ content: "Yes." }), chunk({}, "stop")], 400]);
  const apiKey = "sk-secret-of-the-test";
  await using model = await openChatApiModel({ url: server.url, model: "other", apiKey });
  expect((await runAgent({ model, prompt: "Are you there?" })).output).toBe("Yes.");
  expect(server.keys[0]).toBe(`Bearer ${apiKey}`);
  const { error } = await runAgent({ model, prompt: "Again" });
  expect(String(error)).toMatch(/answers \/chat\/completions with 400: refused Bearer \(key\)/);
  expect(String(error)).not.toContain(apiKey);
});

it("does not take an answer for whole that was cut off", async () => {
  using server = await dialect([[chunk({ content: "Half an" })]]);
  await using model = await openChatApiModel({ url: server.url, model: "other" });
  const { status, error } = await runAgent({ model, prompt: "Hello" });
  expect(status).toBe("failed");
  expect(String(error)).toMatch(/cut off/);
});

it("closes the connection when a run is cancelled", async () => {
  using server = await dialect(["silent"]);
  await using model = await openChatApiModel({ url: server.url, model: "other" });
  const abort = new AbortController();
  const running = runAgent({ model, prompt: "Hello", signal: abort.signal });
  await expect.poll(() => server.bodies.length).toBe(1);
  abort.abort(new Error("enough"));
  expect(await running).toMatchObject({ status: "cancelled" });
  await expect.poll(() => server.cancelled()).toBe(1);
});
